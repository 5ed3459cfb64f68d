import t from 'tap';
import { DecisionGroups } from '../../../src/domain/decision-log/decision-groups.ts';
import {
  ALL_GROUP_KEYS,
  fromLabelledText,
  toGroupedRecord,
  valuesOf,
} from '../../../src/domain/decision-log/group-keys.ts';
import { createCandidateResult, createDecisionRecord } from '../../support/decision-records.ts';

const HOUR_MS = 3_600_000;
const record = createDecisionRecord(0, 1);

t.test('says by which values a decision counts', async (t) => {
  const candidates = [createCandidateResult('sha256:2', 'BLOCK'), createCandidateResult('sha256:3', null)];
  const grouped = toGroupedRecord({ ...record, candidates }, null);
  t.same(Object.fromEntries(ALL_GROUP_KEYS.map((key) => [key, valuesOf(grouped, key)])), {
    decision: ['CHALLENGE'],
    reason: ['STYTCH_UNKNOWN:unknown', 'LENIENT:waived'],
    provider_outcome: ['stytch/timeout', 'prefactor/ok'],
    provider_cache: ['stytch/miss', 'prefactor/hit'],
    provider_cache_level: ['prefactor/memory'],
    caller: ['shop'],
    policy: ['sha256:1'],
    entry_point: ['decide'],
    degraded: ['true'],
    rule: ['one:unknown', 'two', 'three:waived'],
    transition: ['sha256:2/CHALLENGE/BLOCK', 'sha256:3/not_judged'],
    action: ['login'],
    country: ['none'],
    asn: ['none'],
    asn_name: ['none'],
    label: ['none'],
    judged: ['CHALLENGE sha256:1 one:unknown two three:waived'],
    labelled: ['none'],
  });
});

t.test('counts a decision once for each value, and for none without an action', async (t) => {
  const [reason] = record.reasons;
  const twice = { ...record, reasons: [reason, reason], action: null, degraded: false } as typeof record;
  const grouped = toGroupedRecord(twice, { label: 'fraud', at: '1970-01-01T01:00:00.000Z' });
  t.same(valuesOf(grouped, 'reason'), ['STYTCH_UNKNOWN:unknown', 'LENIENT:waived']);
  t.same(valuesOf(grouped, 'action'), []);
  t.same(valuesOf(grouped, 'label'), ['fraud']);
  const [labelled = ''] = valuesOf(grouped, 'labelled');
  t.same(fromLabelledText(labelled), grouped.label);
  t.equal(fromLabelledText('none'), null);
  t.same(valuesOf(grouped, 'degraded'), ['false']);
});

t.test('counts by steps that begin with the window', async (t) => {
  const sinceMs = 5 * HOUR_MS + 1;
  const groups = new DecisionGroups({ sinceMs, stepMs: HOUR_MS, by: ['decision'] });
  for (const [serial, timeMs] of [sinceMs + HOUR_MS, sinceMs, sinceMs + 3 * HOUR_MS - 1].entries())
    groups.add(createDecisionRecord(timeMs, serial, { degraded: serial === 1 }), null);
  const { steps, pairs, coveredFromMs } = groups.read(7);
  t.match(steps, [
    { startMs: sinceMs, total: 1, degraded: 1, counts: new Map([['CHALLENGE', 1]]) },
    { startMs: sinceMs + HOUR_MS, total: 1, degraded: 0 },
    { startMs: sinceMs + 2 * HOUR_MS, total: 1 },
  ]);
  t.equal(steps.length, 3);
  t.same([pairs, coveredFromMs], [[], 7]);
});

t.test('has the most frequent pairs, and says how many others there are', async (t) => {
  const groups = new DecisionGroups({ sinceMs: 0, stepMs: HOUR_MS, by: ['caller', 'action'] });
  for (let serial = 0; serial < 1_010; serial += 1) {
    const caller = serial % 2 === 0 ? 'even' : 'odd';
    groups.add(createDecisionRecord(0, serial, { caller, action: `a${1_000 + serial}` }), null);
  }
  groups.add(createDecisionRecord(0, 2_000, { caller: 'odd', action: 'a2009' }), null);
  const { pairs, pairsOmitted } = groups.read(null);
  t.equal(pairs.length, 1_000);
  t.equal(pairsOmitted, 10);
  t.same(pairs.slice(0, 3), [
    { values: ['odd', 'a2009'], count: 2 },
    { values: ['even', 'a1000'], count: 1 },
    { values: ['even', 'a1002'], count: 1 },
  ]);
  t.same(pairs.at(-1)?.values, ['odd', 'a1987']);
});

t.test('leaves the rarest values out where all steps together have too many', async (t) => {
  const groups = new DecisionGroups({ sinceMs: 0, stepMs: HOUR_MS, by: ['action'] });
  let serial = 0;
  const add = (hour: number, action: string) => {
    serial += 1;
    groups.add(createDecisionRecord(hour * HOUR_MS, serial, { action }), null);
  };
  for (let hour = 0; hour < 2_000; hour += 1) add(hour, `a${10 + (hour % 20)}`);
  add(1, 'rare');
  const { steps, valuesOmitted } = groups.read(null);
  t.equal(steps.length, 2_000);
  t.equal(valuesOmitted, 9);
  const values = new Set(steps.flatMap(({ counts }) => [...counts.keys()]));
  t.same(
    [...values].sort(),
    Array.from({ length: 12 }, (_, place) => `a${10 + place}`),
  );
  t.equal(steps[1]?.total, 2, 'they count in the totals');
});

t.test('tells equally frequent pairs and values in the order of their texts', async (t) => {
  const groups = new DecisionGroups({ sinceMs: 0, stepMs: HOUR_MS, by: ['caller', 'action'] });
  for (const [first, second] of ['ba', 'bc', 'ab', 'bb', 'aa', 'ca'] as const)
    groups.addPair(String(first), String(second), 1);
  const { pairs } = groups.read(null);
  t.same(
    pairs.map(({ values }) => values.join('')),
    ['aa', 'ab', 'ba', 'bb', 'bc', 'ca'],
  );
  const many = new DecisionGroups({ sinceMs: 0, stepMs: HOUR_MS, by: ['caller'] });
  for (let hour = 0; hour < 2_000; hour += 1) many.addStep(hour * HOUR_MS, 1, 0);
  for (const value of 'pbodncmaleqfk') many.addValue(0, value, 1);
  const { steps, valuesOmitted } = many.read(null);
  t.equal(valuesOmitted, 1);
  t.same([...(steps[0]?.counts.keys() ?? [])].sort().join(''), 'abcdefklmnop');
});
