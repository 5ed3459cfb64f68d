import type { Test } from 'tap';
import { createCountSteps } from '../../src/application/decision-log/count-steps.ts';
import {
  type DecisionLogReader,
  type DecisionSink,
  type LogEntry,
  type LogPosition,
  PERIOD_MS,
} from '../../src/application/decision-log/decision-log.ts';
import { WINDOW_MS_MAX } from '../../src/application/decision-log/plan-window.ts';
import { summariseCounts } from '../../src/application/decision-log/summarise-counts.ts';
import { type DecisionRecord, idOf, type LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import { GroupedCounts } from '../../src/domain/decision-log/grouped-counts.ts';
import { LABELS_MAX, OUTCOME_LABELS } from '../../src/domain/decision-log/outcome-label.ts';
import { STATS_GROUPS } from '../../src/domain/decision-log/record-counts.ts';
import type { RecordFilter } from '../../src/domain/decision-log/record-filter.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';
import {
  createCandidateResult,
  createDecisionRecord,
  createEventRecord,
  createGapRecord,
} from '../support/decision-records.ts';
import { countPlainly } from '../support/plain-stats.ts';
import { planLast } from '../support/plan-last.ts';
import { createRandom, pick, type Random } from '../support/random.ts';

/**
 * One sink. `open` gives an empty one that closes with the test, and what reads everything that it holds,
 * oldest first.
 */
export interface SinkTwin {
  readonly id: string;
  open(t: Test): Promise<{ readonly sink: DecisionSink; held(): Promise<readonly LogRecord[]> }>;
}

/** One log that can be read as well. `nowMs` is the present time by its own clock. */
export interface ReaderTwin {
  readonly id: string;
  open(t: Test): Promise<OpenReader>;
}

export interface OpenReader {
  readonly sink: DecisionSink;
  readonly reader: DecisionLogReader;
  nowMs(): number;
}

/** What every sink promises. */
export async function testDecisionSink(t: Test, twin: SinkTwin): Promise<void> {
  const timeMs = Date.now();
  const records = [
    createDecisionRecord(timeMs, 1),
    createGapRecord(timeMs, 2),
    createDecisionRecord(timeMs, 3),
    createEventRecord(timeMs, 4),
  ];

  t.test('keeps decisions, gaps and events in their order, byte for byte', async (t) => {
    const { sink, held } = await twin.open(t);
    t.same(await held(), []);
    t.equal(await sink.append({ number: 1, records: records.slice(0, 2) }), true);
    t.equal(await sink.append({ number: 2, records: records.slice(2) }), true);
    t.strictSame(await held(), records);
  });

  t.test('takes a batch of nothing, which shows that it takes', async (t) => {
    const { sink, held } = await twin.open(t);
    t.equal(await sink.append({ number: 1, records: [] }), true);
    t.same(await held(), []);
    t.equal(await sink.append({ number: 2, records }), true);
    t.strictSame(await held(), records);
  });

  t.test('takes a batch of a thousand', async (t) => {
    const { sink, held } = await twin.open(t);
    const many = Array.from({ length: 1000 }, (_, serial) => createDecisionRecord(timeMs, serial));
    t.equal(await sink.append({ number: 1, records: many }), true);
    t.same(
      (await held()).map(idOf),
      many.map(({ decision_id: id }) => id),
    );
  });

  t.test('ends after what is under way', async (t) => {
    const { sink } = await twin.open(t);
    const appended = sink.append({ number: 1, records });
    await sink.close();
    t.equal(await appended, true);
    await t.resolves(sink.close(), 'and may be closed again');
  });
}

/** Windows with and without a step of their own. */
const WINDOWS_MS: readonly (readonly [windowMs: number, stepMs: number | null])[] = [
  [PERIOD_MS.hour, null],
  [2 * PERIOD_MS.hour, null],
  [3 * PERIOD_MS.hour, 20 * PERIOD_MS.minute],
  [24 * PERIOD_MS.hour, null],
  [24 * PERIOD_MS.hour, PERIOD_MS.hour],
  [72 * PERIOD_MS.hour, null],
  [WINDOW_MS_MAX, null],
];

/** A decision of the last twenty-six hours, often at the very beginning or end of a period. */
function randomRecord(random: Random, nowMs: number, serial: number): DecisionRecord {
  const agoMs = Math.floor(random() ** 3 * 26 * PERIOD_MS.hour);
  const period = PERIOD_MS[pick(random, ['minute', 'five_minutes', 'hour'] as const)];
  const boundaryMs = Math.floor((nowMs - agoMs) / period) * period;
  const timeMs = random() < 0.5 ? nowMs - agoMs : boundaryMs - pick(random, [0, 1]);
  const result = pick(random, ['true', 'false', 'unknown'] as const);
  return createDecisionRecord(timeMs, serial, {
    decision: pick(random, ['ALLOW', 'CHALLENGE', 'BLOCK'] as const),
    degraded: random() < 0.3,
    caller: pick(random, ['shop', 'bank']),
    latency_ms: random() * 300,
    rules: [
      { rule: 'one', result },
      { rule: 'two', result: 'true' },
    ],
    ...(random() < 0.5 && {
      candidates: [
        createCandidateResult('sha256:1', pick(random, ['ALLOW', 'BLOCK', null] as const)),
        createCandidateResult('sha256:2', pick(random, ['CHALLENGE', null] as const)),
      ],
    }),
  });
}

const UNUSED_HASH = 'f'.repeat(32);

/** Finds the one record of `createDecisionRecord` that none of the others is like. */
const FILTERS: Readonly<Record<string, RecordFilter>> = {
  decision: { decision: 'BLOCK' },
  reason: { reason: 'RARE' },
  'provider outcome': { providerOutcome: { provider: 'mobilerun', outcome: 'not_found' } },
  'outcome of any provider': { providerOutcome: { provider: null, outcome: 'not_found' } },
  'id that was not given': { providerOutcome: { provider: 'prefactor', outcome: 'not_given' } },
  'id that was not given to any provider': { providerOutcome: { provider: null, outcome: 'not_given' } },
  caller: { caller: 'bank' },
  'entry point': { entryPoint: 'nginx' },
  action: { action: 'payout' },
  degraded: { degraded: false },
  'policy by id': { policy: 'strict' },
  'policy by hash': { policy: 'sha256:2' },
  telemetry: { telemetry: [UNUSED_HASH, 'c'.repeat(32)] },
  device: { device: ['d'.repeat(32), UNUSED_HASH] },
  account: { account: ['e'.repeat(32)] },
  address: { ip: ['1'.repeat(32)] },
  'network of an address': { ip: ['2'.repeat(32), UNUSED_HASH] },
  visitor: { visitor: ['3'.repeat(32)] },
  'any part of a subject': { subject: [UNUSED_HASH, '3'.repeat(32)] },
  'rule that was true': { rule: { name: 'four', result: 'true' } },
  'rule by its code': { rule: { name: 'RARE', result: 'true' } },
  'rule that was unknown': { rule: { name: 'two', result: 'unknown' } },
  'rule that was waived': { rule: { name: 'five', result: 'waived' } },
  transition: { transition: 'sha256:9/BLOCK/ALLOW' },
  country: { country: 'NZ' },
  'autonomous system': { asn: 64_496 },
};

const RARE = {
  decision: 'BLOCK',
  degraded: false,
  reasons: [{ code: 'RARE', rule: 'two', verdict: 'BLOCK', providers: ['mobilerun'], certain: true }],
  caller: 'bank',
  entry_point: 'nginx',
  action: 'payout',
  subject: {
    telemetry: 'c'.repeat(32),
    devices: ['b'.repeat(32), 'd'.repeat(32)],
    account: 'e'.repeat(32),
    ip: '1'.repeat(32),
    network: '2'.repeat(32),
    visitor: '3'.repeat(32),
  },
  waivers: [{ code: 'FIVE', rule: 'five', providers: ['mobilerun'] }],
  rules: [
    { rule: 'one', result: 'unknown' },
    { rule: 'two', result: 'unknown' },
    { rule: 'four', result: 'true' },
    { rule: 'five', result: 'unknown' },
  ],
  providers: {
    mobilerun: {
      outcome: 'not_found',
      cache: 'miss',
      cache_level: null,
      latency_ms: 20,
      age_ms: 0,
      request_id: null,
      suspect: false,
      signals: { found: false, country: 'NZ', asn: 64_496 },
    },
    // Nobody was asked: there is no id.
    prefactor: {
      outcome: 'not_found',
      cache: 'none',
      cache_level: null,
      latency_ms: 0,
      age_ms: 0,
      request_id: null,
      suspect: false,
      signals: { found: false },
    },
  },
  policy: { id: 'strict', hash: 'sha256:2' },
  candidates: [createCandidateResult('sha256:9', 'ALLOW'), createCandidateResult('sha256:8', null)],
} as const;

/** What every log promises its readers. */
export async function testDecisionLogReader(t: Test, twin: ReaderTwin): Promise<void> {
  t.test('is empty at first', async (t) => {
    const { reader } = await twin.open(t);
    t.same(await reader.query({}, { before: null, limit: 10 }), { entries: [], next: null });
    t.same(await reader.readAfter(null, 10), { entries: [], position: null, isGap: false });
    t.equal(await reader.newest(), null);
    t.equal(await reader.find('nobody'), null);
    t.same(await reader.counts({ sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER, period: 'hour' }), []);
  });

  t.test('finds by every filter, newest first', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const timeMs = nowMs();
    const rare = createDecisionRecord(timeMs, 2, RARE);
    const records = [createDecisionRecord(timeMs, 1), rare, createDecisionRecord(timeMs, 3)];
    await sink.append({ number: 1, records });
    t.strictSame(await idsOf(reader, {}), ids(records).reverse());
    for (const [name, filter] of Object.entries(FILTERS))
      t.same(await idsOf(reader, filter), [rare.decision_id], name);
    t.same(
      await idsOf(reader, Object.assign({}, ...Object.values(FILTERS))),
      [rare.decision_id],
      'all at once',
    );
    t.same(await idsOf(reader, { device: [UNUSED_HASH, UNUSED_HASH] }), []);
    t.same(await idsOf(reader, { caller: 'bank', decision: 'ALLOW' }), []);
    const { entries } = await reader.query({ caller: 'bank' }, { before: null, limit: 1 });
    t.strictSame(entries[0]?.record, rare, 'the record is whole');
  });

  t.test('finds by the label in force', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const records = [1, 2, 3].map((serial) => createDecisionRecord(nowMs(), serial));
    await sink.append({ number: 1, records: [...records, createGapRecord(nowMs(), 9)] });
    const say = (
      record: DecisionRecord | undefined,
      label: 'fraud' | 'legit' | 'withdrawn',
      second: number,
    ) =>
      reader.label(
        record?.decision_id ?? '',
        { label, at: toRfc3339(nowMs() + second * 1000), note: null, caller: 'c' },
        true,
      );
    await say(records[0], 'fraud', 1);
    await say(records[1], 'fraud', 1);
    await say(records[1], 'legit', 2);
    t.same(await idsOf(reader, { label: 'fraud' }), ids([records[0]]));
    t.same(await idsOf(reader, { label: 'legit', caller: 'shop' }), ids([records[1]]));
    t.same(await idsOf(reader, { label: 'none' }), ids([records[2]]));
    t.same(await idsOf(reader, { label: 'abandoned' }), []);
    t.equal((await idsOf(reader, { label: 'fraud', includesGaps: true })).length, 2);
    await say(records[0], 'withdrawn', 3);
    t.same(await idsOf(reader, { label: 'fraud' }), []);
    t.same(await idsOf(reader, { label: 'none' }), ids([records[2], records[0]]));
    t.same(await idsOf(reader, { label: 'none', caller: 'shop' }), ids([records[2], records[0]]));
    const [counted] = await reader.counts({ sinceMs: 0, untilMs: nowMs() + 3_600_000, period: 'hour' });
    t.equal(counted?.counts.get('rule_label:two/fraud') ?? 0, 0, 'rules count it no longer');
  });

  t.test('finds by time, and gaps and events where they are asked for', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const timeMs = nowMs() - 3000;
    const records = [0, 1, 2, 3].map((second) => createDecisionRecord(timeMs + second * 1000, second));
    const gap = createGapRecord(timeMs + 1500, 9);
    const event = createEventRecord(timeMs + 1600, 10);
    const others = [0, 5000].map((ms, place) => createEventRecord(timeMs + ms, 11 + place));
    await sink.append({ number: 1, records: [...records, gap, event, ...others] });
    const window = { since: toRfc3339(timeMs + 1000), until: toRfc3339(timeMs + 3000) };
    t.same(await idsOf(reader, window), ids([records[2], records[1]]));
    t.same(await idsOf(reader, { ...window, includesGaps: true }), ids([gap, records[2], records[1]]));
    t.same(
      await idsOf(reader, { ...window, includesGaps: true, includesEvents: true }),
      ids([event, gap, records[2], records[1]]),
    );
  });

  t.test('walks every older record exactly once while new ones arrive', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const timeMs = nowMs();
    const old = Array.from({ length: 250 }, (_, serial) => createDecisionRecord(timeMs, serial));
    await sink.append({ number: 1, records: old });
    const seen: string[] = [];
    let before: LogPosition | null = null;
    let number = 1;
    do {
      const page = await reader.query({}, { before, limit: 7 });
      seen.push(...ids(page.entries.map(({ record }) => record)));
      before = page.next;
      number += 1;
      const more = Array.from({ length: 25 }, (_, serial) =>
        createDecisionRecord(timeMs, number * 1000 + serial),
      );
      await sink.append({ number, records: more });
    } while (before !== null);
    t.same(seen, ids(old).reverse());
  });

  t.test('finds a decision by its id', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const [first, second] = [createDecisionRecord(nowMs(), 1), createDecisionRecord(nowMs(), 2)];
    const gap = createGapRecord(nowMs(), 3);
    const event = createEventRecord(nowMs(), 5);
    await sink.append({ number: 1, records: [first, second, gap, event] });
    t.match(await reader.find(first.decision_id), { record: first, labels: [] });
    t.match(await reader.find(second.decision_id), { record: second });
    t.equal(await reader.find(gap.gap_id), null);
    t.equal(await reader.find(event.event_id), null);
    t.equal(await reader.find(createDecisionRecord(nowMs(), 4).decision_id), null);
    t.equal(await reader.find(''), null);
  });

  t.test('reads on from a position, without gaps or duplicates', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const records = Array.from({ length: 10 }, (_, serial) => createDecisionRecord(nowMs(), serial));
    await sink.append({ number: 1, records: records.slice(0, 6) });
    const first = await reader.readAfter(null, 4);
    t.same([ids(recordsOf(first.entries)), first.isGap], [ids(records.slice(0, 4)), false]);
    await sink.append({ number: 2, records: records.slice(6) });
    const rest = await reader.readAfter(first.position, 100);
    t.same([ids(recordsOf(rest.entries)), rest.isGap], [ids(records.slice(4)), false]);
    const none = await reader.readAfter(rest.position, 100);
    t.same([none.entries.length, none.isGap], [0, false]);
    t.equal(await reader.newest(), rest.entries.at(-1)?.position);
    const positions = [...first.entries, ...rest.entries].map(({ position }) => position);
    t.same(positions.toSorted(), positions, 'positions rise as strings');
    const others = [createGapRecord(nowMs(), 99), createEventRecord(nowMs(), 98)];
    await sink.append({ number: 3, records: others });
    t.strictSame(recordsOf((await reader.readAfter(none.position, 100)).entries), others);
  });

  t.test('says so when what follows a position is no longer kept', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    await sink.append({ number: 1, records: [createDecisionRecord(nowMs(), 1)] });
    t.equal((await reader.readAfter('0000000000-00000000000001', 10)).isGap, true);
    t.equal((await reader.readAfter('no position', 10)).isGap, true);
  });

  t.test('counts by minute and hour', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const timeMs = nowMs();
    const records = [1, 2, 3].map((serial) => createDecisionRecord(timeMs, serial));
    await sink.append({ number: 1, records: [...records, createGapRecord(timeMs, 9)] });
    await sink.append({ number: 2, records: [createDecisionRecord(timeMs, 4, RARE)] });
    for (const period of ['minute', 'five_minutes', 'hour'] as const) {
      const [counted, ...others] = await reader.counts({
        sinceMs: timeMs - 3_600_000,
        untilMs: timeMs + 1,
        period,
      });
      t.same(others, []);
      const counts = Object.fromEntries(counted?.counts ?? []);
      t.match(counts, {
        'decision:CHALLENGE': 3,
        'decision:BLOCK': 1,
        'degraded:true': 3,
        'reason:STYTCH_UNKNOWN:unknown': 3,
        'reason:RARE': 1,
        'reason:LENIENT:waived': 3,
        'provider_outcome:stytch/timeout': 3,
        'provider_outcome:mobilerun/not_found': 1,
        'provider_outcome:prefactor/not_given': 1,
        'provider_outcome:prefactor/not_found': undefined,
        'provider_cache:prefactor/hit': 3,
        'provider_cache_level:prefactor/memory': 3,
        'caller:bank': 1,
        'policy:sha256:1': 3,
        'entry_point:nginx': 1,
        'rule:one:unknown': 4,
        'rule:two': 3,
        'rule:two:unknown': 1,
        'rule:five:waived': 1,
        'transition:sha256:9/BLOCK/ALLOW': 1,
        'transition:sha256:8/not_judged': 1,
      });
      const grouped = new GroupedCounts();
      grouped.add(counted?.counts ?? new Map());
      const [median = null] = grouped.quantilesOf('stytch', [0.5]);
      t.ok(median !== null && Math.abs(median - 250.5) < 15, `${period}: median ${median}`);
      t.equal(counted?.startMs, timeMs - (timeMs % PERIOD_MS[period]));
    }
    t.same(
      await reader.counts({ sinceMs: timeMs + 3_600_000, untilMs: timeMs + 7_200_000, period: 'minute' }),
      [],
    );
  });

  t.test('keeps labels, of which the latest counts', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const record = createDecisionRecord(nowMs(), 1);
    await sink.append({ number: 1, records: [record, createDecisionRecord(nowMs(), 2)] });
    const labelAt = (label: 'fraud' | 'legit' | 'abandoned', second: number) =>
      ({ label, at: toRfc3339(nowMs() + second * 1000), note: null, caller: 'shop' }) as const;
    const fraud = labelAt('fraud', 10);
    t.match(await reader.label(record.decision_id, fraud, true), {
      kind: 'recorded',
      decision: { labels: [fraud] },
    });
    t.match(await reader.label(record.decision_id, fraud, true), {
      kind: 'unchanged',
      decision: { labels: [fraud] },
    });
    t.match(await reader.label(record.decision_id, labelAt('fraud', 11), false), { kind: 'unchanged' });
    const legit = labelAt('legit', 20);
    const abandoned = labelAt('abandoned', 0);
    await reader.label(record.decision_id, legit, true);
    t.match(await reader.label(record.decision_id, abandoned, true), {
      kind: 'recorded',
      decision: { labels: [abandoned, fraud, legit] },
    });
    t.match(await reader.find(record.decision_id), { record, labels: [abandoned, fraud, legit] });
    const { entries } = await reader.query({}, { before: null, limit: 10 });
    t.same([...(await reader.labelsOf(entries))], [[record.decision_id, [abandoned, fraud, legit]]]);
    t.same(await reader.label('nobody', fraud, true), { kind: 'unknown_decision' });
    const [counted] = await reader.counts({
      sinceMs: nowMs() - 3_600_000,
      untilMs: nowMs() + 1,
      period: 'hour',
    });
    t.match(Object.fromEntries(counted?.counts ?? []), { 'rule_label:two/legit': 1 });
    t.equal(counted?.counts.get('rule_label:two/fraud') ?? 0, 0);
  });

  t.test('labels a decision only while it has as many labels as were seen', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const record = createDecisionRecord(nowMs(), 1);
    await sink.append({ number: 1, records: [record] });
    const id = record.decision_id;
    let second = 0;
    const said = (label: 'fraud' | 'legit' | 'withdrawn', caller: string) => {
      second += 1;
      return { label, at: toRfc3339(nowMs() + second * 1000), note: null, caller } as const;
    };
    t.match(await reader.label(id, said('fraud', 'ana'), false, 0), { kind: 'recorded' });
    t.match(await reader.label(id, said('legit', 'ben'), false, 1), { kind: 'recorded' });
    t.same(await reader.label(id, said('withdrawn', 'ana'), false, 1), { kind: 'changed' });
    t.match(await reader.label(id, said('legit', 'ana'), false, 0), { kind: 'unchanged' }, 'it stands there');
    const both = await Promise.all(
      ['ana', 'ben'].map((caller) => reader.label(id, said('fraud', caller), false, 2)),
    );
    // Who is second finds the same said already.
    t.same(both.map(({ kind }) => kind).sort(), ['recorded', 'unchanged']);
    t.same(
      (await reader.find(id))?.labels.map(({ label }) => label),
      ['fraud', 'legit', 'fraud'],
    );
  });

  t.test('counts any window as all of its minutes do, also while it grows and is labelled', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const count = createCountSteps({ reader, run: async (piece) => piece() });
    const random = createRandom(7);
    const ids: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const records = Array.from({ length: 150 }, (_, place) =>
        randomRecord(random, nowMs(), round * 1000 + place),
      );
      await sink.append({ number: round + 1, records });
      ids.push(...records.map(({ decision_id: id }) => id));
      for (let labels = 0; labels < 5; labels += 1) {
        const id = pick(random, ids);
        const label = pick(random, OUTCOME_LABELS);
        await reader.label(id, { label, at: toRfc3339(nowMs() + round), note: null, caller: 'c' }, true);
      }
      for (const [windowMs, stepMs] of WINDOWS_MS) {
        const window = planLast(windowMs, stepMs, nowMs());
        const counted = await count(window);
        for (const group of STATS_GROUPS)
          t.same(
            summariseCounts(counted, window, group),
            await countPlainly(reader, window, group),
            `round ${round}, ${windowMs / 60_000} minutes by ${group}`,
          );
      }
    }
  });

  t.test('bounds the labels of one decision, which are read and written together', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const record = createDecisionRecord(nowMs(), 1);
    await sink.append({ number: 1, records: [record] });
    const firstMs = nowMs();
    const say = (second: number) =>
      reader.label(
        record.decision_id,
        { label: 'fraud', at: toRfc3339(firstMs + second * 1000), note: null, caller: 'shop' },
        true,
      );
    for (let second = 0; second < LABELS_MAX; second += 1) t.match(await say(second), { kind: 'recorded' });
    t.same(await say(LABELS_MAX), { kind: 'full' });
    t.match(await say(0), { kind: 'unchanged' }, 'what has been said may be repeated');
    t.equal((await reader.find(record.decision_id))?.labels.length, LABELS_MAX);
  });

  t.test('has another version after every change, and no other without one', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const record = createDecisionRecord(nowMs(), 1);
    const versions = [await reader.version()];
    await sink.append({ number: 1, records: [record] });
    versions.push(await reader.version());
    await sink.append({ number: 2, records: [createGapRecord(nowMs(), 2)] });
    versions.push(await reader.version());
    await reader.label(
      record.decision_id,
      { label: 'fraud', at: record.decided_at, note: 'n', caller: 'c' },
      true,
    );
    versions.push(await reader.version());
    t.equal(new Set(versions).size, 4);
    t.equal(await reader.version(), versions.at(-1));
  });

  t.test('has another version of the counts of an hour after every change of them', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const hourMs = nowMs() - (nowMs() % PERIOD_MS.hour);
    const versionOf = async () => {
      // Three hours, for the test may run into the next one.
      const span = { sinceMs: hourMs - PERIOD_MS.hour, untilMs: hourMs + 2 * PERIOD_MS.hour };
      const versions = await reader.countVersions(span);
      t.equal(versions.length, 3);
      return versions.join();
    };
    const record = createDecisionRecord(nowMs(), 1);
    const seen = [await versionOf()];
    await sink.append({ number: 1, records: [record] });
    seen.push(await versionOf());
    await sink.append({ number: 2, records: [createDecisionRecord(nowMs(), 2)] });
    seen.push(await versionOf());
    await reader.label(
      record.decision_id,
      { label: 'fraud', at: record.decided_at, note: null, caller: 'c' },
      true,
    );
    seen.push(await versionOf());
    t.equal(new Set(seen).size, seen.length);
    t.equal(await versionOf(), seen.at(-1), 'and no other without one');
  });

  t.test('tells listeners of changes until they leave', async (t) => {
    const { sink, reader, nowMs } = await twin.open(t);
    const heard = Promise.withResolvers<void>();
    let calls = 0;
    const leave = reader.onChange(() => {
      calls += 1;
      heard.resolve();
    });
    await sink.append({ number: 1, records: [createDecisionRecord(nowMs(), 1)] });
    await heard.promise;
    leave();
    const heardBefore = calls;
    await sink.append({ number: 2, records: [createDecisionRecord(nowMs(), 2)] });
    t.equal(calls, heardBefore);
  });
}

