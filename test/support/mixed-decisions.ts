import { PERIOD_MS } from '../../src/application/decision-log/decision-log.ts';
import type { GroupedDecisions } from '../../src/domain/decision-log/decision-groups.ts';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { type GroupKey, toGroupedRecord, valuesOf } from '../../src/domain/decision-log/group-keys.ts';
import { bucketOf } from '../../src/domain/decision-log/record-counts.ts';
import {
  type LabelInForce,
  matchesFilter,
  type RecordFilter,
} from '../../src/domain/decision-log/record-filter.ts';
import { createCandidateResult, createDecisionRecord } from './decision-records.ts';
import { pick, type Random } from './random.ts';

/** How far back these decisions are. */
export const MIXED_SPAN_MS = 3 * PERIOD_MS.hour;

/** A hash as records have them. */
export const hashOf = (kind: string, number: number) => `${kind}${number}`.padEnd(32, '0');

/** A decision of the last three hours about one of a few subjects. */
export function createMixed(random: Random, nowMs: number, serial: number): DecisionRecord {
  const some = <Value>(value: Value) => (random() < 0.8 ? value : null);
  const account = some(hashOf('ac', pick(random, [1, 2, 3])));
  const network = hashOf('b', pick(random, [1, 2]));
  const isCertain = random() < 0.5;
  const verdict = pick(random, ['ALLOW', 'CHALLENGE', 'BLOCK'] as const);
  const signals = {
    found: true,
    ...(random() < 0.8 && { country: pick(random, ['DE', 'FR', 'PL']) }),
    ...(random() < 0.8 && { asn: pick(random, [1, 64_496, 4_200_000_000]) }),
    ...(serial % 5 > 0 && { asn_name: `Netz ${serial % 3}, Straße\n` }),
  };
  const plain = createDecisionRecord(nowMs, serial);
  return createDecisionRecord(nowMs - Math.floor(random() * MIXED_SPAN_MS), serial, {
    decision: verdict,
    degraded: random() < 0.3,
    caller: pick(random, ['shop', 'bank']),
    entry_point: pick(random, ['decide', 'nginx']),
    action: some(pick(random, ['login', 'payout'])),
    reasons:
      random() < 0.3
        ? []
        : [{ code: 'ONE', rule: 'one', verdict, providers: ['stytch'], certain: isCertain }],
    waivers: random() < 0.3 ? [{ code: 'THREE', rule: 'three', providers: [] }] : [],
    rules: [
      { rule: 'one', result: isCertain ? 'true' : 'unknown' },
      { rule: 'two', result: pick(random, ['true', 'false', 'inert']) },
      { rule: 'three', result: 'unknown' },
    ],
    subject: {
      hash_key: '0a1b2c3d',
      telemetry: some(hashOf('7', serial)),
      devices:
        random() < 0.2 ? [] : [hashOf('d', pick(random, [1, 2, 3, 4])), hashOf('d', 9)].slice(0, serial % 3),
      account,
      ip: some(hashOf('1', pick(random, [1, 2, 3]))),
      network,
      visitor: some(hashOf('f', pick(random, [1, 2]))),
    },
    providers: { ...plain.providers, prefactor: { ...plain.providers['prefactor'], signals } },
    latency_ms: random() * 300,
    policy: { id: 'default', hash: `sha256:${pick(random, [1, 2])}` },
    ...(serial % 3 > 0 && { candidates: createCandidates(serial) }),
  } as Partial<DecisionRecord>);
}

/** Two of them, so that one decision has two transitions. */
function createCandidates(serial: number) {
  const verdicts = ['ALLOW', 'BLOCK', null] as const;
  return [
    createCandidateResult('sha256:3', verdicts[serial % 5] ?? null),
    createCandidateResult('sha256:4', verdicts[serial % 7] ?? null),
  ];
}

/** Decisions, and the labels in force of some of them by id. */
export interface MixedDecisions {
  readonly records: readonly DecisionRecord[];
  readonly labels: ReadonlyMap<string, NonNullable<LabelInForce>>;
  /** When all of them were said. */
  readonly labelledAt: string;
}

/** Counts in the plainest way. */
export function groupPlainly(
  { records, labels, labelledAt }: MixedDecisions,
  filter: RecordFilter,
  { sinceMs, stepMs, by }: { sinceMs: number; stepMs: number; by: readonly GroupKey[] },
) {
  const steps = new Map<number, { total: number; degraded: number; counts: Counts; latencies: Counts }>();
  const pairs: Counts = {};
  for (const record of records) {
    const label = labels.get(record.decision_id) ?? null;
    if (!matchesFilter(record, filter, label)) continue;
    const startMs = sinceMs + Math.floor((Date.parse(record.decided_at) - sinceMs) / stepMs) * stepMs;
    const step = steps.get(startMs) ?? { total: 0, degraded: 0, counts: {}, latencies: {} };
    steps.set(startMs, step);
    step.total += 1;
    step.degraded += record.degraded ? 1 : 0;
    raise(step.latencies, bucketOf(record.latency_ms));
    const grouped = toGroupedRecord(record, label === null ? null : { label, at: labelledAt });
    const [first = [], second = []] = by.map((key) => valuesOf(grouped, key));
    for (const value of first) raise(step.counts, value);
    for (const value of first) for (const other of second) raise(pairs, `${value} ${other}`);
  }
  const sorted = [...steps].sort(([left], [right]) => left - right);
  return { steps: sorted.map(([startMs, step]) => ({ startMs, ...step })), pairs };
}

/** Counts by name. */
export type Counts = Record<string | number, number>;

/** Adds one. */
export function raise(counts: Counts, name: string | number): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** The same of what was found. */
export function toPlain({ steps, pairs }: GroupedDecisions) {
  return {
    steps: steps.map(({ counts, latencies, ...step }) => ({
      ...step,
      counts: Object.fromEntries(counts),
      latencies: Object.fromEntries(latencies),
    })),
    pairs: Object.fromEntries(pairs.map(({ values, count }) => [values.join(' '), count])),
  };
}

/** Filters of which most find some of these decisions. */
export const MIXED_FILTERS: Readonly<Record<string, RecordFilter>> = {
  nothing: {},
  verdict: { decision: 'BLOCK' },
  'a rule that was true': { rule: { name: 'one', result: 'true' } },
  'a waived rule': { rule: { name: 'three', result: 'waived' } },
  country: { country: 'DE' },
  'no autonomous system': { asn: 'none', country: 'FR' },
  'verdict and country': { decision: 'ALLOW', country: 'PL' },
  action: { action: 'payout' },
  label: { label: 'fraud' },
  'no label': { label: 'none', caller: 'bank' },
  transition: { transition: 'sha256:3/CHALLENGE/BLOCK' },
  'no transition known': { transition: 'sha256:4/not_judged' },
  account: { account: [hashOf('ac', 1), 'f'.repeat(32)] },
  network: { ip: [hashOf('b', 1)] },
  'any part': { subject: [hashOf('d', 9)] },
  'what no decision is': { caller: 'nobody' },
};
