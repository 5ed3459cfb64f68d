import fc from 'fast-check';
import t from 'tap';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';

t.test('writes a time as toISOString does, whatever was asked before', async (t) => {
  const times = fc.array(fc.integer({ min: -8.64e15, max: 8.64e15 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(times, (list) => list.every((ms) => toRfc3339(ms) === new Date(ms).toISOString())),
    { numRuns: 2000, seed: 20260115 },
  );
  t.equal(toRfc3339(0), '1970-01-01T00:00:00.000Z');
  t.equal(toRfc3339(1_767_225_599_999), '2025-12-31T23:59:59.999Z');
  t.equal(toRfc3339(1_767_225_600_000), '2026-01-01T00:00:00.000Z');
});

t.test('refuses what is no time', async (t) => {
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, 8.65e15])
    t.throws(() => toRfc3339(odd), RangeError);
});
