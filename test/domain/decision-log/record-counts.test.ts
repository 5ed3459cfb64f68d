import fc from 'fast-check';
import t from 'tap';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { DecisionTally } from '../../../src/domain/decision-log/decision-tally.ts';
import { GroupedCounts } from '../../../src/domain/decision-log/grouped-counts.ts';
import { addCounts, countLabel } from '../../../src/domain/decision-log/record-counts.ts';
import { countFacts, toRecordFacts } from '../../../src/domain/decision-log/record-facts.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';

const record = createDecisionRecord(0, 1);

function countAll(...records: readonly DecisionRecord[]): Map<string, number> {
  const tally = new DecisionTally();
  for (const each of records) tally.add(each);
  return tally.read();
}

function group(counts: ReadonlyMap<string, number>): GroupedCounts {
  const grouped = new GroupedCounts();
  grouped.add(counts);
  return grouped;
}

t.test('counts what a decision says', async (t) => {
  const flat = countAll(record, { ...record, degraded: false });
  const counts = group(flat);
  t.same(Object.fromEntries(counts.of('degraded')), { true: 1, false: 1 });
  t.same(Object.fromEntries(counts.of('rule')), {
    'one:unknown': 2,
    two: 2,
    'three:waived': 2,
  });
  t.same(Object.fromEntries(counts.of('reason')), { 'STYTCH_UNKNOWN:unknown': 2, 'LENIENT:waived': 2 });
  t.same(Object.fromEntries(counts.of('provider_outcome')), {
    'stytch/timeout': 2,
    'prefactor/ok': 2,
  });
  t.same(
    [...flat].filter(([name]) => name.startsWith('latency:')).map(([, count]) => count),
    [2, 2],
    'a call and the decision, and no cached evidence',
  );
});

t.test('counts an id that was not given apart from one that is not known', async (t) => {
  const prefactor = { ...record.providers['prefactor'], outcome: 'not_found', cache_level: null };
  const of = (cache: string) =>
    ({ ...record, providers: { prefactor: { ...prefactor, cache } } }) as DecisionRecord;
  const records = [of('none'), of('none'), of('miss')];
  const counts = { 'prefactor/not_given': 2, 'prefactor/not_found': 1 };
  t.same(Object.fromEntries(group(countAll(...records)).of('provider_outcome')), counts);
  const byFacts = new Map<string, number>();
  for (const each of records) addCounts(byFacts, countFacts(toRecordFacts(each)));
  t.same(Object.fromEntries(group(byFacts).of('provider_outcome')), counts, 'by the facts of a record too');
});

t.test('skips a provider without an entry', async (t) => {
  const providers = { stytch: undefined } as unknown as typeof record.providers;
  const counts = countAll({ ...record, providers });
  t.equal(group(counts).of('provider_outcome').size, 0);
});

t.test('counts records that share their parts as it counts those that do not', async (t) => {
  const prefactor = record.providers['prefactor'];
  const none = record.reasons.slice(0, 0);
  const rules = record.rules.slice(1);
  const providers = [
    record.providers,
    { prefactor },
    { prefactor: { ...prefactor, cache_level: 'redis' } },
    { prefactor: { ...prefactor, outcome: 'not_found' } },
    { prefactor: { ...prefactor, outcome: 'not_found', cache: 'none', cache_level: null } },
    { prefactor: { ...prefactor, cache: 'shared', cache_level: null } },
    { prefactor, stytch: { ...prefactor } },
    {},
  ] as const;
  const changes = fc.record({
    caller: fc.constantFrom('shop', 'other'),
    entry_point: fc.constantFrom('decide', 'nginx'),
    decision: fc.constantFrom('ALLOW', 'BLOCK'),
    degraded: fc.boolean(),
    reasons: fc.constantFrom(record.reasons, none),
    rules: fc.constantFrom(record.rules, rules),
    policy: fc.constantFrom(record.policy, { id: 'default', hash: 'sha256:2' }),
    providers: fc.constantFrom(...providers),
    latency_ms: fc.double({ min: 0, max: 10_000, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 60 }), fc.nat(60), (list, readAfter) => {
      const records = list.map((change) => ({ ...record, ...change }) as DecisionRecord);
      const [tally, plain] = [new DecisionTally(), new Map<string, number>()];
      records.forEach((each, place) => {
        tally.add(each);
        addCounts(plain, countAll(structuredClone(each)));
        if (place === readAfter) tally.read();
      });
      t.strictSame(Object.fromEntries(tally.read()), Object.fromEntries(plain));
    }),
    { numRuns: 50 },
  );
});

t.test('moves the labels of rules that were true', async (t) => {
  t.same([...countLabel(record, null, 'fraud')], [['rule_label:two/fraud', 1]]);
  t.same(
    [...countLabel(record, 'fraud', 'legit')],
    [
      ['rule_label:two/fraud', -1],
      ['rule_label:two/legit', 1],
    ],
  );
  t.same([...countLabel(record, 'fraud', null)], [['rule_label:two/fraud', -1]]);
  t.equal(countLabel(record, 'fraud', 'fraud').size, 0);
});

t.test('finds quantiles to within a twentieth, also of merged counts', async (t) => {
  const total = new Map<string, number>();
  for (let ms = 1; ms <= 1000; ms += 1) {
    addCounts(total, countAll({ ...record, providers: {}, latency_ms: ms }));
  }
  const [median, high, highest] = group(total).quantilesOf('decision', [0.5, 0.95, 0.99]);
  for (const [found, exact] of [
    [median, 500],
    [high, 950],
    [highest, 990],
  ] as const)
    t.ok(Math.abs((found ?? 0) - exact) <= exact * 0.05, `${found} for ${exact}`);
  t.same(group(total).quantilesOf('stytch', [0.5]), [null]);
  const two = new Map([
    ['latency:decision/50', 1],
    ['latency:decision/100', 1],
  ]);
  const [below = 0, above = 0] = group(two).quantilesOf('decision', [0.5, 0.51]);
  t.ok(Number(below) < Number(above), 'half of two is the lesser one');
});

t.test('takes latencies beyond both ends', async (t) => {
  const latencies = [0, 0.001, 1e9, Number.NaN];
  const counts = countAll(...latencies.map((ms) => ({ ...record, providers: {}, latency_ms: ms })));
  t.match(Object.fromEntries(counts), { 'latency:decision/0': 3, 'latency:decision/150': 1 });
  t.same(group(counts).quantilesOf('decision', [0.5]), [0.01]);
});

t.test('counts what candidates would have made of a verdict', async (t) => {
  const policy = { id: 'next', hash: 'sha256:01' };
  const candidates = [
    { policy, decision: 'BLOCK', reasons: [], not_judged: null },
    { policy, decision: null, reasons: [], not_judged: { why: 'late', signals: [] } },
  ] as const;
  const counts = group(countAll({ ...record, candidates: [...candidates] } as DecisionRecord));
  t.same([...counts.of('transition').values()], [1, 1]);
  t.ok([...counts.of('transition').keys()].every((name) => name.includes('sha256:01')));
});
