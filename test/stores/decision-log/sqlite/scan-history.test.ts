import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { compilePolicyText } from '../../../../src/app/check-file.ts';
import { backtestDecisions } from '../../../../src/application/backtest/backtest-decisions.ts';
import { createPolicyOf } from '../../../../src/application/backtest/policy-of.ts';
import { readAllPages } from '../../../../src/application/decision-log/read-pages.ts';
import { judgeRecord } from '../../../../src/domain/backtest/judge-record.ts';
import { toRecordClasses } from '../../../../src/domain/backtest/record-classes.ts';
import { createTally } from '../../../../src/domain/backtest/tally.ts';
import { toReport } from '../../../../src/domain/backtest/to-report.ts';
import { type DecisionRecord, idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import type { RecordFilter } from '../../../../src/domain/decision-log/record-filter.ts';
import type { CompiledPolicy } from '../../../../src/domain/policy/compile.ts';
import { PROVIDERS } from '../../../../src/providers/registry.ts';
import { HistoryWriter } from '../../../../src/stores/decision-log/sqlite/history-writer.ts';
import { openSqliteReader } from '../../../../src/stores/decision-log/sqlite/open-reader.ts';
import { scanHistory, segmentsToScan } from '../../../../src/stores/decision-log/sqlite/scan-history.ts';
import { CORPUS_VERSIONS, readCorpus } from '../../../support/decision-corpus.ts';
import { createEventRecord, createGapRecord, uuidAt } from '../../../support/decision-records.ts';
import { createDirectory } from '../../../support/test-app.ts';

const DAY_MS = 86_400_000;
const FIRST_MS = Date.parse('2026-03-01T00:00:00Z');
const LABELS = ['fraud', 'legit', 'abandoned'] as const;
/** One in so many decisions of the corpus. */
const SHARE = 22;

t.setTimeout(170_000);

/** Decisions of real services, over three days, each with an id of its own. */
function createRecords(): readonly DecisionRecord[] {
  const lines = CORPUS_VERSIONS.flatMap((version) => readCorpus(version).lines);
  const chosen = lines.filter((_, place) => place % SHARE === 0);
  const stepMs = Math.floor((3 * DAY_MS) / chosen.length);
  return chosen.map((line, place) => {
    const timeMs = FIRST_MS + place * stepMs;
    const record = JSON.parse(line) as DecisionRecord;
    const account = place % 7 === 0 ? null : String(place % 5).padStart(32, 'a');
    const own = { decision_id: uuidAt(timeMs, place), decided_at: new Date(timeMs).toISOString() };
    // Actions are texts of callers: one that looks like a hash stands elsewhere.
    const action = place % 50 === 0 ? 'b'.repeat(32) : record.action;
    return { ...record, ...own, action, subject: { ...record.subject, account } };
  });
}

function createHistory(t: Test, retentionMs = 3_660 * DAY_MS) {
  const dataDirectory = createDirectory(t);
  const directory = join(dataDirectory, 'history');
  mkdirSync(directory);
  const writer = new HistoryWriter({
    directory,
    isSynced: false,
    retentionMs,
    labelledKeptMs: 3_660 * DAY_MS,
    bytesMax: 2 ** 40,
  });
  const records = createRecords();
  let number = 0;
  for (let place = 0; place < records.length; place += 100) {
    const batch = records.slice(place, place + 100);
    const nowMs = Date.parse(batch[0]?.decided_at ?? '');
    const others = [createGapRecord(nowMs, 900_000 + place), createEventRecord(nowMs, 950_000 + place)];
    number += 1;
    const texts = [...others, ...batch].map((record) => JSON.stringify(record));
    writer.append({ writer: 'test', number, texts }, nowMs);
  }
  for (const [place, record] of records.entries()) {
    const label = LABELS[place % LABELS.length] ?? 'fraud';
    if (place % 10 === 0)
      writer.label(idOf(record), { label, at: record.decided_at, note: null, caller: 'c' }, true);
  }
  return { dataDirectory, directory, writer, records };
}

const compile = (text: string) => compilePolicyText(text, PROVIDERS, null);

/** Policies of the corpus that this version takes. */
const CANDIDATES: readonly CompiledPolicy[] = CORPUS_VERSIONS.flatMap((version) =>
  Object.values(readCorpus(version).policies).flatMap((text) => {
    const compiled = compile(text);
    return compiled.ok ? [compiled.value] : [];
  }),
).filter(({ id }, place) => id === 'facts' || place % 4 === 0);

/** By classes, and how many of them were judged. */
function scan(dataDirectory: string, candidate: CompiledPolicy, filter: RecordFilter) {
  const tally = createTally();
  let judged = 0;
  const judge = (record: DecisionRecord) => {
    judged += 1;
    return judgeRecord(candidate, record, null);
  };
  const question = { classes: toRecordClasses(candidate), filter, judge };
  const segments = segmentsToScan(dataDirectory, filter);
  let entries = 0;
  for (const count of scanHistory(dataDirectory, segments, question, tally)) entries += count;
  return { report: toReport(tally, null), judged, entries };
}

async function oneByOne(dataDirectory: string, candidate: CompiledPolicy, filter: RecordFilter) {
  const { reader, close } = openSqliteReader(dataDirectory);
  const tally = createTally();
  const pages = (async function* () {
    for await (const entries of readAllPages(reader, filter, 250)) {
      const labels = await reader.labelsOf(entries);
      yield entries.map(({ record }) => ({ record, labels: labels.get(idOf(record)) ?? [] }));
    }
  })();
  const policyOf = createPolicyOf({ given: [], texts: null, compile });
  await backtestDecisions({ pages, candidate, policyOf, onProgress: () => {} }, tally);
  await close();
  return toReport(tally, null);
}

t.test('comes to what judging one by one does, for each candidate', async (t) => {
  const { dataDirectory, writer, records } = createHistory(t);
  let classes = 0;
  for (const candidate of CANDIDATES) {
    const { report, judged, entries } = scan(dataDirectory, candidate, {});
    t.same(report, await oneByOne(dataDirectory, candidate, {}), candidate.id);
    t.equal(report.decisions, records.length);
    t.ok(entries > records.length, 'gaps and events stand among them');
    classes += judged;
  }
  t.ok(CANDIDATES.length > 10, `${CANDIDATES.length} candidates`);
  t.ok(classes < CANDIDATES.length * records.length, `${classes} classes`);
  writer.close();
});

t.test('takes the same filters', async (t) => {
  const { dataDirectory, writer, records } = createHistory(t);
  const candidate = CANDIDATES.find(({ id }) => id === 'facts');
  if (candidate === undefined) throw new Error('it is there');
  const at = (place: number) => records[place]?.decided_at ?? '';
  const account = '2'.padStart(32, 'a');
  const found: Record<string, number> = {};
  for (const [name, filter] of Object.entries<RecordFilter>({
    since: { since: at(300) },
    until: { until: at(200) },
    'a part of a day': { since: at(100), until: at(120) },
    verdict: { decision: 'BLOCK' },
    label: { label: 'fraud' },
    'no label': { label: 'none' },
    country: { country: 'none' },
    action: { action: 'login' },
    'an action like a hash': { action: 'b'.repeat(32) },
    account: { account: [account] },
    subject: { subject: [account], decision: 'CHALLENGE' },
    nobody: { account: ['c'.repeat(32)] },
  })) {
    const { report } = scan(dataDirectory, candidate, filter);
    t.same(report, await oneByOne(dataDirectory, candidate, filter), name);
    found[name] = report.decisions;
  }
  t.equal(found['a part of a day'], 20);
  t.equal(found['nobody'], 0);
  for (const [name, count] of Object.entries(found))
    t.ok(count < records.length && (count > 0 || name === 'nobody'), `${name}: ${count}`);
  writer.close();
});

t.test('puts records together where only they tell what a candidate reads', async (t) => {
  const { dataDirectory, writer } = createHistory(t);
  for (const when of [
    'stytch.fingerprints.visitor_hash == stytch.fingerprints.browser_hash',
    'stytch.created_at > "2026-03-01T12:00:00Z"',
    'stytch.asn_name == "x" || prefactor.distance_km * 2 > 5',
    'request.action == "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"',
    'cel.bind(s, stytch, s.is_vpn || s.age_seconds > 100)',
    'telemetry.age_seconds * 2 > 100 || telemetry.uses == 2',
  ]) {
    const rules = JSON.stringify([{ id: 'one', when, verdict: 'BLOCK', reason: 'ONE' }]);
    const compiled = compile(`{"policy": "reading", "otherwise": "ALLOW", "rules": ${rules}}`);
    if (!compiled.ok) throw new Error(compiled.mistakes.join());
    const { report } = scan(dataDirectory, compiled.value, {});
    t.same(report, await oneByOne(dataDirectory, compiled.value, {}), when);
    t.ok(report.changes.changed > 0, when);
  }
  writer.close();
});

t.test('reads what is left of days that were thinned', async (t) => {
  const { dataDirectory, writer, records } = createHistory(t, DAY_MS);
  while (writer.tidy(FIRST_MS + 10 * DAY_MS).isMore);
  const [candidate] = CANDIDATES;
  if (candidate === undefined) throw new Error('there are some');
  const { report } = scan(dataDirectory, candidate, {});
  t.same(report, await oneByOne(dataDirectory, candidate, {}));
  t.ok(report.decisions > 0 && report.decisions < records.length, `${report.decisions} are left`);
  writer.close();
});

t.test('fails where a file cannot be read, and passes over one that is being made', async (t) => {
  const { dataDirectory, directory, writer, records } = createHistory(t);
  writer.close();
  const [candidate] = CANDIDATES;
  if (candidate === undefined) throw new Error('there are some');
  writeFileSync(join(directory, '20260310-0001.sqlite'), '');
  t.equal(scan(dataDirectory, candidate, {}).report.decisions, records.length);
  writeFileSync(join(directory, '20260310-0001.sqlite'), 'no database'.repeat(1000));
  t.throws(() => scan(dataDirectory, candidate, {}), { code: /./ });
  t.same(segmentsToScan(dataDirectory, { since: '2026-04-01T00:00:00Z' }), []);
  t.throws(() => segmentsToScan(createDirectory(t), {}), /holds no history/);
  const question = { classes: toRecordClasses(candidate), filter: {}, judge: () => t.fail() as never };
  t.same(
    [...scanHistory(dataDirectory, ['20200101-0001'], question, createTally())],
    [],
    'one that was removed',
  );
});

t.test('tells times apart by the texts that conditions compare them with', async (t) => {
  const { dataDirectory, writer, records } = createHistory(t);
  const times = records.flatMap(({ providers }) => {
    const time = providers['stytch']?.signals?.['created_at'];
    return typeof time === 'string' ? [time] : [];
  });
  const some = times.filter((_, place) => place % 3 === 0).slice(0, 50);
  const compiled = compile(`policy: times
otherwise: ALLOW
rules:
  - { id: then, when: '${some.map((time) => `stytch.created_at == "${time}"`).join(' || ')}', verdict: BLOCK, reason: THEN }
`);
  if (!compiled.ok) throw new Error(compiled.mistakes.join('\n'));
  const { report } = scan(dataDirectory, compiled.value, {});
  t.same(report, await oneByOne(dataDirectory, compiled.value, {}));
  writer.close();
});
