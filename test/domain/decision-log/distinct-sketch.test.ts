import { createHash } from 'node:crypto';
import t from 'tap';
import { DistinctSketch } from '../../../src/domain/decision-log/distinct-sketch.ts';

const keyOf = (number: number) => createHash('md5').update(String(number)).digest();

function sketchOf(from: number, to: number): DistinctSketch {
  const sketch = new DistinctSketch();
  for (let number = from; number < to; number += 1) sketch.add(keyOf(number));
  return sketch;
}

t.test('counts different keys to within a few per cent, whether few or many', async (t) => {
  t.equal(new DistinctSketch().estimate(), 0);
  for (const exact of [1, 10, 300, 5_000, 25_000, 200_000]) {
    const found = sketchOf(0, exact).estimate();
    t.ok(Math.abs(found - exact) <= 0.03 * exact, `${found} of ${exact}`);
  }
});

t.test('counts a key once, also keys that differ in a few bits', async (t) => {
  const sketch = new DistinctSketch();
  const key = (number: number) => Buffer.from(number.toString(16).padStart(32, '0'), 'hex');
  for (let round = 0; round < 3; round += 1)
    for (let number = 0; number < 1_000; number += 1) sketch.add(key(number));
  t.ok(Math.abs(sketch.estimate() - 1_000) < 30, String(sketch.estimate()));
  t.ok(Math.abs(sketchOfTexts(1_000).estimate() - 1_000) < 30, 'keys of any length');
});

function sketchOfTexts(count: number): DistinctSketch {
  const sketch = new DistinctSketch();
  for (let number = 0; number < count; number += 1) sketch.add(Buffer.from(`a${number}`));
  return sketch;
}

t.test('merges to what one sketch of all keys is, whether short or long', async (t) => {
  for (const keys of [30, 900, 9_000]) {
    const merged = new DistinctSketch();
    merged.merge(sketchOf(0, (keys * 2) / 3).bytes());
    merged.merge(sketchOf(keys / 3, keys).bytes());
    t.same(merged.bytes(), sketchOf(0, keys).bytes());
    t.equal(merged.estimate(), sketchOf(0, keys).estimate());
  }
});

t.test('keeps few keys in few bytes, and any number in 8 KiB', async (t) => {
  t.equal(new DistinctSketch().bytes().length, 0);
  t.ok(sketchOf(0, 30).bytes().length <= 90);
  t.equal(sketchOf(0, 100_000).bytes().length, 8192);
});

t.test('refuses what is no sketch', async (t) => {
  t.throws(() => new DistinctSketch().merge(new Uint8Array(7)), RangeError);
});