/** What a log promises that outlives its process; `prepare` gives what opens the same one again. */
export async function testPagesOverRestart(
  t: Test,
  prepare: (t: Test) => Promise<() => Promise<OpenReader & { close(): Promise<void> }>>,
): Promise<void> {
  t.test('walks on from a page of before a restart', async (t) => {
    const open = await prepare(t);
    const before = await open();
    const records = Array.from({ length: 30 }, (_, serial) => createDecisionRecord(before.nowMs(), serial));
    await before.sink.append({ number: 1, records });
    const first = await before.reader.query({ caller: 'shop' }, { before: null, limit: 10 });
    await before.close();
    const after = await open();
    const later = createDecisionRecord(after.nowMs(), 99);
    await after.sink.append({ number: 2, records: [later] });
    const seen = ids(recordsOf(first.entries));
    let next = first.next;
    while (next !== null) {
      const page = await after.reader.query({ caller: 'shop' }, { before: next, limit: 7 });
      seen.push(...ids(recordsOf(page.entries)));
      next = page.next;
    }
    t.same(seen, ids(records).reverse());
    t.equal((await after.reader.find(later.decision_id))?.record.decision_id, later.decision_id);
  });
}

async function idsOf(reader: DecisionLogReader, filter: RecordFilter): Promise<readonly string[]> {
  const found: LogRecord[] = [];
  let before: LogPosition | null = null;
  do {
    const page = await reader.query(filter, { before, limit: 10 });
    found.push(...recordsOf(page.entries));
    before = page.next;
  } while (before !== null);
  return ids(found);
}

function recordsOf(entries: readonly LogEntry[]): readonly LogRecord[] {
  return entries.map(({ record }) => record);
}

function ids(records: readonly (LogRecord | undefined)[]): string[] {
  return records.map((record) => (record === undefined ? '' : idOf(record)));
}
