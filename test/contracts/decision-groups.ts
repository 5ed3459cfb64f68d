import type { Test } from 'tap';
import { PERIOD_MS } from '../../src/application/decision-log/decision-log.ts';
import type { GroupedDecisions } from '../../src/domain/decision-log/decision-groups.ts';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import {
  GROUP_KEYS,
  type GroupKey,
  toGroupedRecord,
  valuesOf,
} from '../../src/domain/decision-log/group-keys.ts';
import { OUTCOME_LABELS } from '../../src/domain/decision-log/outcome-label.ts';
import { bucketOf } from '../../src/domain/decision-log/record-counts.ts';
import {
  type LabelInForce,
  matchesFilter,
  type RecordFilter,
} from '../../src/domain/decision-log/record-filter.ts';
import { hashesOfPart, SUBJECT_PARTS } from '../../src/domain/decision-log/subject-parts.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { createRandom, pick, type Random } from '../support/random.ts';
import type { OpenReader, ReaderTwin } from './decision-log.ts';

const RECORDS = 240;
const SPAN_MS = 3 * PERIOD_MS.hour;

const hashOf = (kind: string, number: number) => `${kind}${number}`.padEnd(32, '0');

/** A decision of the last three hours about one of a few subjects. */
function createMixed(random: Random, nowMs: number, serial: number): DecisionRecord {
  const some = <Value>(value: Value) => (random() < 0.8 ? value : null);
  const account = some(hashOf('ac', pick(random, [1, 2, 3])));
  const network = hashOf('b', pick(random, [1, 2]));
  const isCertain = random() < 0.5;
  const verdict = pick(random, ['ALLOW', 'CHALLENGE', 'BLOCK'] as const);
  const signals = {
    found: true,
    ...(random() < 0.8 && { country: pick(random, ['DE', 'FR', 'PL']) }),
    ...(random() < 0.8 && { asn: pick(random, [1, 64_496, 4_200_000_000]) }),
  };
  const plain = createDecisionRecord(nowMs, serial);
  return createDecisionRecord(nowMs - Math.floor(random() * SPAN_MS), serial, {
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
  } as Partial<DecisionRecord>);
}

interface Mixture extends OpenReader {
  readonly records: readonly DecisionRecord[];
  readonly labels: ReadonlyMap<string, NonNullable<LabelInForce>>;
  readonly sinceMs: number;
  readonly untilMs: number;
}

async function openMixture(t: Test, twin: ReaderTwin): Promise<Mixture> {
  const open = await twin.open(t);
  const { sink, reader } = open;
  const random = createRandom(11);
  const nowMs = open.nowMs();
  const records = Array.from({ length: RECORDS }, (_, serial) => createMixed(random, nowMs, serial));
  for (let place = 0; place < RECORDS; place += 60)
    await sink.append({ number: place / 60 + 1, records: records.slice(place, place + 60) });
  const labels = new Map<string, NonNullable<LabelInForce>>();
  for (const { decision_id: id } of records.filter((_, place) => place % 6 === 0)) {
    const label = pick(random, OUTCOME_LABELS);
    labels.set(id, label);
    await reader.label(id, { label, at: toRfc3339(nowMs), note: null, caller: 'c' }, true);
  }
  const untilMs = nowMs + 1;
  return { ...open, records, labels, sinceMs: untilMs - SPAN_MS - 1, untilMs };
}

/** Counts in the plainest way. */
function groupPlainly(
  { records, labels }: Mixture,
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
    const [first = [], second = []] = by.map((key) => valuesOf(toGroupedRecord(record, label), key));
    for (const value of first) raise(step.counts, value);
    for (const value of first) for (const other of second) raise(pairs, `${value} ${other}`);
  }
  const sorted = [...steps].sort(([left], [right]) => left - right);
  return { steps: sorted.map(([startMs, step]) => ({ startMs, ...step })), pairs };
}

type Counts = Record<string | number, number>;

function raise(counts: Counts, name: string | number): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function toPlain({ steps, pairs }: GroupedDecisions) {
  return {
    steps: steps.map(({ counts, latencies, ...step }) => ({
      ...step,
      counts: Object.fromEntries(counts),
      latencies: Object.fromEntries(latencies),
    })),
    pairs: Object.fromEntries(pairs.map(({ values, count }) => [values.join(' '), count])),
  };
}

const FILTERS: Readonly<Record<string, RecordFilter>> = {
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
  account: { account: [hashOf('ac', 1), 'f'.repeat(32)] },
  network: { ip: [hashOf('b', 1)] },
  'any part': { subject: [hashOf('d', 9)] },
  'what no decision is': { caller: 'nobody' },
};

