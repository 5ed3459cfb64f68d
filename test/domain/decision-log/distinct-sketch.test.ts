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

t.test('merges to what one sketch of all keys is', async (t) => {
  const merged = new DistinctSketch(sketchOf(0, 6_000).bytes());
  merged.merge(sketchOf(3_000, 9_000).bytes());
  t.same(merged.bytes(), sketchOf(0, 9_000).bytes());
});

t.test('keeps a copy, and refuses what is no sketch', async (t) => {
  const bytes = sketchOf(0, 10).bytes();
  const copy = new DistinctSketch(bytes);
  copy.add(keyOf(99));
  t.equal(new DistinctSketch(bytes).estimate(), 10);
  t.equal(copy.estimate(), 11);
  t.throws(() => new DistinctSketch(new Uint8Array(7)), RangeError);
});
