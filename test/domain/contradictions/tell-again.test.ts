import fc from 'fast-check';
import t from 'tap';
import type { ContradictionInput, MemorySide } from '../../../src/domain/contradictions/contradiction.ts';
import {
  tellAgain,
  tellContradictions,
  toContradictionPlan,
} from '../../../src/domain/contradictions/find-contradictions.ts';
import { SITUATIONS, toInput } from './situations.ts';

const PLAN = toContradictionPlan([['count']], {});
const INPUTS = SITUATIONS.map(({ input }) => toInput(input));

/** What can differ from decision to decision about the same evidence. */
type Changing = Pick<ContradictionInput, 'memory' | 'nowMs'>;

const place = fc.record({
  latitude: fc.constantFrom(40.7, 41, -30, 52.5),
  longitude: fc.constantFrom(-74, 13.4),
  atSeconds: fc
    .constantFrom(0, 60, 3600, 86_400)
    .map((ago) => Math.floor((INPUTS[0]?.nowMs ?? 0) / 1000) - ago),
});

const places: fc.Arbitrary<MemorySide['places']> = fc.oneof(
  fc.constantFrom(undefined, null),
  fc.array(place, { minLength: 1, maxLength: 3 }).map((all) => all as unknown as readonly [(typeof all)[0]]),
);

const changing: fc.Arbitrary<Changing> = fc
  .tuple(fc.constantFrom(...INPUTS), places, fc.boolean(), fc.constantFrom(0, 1, 400, 1000, 86_400_000))
  .map(([{ memory, nowMs }, own, isOwn, laterMs]) => ({
    memory: isOwn ? { ...memory, places: own } : memory,
    nowMs: nowMs + laterMs,
  }));

t.test('tells the same evidence in any order of moments as if each were the first', async (t) => {
  let [same, others] = [0, 0];
  fc.assert(
    fc.property(
      fc.constantFrom(...INPUTS),
      fc.constantFrom(...INPUTS),
      fc.array(changing, { minLength: 1, maxLength: 6 }),
      (first, second, moments) => {
        const evidence = { ...first.evidence, prefactor: second.evidence.prefactor };
        const whole = { ...first, evidence };
        const told = tellContradictions(PLAN, whole);
        for (const moment of [...moments, ...moments]) {
          const before = told.value;
          const value = tellAgain(PLAN, told, { ...whole, ...moment });
          const fresh = tellContradictions(PLAN, { ...whole, ...moment }).value;
          t.strictSame(value, fresh);
          if (value === before) same += 1;
          else others += 1;
        }
      },
    ),
    { numRuns: 300, seed: 5 },
  );
  t.ok(same > 50 && others > 500, `${same} were told as the same object, and ${others} anew`);
});

t.test('tells what came to the same within a second as the same object', async (t) => {
  const [input] = INPUTS as [ContradictionInput];
  const nowMs = Math.floor(input.nowMs / 1000) * 1000;
  const at = { latitude: 40.7, longitude: -74, atSeconds: nowMs / 1000 - 60 };
  const known = { ...input, nowMs, memory: { ...input.memory, places: [at] as const } };
  const told = tellContradictions(PLAN, known);
  const first = told.value;
  t.equal(tellAgain(PLAN, told, { ...known, nowMs: nowMs + 999 }), first);
  t.equal(tellAgain(PLAN, told, { ...known, memory: { ...known.memory, places: [{ ...at }] } }), first);
  const kept = JSON.stringify(first);
  t.not(tellAgain(PLAN, told, { ...known, nowMs: nowMs + 1000 }), first);
  t.equal(JSON.stringify(first), kept, 'a record has it, and it does not change');
});