/** What every log promises those who count decisions by filters, and ask about subjects. */
export async function testDecisionGroups(t: Test, twin: ReaderTwin): Promise<void> {
  t.test('counts by every key, and every two keys, as a plain count of all records does', async (t) => {
    const mixture = await openMixture(t, twin);
    const { reader, sinceMs, untilMs } = mixture;
    const window = { since: toRfc3339(sinceMs), until: toRfc3339(untilMs) };
    const check = async (name: string, filter: RecordFilter, by: readonly GroupKey[], stepMs: number) => {
      const grouping = { sinceMs, stepMs, by };
      const found = await reader.group({ filter: { ...filter, ...window }, ...grouping });
      t.equal(found.coveredFromMs, null);
      t.same(toPlain(found), groupPlainly(mixture, filter, grouping), name);
    };
    for (const key of GROUP_KEYS) await check(key, {}, [key], 20 * PERIOD_MS.minute);
    for (const [place, first] of GROUP_KEYS.entries())
      for (const second of GROUP_KEYS.slice(place + 1))
        await check(`${first} and ${second}`, {}, [first, second], SPAN_MS + PERIOD_MS.minute);
    await check('country and decision', {}, ['country', 'decision'], SPAN_MS + PERIOD_MS.minute);
    for (const [name, filter] of Object.entries(FILTERS)) {
      await check(`${name}, alone`, filter, [], PERIOD_MS.minute);
      await check(`${name}, by two keys`, filter, ['rule', 'asn'], PERIOD_MS.hour);
      await check(`${name}, by label`, filter, ['label', 'decision'], PERIOD_MS.hour);
    }
  });

  t.test('counts what is in the window alone', async (t) => {
    const mixture = await openMixture(t, twin);
    const { reader, sinceMs } = mixture;
    const [fromMs, toMs] = [sinceMs + 30 * PERIOD_MS.minute, sinceMs + 90 * PERIOD_MS.minute];
    const filter = { since: toRfc3339(fromMs), until: toRfc3339(toMs) };
    const grouping = { sinceMs: fromMs, stepMs: 10 * PERIOD_MS.minute, by: ['decision', 'country'] } as const;
    t.same(toPlain(await reader.group({ filter, ...grouping })), groupPlainly(mixture, filter, grouping));
  });

  t.test('counts the subjects of decisions', async (t) => {
    const { reader, records, labels, sinceMs, untilMs } = await openMixture(t, twin);
    const window = { since: toRfc3339(sinceMs), until: toRfc3339(untilMs) };
    for (const filter of [{}, { decision: 'BLOCK' }, { label: 'fraud' }] as const) {
      const { subjects, coveredFromMs } = await reader.distinct({ ...filter, ...window });
      t.equal(coveredFromMs, null);
      for (const part of SUBJECT_PARTS) {
        const exact = new Set(
          records
            .filter((record) => matchesFilter(record, filter, labels.get(record.decision_id) ?? null))
            .flatMap(({ subject }) => hashesOfPart(subject, part)),
        ).size;
        t.ok(Math.abs(subjects[part] - exact) <= 0.03 * exact, `${part}: ${subjects[part]} of ${exact}`);
      }
    }
  });

  t.test('tells what it holds of a subject', async (t) => {
    const { reader, records, labels } = await openMixture(t, twin);
    for (const [part, hash] of [
      ['telemetry', hashOf('7', 7)],
      ['device', hashOf('d', 9)],
      ['account', hashOf('ac', 2)],
      ['ip', hashOf('1', 1)],
      ['ip', hashOf('b', 2)],
      ['visitor', hashOf('f', 1)],
    ] as const) {
      const about = records.filter((record) => matchesFilter(record, { [part]: [hash] }, null));
      t.ok(about.length > 0, `${part} is there`);
      const times = about.map(({ decided_at: at }) => Date.parse(at));
      const found = await reader.subject(part, hash);
      const verdicts: Counts = {};
      const said: Counts = {};
      for (const { decision, decision_id: id } of about) {
        raise(verdicts, decision);
        const label = labels.get(id);
        if (label !== undefined) raise(said, label);
      }
      t.match(found, {
        firstSeenMs: Math.min(...times),
        lastSeenMs: Math.max(...times),
        total: about.length,
        isWhole: true,
      });
      t.same(found?.verdicts, verdicts);
      t.same(found?.labels, said);
      const days = found?.days.map(({ verdicts: ofDay }) => Object.values(ofDay).reduce((a, b) => a + b, 0));
      t.equal(
        days?.reduce((sum, count) => sum + count, 0),
        about.length,
      );
      for (const other of SUBJECT_PARTS) {
        const seen: Counts = {};
        for (const { subject } of about)
          for (const seenHash of hashesOfPart(subject, other)) if (seenHash !== hash) raise(seen, seenHash);
        const { distinct, subjects } = found?.seenWith[other] ?? { distinct: -1, subjects: [] };
        t.equal(distinct, Object.keys(seen).length, `${other}s of ${part} ${hash}`);
        t.equal(subjects.length, Math.min(20, distinct));
        for (const { hash: seenHash, count, firstSeenMs, lastSeenMs } of subjects) {
          t.equal(count, seen[seenHash]);
          const together = about.filter(({ subject }) => hashesOfPart(subject, other).includes(seenHash));
          const seenMs = together.map(({ decided_at: at }) => Date.parse(at));
          t.same([firstSeenMs, lastSeenMs], [Math.min(...seenMs), Math.max(...seenMs)]);
        }
      }
    }
    t.equal(await reader.subject('account', hashOf('1', 1)), null, 'not as another part');
    t.equal(await reader.subject('device', 'nobody'), null);
  });
}
