import fc from 'fast-check';
import t from 'tap';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { DecisionTally } from '../../../src/domain/decision-log/decision-tally.ts';
import { countFacts, shareFacts, toRecordFacts } from '../../../src/domain/decision-log/record-facts.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';

const use = fc.record({
  outcome: fc.constantFrom('ok', 'not_found', 'timeout'),
  cache: fc.constantFrom('hit', 'miss', 'shared', 'none'),
  cache_level: fc.constantFrom('memory', 'redis', null),
  latency_ms: fc.double({ min: 0, max: 300, noNaN: true }),
  age_ms: fc.nat(),
  request_id: fc.constant(null),
  suspect: fc.boolean(),
  signals: fc.constant(null),
});
const rule = fc.record({
  rule: fc.constantFrom('one', 'two'),
  result: fc.constantFrom('true', 'false', 'unknown', 'inert'),
});
const reason = fc.record({
  code: fc.constantFrom('A', 'B'),
  rule: fc.constant('one'),
  verdict: fc.constant('BLOCK'),
  providers: fc.constant([]),
  certain: fc.boolean(),
  satisfied: fc.constantFrom(true, undefined),
});
const changes = fc.record({
  decision: fc.constantFrom('ALLOW', 'CHALLENGE', 'BLOCK'),
  degraded: fc.boolean(),
  caller: fc.string(),
  reasons: fc.array(reason, { maxLength: 3 }),
  rules: fc.array(rule, { maxLength: 4 }),
  providers: fc.dictionary(fc.constantFrom('stytch', 'prefactor'), use),
});

t.test('counts what a tally counts of the same record, but for its latencies', async (t) => {
  fc.assert(
    fc.property(changes, (changed) => {
      const record = createDecisionRecord(0, 1, changed as Partial<ReturnType<typeof createDecisionRecord>>);
      const tally = new DecisionTally();
      tally.add(record);
      const expected = [...tally.read()].filter(([name]) => !name.startsWith('latency:'));
      const counted = [...countFacts(toRecordFacts(record))];
      t.same(new Map(counted), new Map(expected));
    }),
  );
});

t.test(
  'gives records that differ in time, ids, latency and texts of callers alone the same text',
  async (t) => {
    const [one, other] = [
      createDecisionRecord(0, 1),
      createDecisionRecord(9, 2, { latency_ms: 3, request_id: 'r', action: 'a text of a caller' }),
    ];
    const [first, second] = [one, other].map((record) => JSON.stringify(toRecordFacts(record)));
    t.equal(first, second);
    t.notMatch(first, /aaaa|bbbb/, 'no hash of an identifier');
    const blocked = JSON.stringify(toRecordFacts(createDecisionRecord(0, 1, { decision: 'BLOCK' })));
    t.not(blocked, first);
  },
);

t.test('tells the rule of a reason only where a step-up satisfied it', async (t) => {
  const open = { code: 'A', rule: 'one', verdict: 'CHALLENGE', providers: [], certain: true } as const;
  const record = createDecisionRecord(0, 1, { reasons: [open, { ...open, code: 'B', satisfied: true }] });
  t.strictSame(toRecordFacts(record).reasons, [
    { code: 'A', certain: true },
    { code: 'B', certain: true, rule: 'one', satisfied: true },
  ]);
});

t.test('knows records that share their facts, and never takes others for such', async (t) => {
  const record = createDecisionRecord(0, 1);
  const { stytch, prefactor } = record.providers;
  if (stytch === undefined || prefactor === undefined) throw new Error('a record has both');
  t.ok(shareFacts(record, { ...record, decision_id: 'other', latency_ms: 1 }));
  t.ok(shareFacts(record, { ...record, providers: { stytch: { ...stytch, latency_ms: 1 }, prefactor } }));
  for (const changes of [
    { rules: [...record.rules] },
    { reasons: [...record.reasons] },
    { waivers: [...record.waivers] },
    { caller: 'other' },
    { entry_point: 'other' },
    { decision: 'BLOCK' },
    { degraded: false },
    { policy: { ...record.policy, id: 'other' } },
    { policy: { ...record.policy, hash: 'other' } },
    { providers: { stytch } },
    { providers: { stytch, prefactor, other: prefactor } },
    { providers: { stytch: { ...stytch, outcome: 'ok' }, prefactor } },
    { providers: { stytch: { ...stytch, cache: 'none' }, prefactor } },
    { providers: { stytch, prefactor: { ...prefactor, cache_level: 'redis' } } },
  ] as const)
    t.notOk(shareFacts(record, { ...record, ...changes } as DecisionRecord), Object.keys(changes).join());
});
