import t from 'tap';
import { createStepMemory } from '../../../src/application/decision-log/step-memory.ts';
import { GroupedCounts } from '../../../src/domain/decision-log/grouped-counts.ts';

const HOUR_MS = 3_600_000;

function stepOf(size: number) {
  const counts = new GroupedCounts();
  counts.add(new Map(Array.from({ length: size }, (_, place) => [`caller:${place}`, 1])));
  return { counts, latencyMs: { p50: null, p95: null, p99: null } };
}

t.test('remembers a step for as long as its version holds', async (t) => {
  const memory = createStepMemory(1000);
  const [first, second] = [stepOf(1), stepOf(2)];
  memory.keep(HOUR_MS, 0, 'a', first);
  t.equal(memory.find(HOUR_MS, 0, 'a'), first);
  t.equal(memory.find(HOUR_MS, 0, 'b'), undefined);
  t.equal(memory.find(2 * HOUR_MS, 0, 'a'), undefined, 'a longer step is another one');
  t.equal(memory.find(HOUR_MS, HOUR_MS, 'a'), undefined);
  memory.keep(HOUR_MS, 0, 'b', second);
  t.equal(memory.find(HOUR_MS, 0, 'a'), undefined);
  t.equal(memory.find(HOUR_MS, 0, 'b'), second);
});

t.test('makes room by what was used least lately', async (t) => {
  const memory = createStepMemory(330);
  for (const place of [0, 1, 2]) memory.keep(HOUR_MS, place, 'a', stepOf(100));
  memory.find(HOUR_MS, 0, 'a');
  memory.keep(HOUR_MS, 3, 'a', stepOf(100));
  const held = [0, 1, 2, 3].filter((place) => memory.find(HOUR_MS, place, 'a') !== undefined);
  t.same(held, [0, 2, 3]);
  memory.keep(HOUR_MS, 4, 'a', stepOf(1000));
  t.equal(memory.find(HOUR_MS, 4, 'a'), undefined, 'one that is larger than all of it is not kept');
});

t.test('takes room for empty steps too', async (t) => {
  const memory = createStepMemory(100);
  for (let place = 0; place < 100; place += 1) memory.keep(HOUR_MS, place, '', stepOf(0));
  t.equal(memory.find(HOUR_MS, 0, ''), undefined);
  t.not(memory.find(HOUR_MS, 99, ''), undefined);
});
