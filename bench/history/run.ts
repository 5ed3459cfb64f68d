import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCountSteps } from '../../src/application/decision-log/count-steps.ts';
import type { DecisionLogReader } from '../../src/application/decision-log/decision-log.ts';
import { planWindow } from '../../src/application/decision-log/plan-window.ts';
import { readPage } from '../../src/application/decision-log/read-pages.ts';
import type { GroupKey } from '../../src/domain/decision-log/group-keys.ts';
import type { RecordFilter } from '../../src/domain/decision-log/record-filter.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';
import { segmentsIn } from '../../src/stores/decision-log/sqlite/segment-files.ts';
import { dayMsOf } from '../../src/stores/decision-log/sqlite/segment-name.ts';
import { openSqliteLog } from '../../src/stores/decision-log/sqlite/sqlite-log.ts';
import { quantile } from '../statistics.ts';
import { type FillReport, fillHistory, summarise } from './fill.ts';
import { hashOfSubject } from './records.ts';

/** One question, and how long it took each time. */
interface Timed {
  readonly name: string;
  readonly aimMs: number;
  readonly firstMs: number;
  readonly firstCpuMs: number;
  readonly times: readonly number[];
  /** CPU of all threads: what it takes on a machine that does nothing else, more or less. */
  readonly cpuMs: readonly number[];
  /** The longest turn of the event loop beside the thread that reads. */
  readonly turnMs: number;
}

interface Question {
  readonly name: string;
  readonly aimMs: number;
  ask(round: number): Promise<unknown>;
}

const DAYS = 30;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const ROUNDS = 20;
const PAGE_AIM_MS = 100;
const SUBJECT_AIM_MS = 50;
const STATS_AIM_MS = 200;

/**
 * Fills a history of a month in SQLite, asks it, and gives both as a table in Markdown. In a directory of the
 * caller's it stays, and what is there already is asked.
 */
export async function measureHistory(records: number, kept: string | null): Promise<string> {
  const directory = kept ?? mkdtempSync(join(tmpdir(), 'riskgate-history-'));
  try {
    mkdirSync(directory, { recursive: true });
    const newest = segmentsIn(directory).at(-1);
    const untilMs = (newest === undefined ? startOfDay(Date.now()) : dayMsOf(newest)) + DAY_MS - 1;
    const title =
      newest === undefined
        ? toTitle(fillHistory(directory, { records, days: DAYS, untilMs }))
        : `${records} records of ${DAYS} days, filled before:`;
    summarise(directory);
    const timed = await askAll(directory, records, untilMs);
    return [
      title,
      '',
      '| question | first ms | p50 ms | p95 ms | first CPU ms | p50 CPU ms | p95 CPU ms | aim ms | longest turn ms |',
      '|---|---|---|---|---|---|---|---|---|',
      ...timed.map(toRow),
    ].join('\n');
  } finally {
    if (kept === null) rmSync(directory, { recursive: true, force: true });
  }
}

function toTitle({ records, bytesPerRecord, microsPerRecord, seconds }: FillReport): string {
  return `${records} records of ${DAYS} days: ${bytesPerRecord.toFixed(0)} bytes and ${microsPerRecord.toFixed(0)} µs of CPU each to write, ${seconds.toFixed(0)} s with their making.`;
}

function startOfDay(timeMs: number): number {
  return timeMs - (timeMs % DAY_MS);
}

function toRow({ name, aimMs, firstMs, firstCpuMs, times, cpuMs, turnMs }: Timed): string {
  const ofTimes = [firstMs, quantile(times, 0.5), quantile(times, 0.95)];
  const ofCpu = [firstCpuMs, quantile(cpuMs, 0.5), quantile(cpuMs, 0.95)];
  const figures = [...ofTimes, ...ofCpu].map((ms) => ms.toFixed(1));
  return `| ${name} | ${figures.join(' | ')} | ${aimMs} | ${turnMs.toFixed(1)} |`;
}

async function askAll(directory: string, records: number, untilMs: number): Promise<readonly Timed[]> {
  const log = await openSqliteLog({
    history: {
      directory,
      isSynced: false,
      retentionMs: 10 * 365 * DAY_MS,
      labelledKeptMs: 0,
      bytesMax: Number.MAX_SAFE_INTEGER,
    },
    // No day after the last one begins: the files stay as they are.
    clock: { ...systemClock, nowMs: () => untilMs },
    onEvent: () => {},
  });
  try {
    const timed: Timed[] = [];
    for (const question of [...toPages(log), ...toSubjects(log, records), ...toStatistics(log, untilMs)])
      timed.push(await time(question));
    return timed;
  } finally {
    await log.close();
  }
}

async function time({ name, aimMs, ask }: Question): Promise<Timed> {
  const watch = watchTurns();
  const times: number[] = [];
  const cpuMs: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [startMs, before] = [performance.now(), process.cpuUsage()];
    await ask(round);
    const { user, system } = process.cpuUsage(before);
    times.push(performance.now() - startMs);
    cpuMs.push((user + system) / 1000);
  }
  const [firstMs = Number.NaN, ...rest] = times;
  const [firstCpuMs = Number.NaN, ...restCpu] = cpuMs;
  return { name, aimMs, firstMs, firstCpuMs, times: rest, cpuMs: restCpu, turnMs: watch.stop() };
}

/** Looks how long the event loop is held. */
function watchTurns() {
  let [lastMs, longestMs, isOver] = [performance.now(), 0, false];
  const look = () => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setTimeout(look, 1);
  };
  look();
  const stop = () => {
    isOver = true;
    return longestMs;
  };
  return { stop };
}

const FILTERS: Readonly<Record<string, RecordFilter>> = {
  'no filter': {},
  verdict: { decision: 'BLOCK' },
  'rule that was true': { rule: { name: 'device-revoked', result: 'true' } },
  'rule that was unknown': { rule: { name: 'STYTCH_BLOCK', result: 'unknown' } },
  'rare country': { country: 'NG' },
  'rare network': { asn: 3_990 },
  'country, verdict and rule': {
    country: 'NG',
    decision: 'BLOCK',
    rule: { name: 'stytch-block', result: 'true' },
  },
  action: { action: 'new_device', decision: 'BLOCK' },
  label: { label: 'fraud' },
  'no label': { label: 'none', decision: 'CHALLENGE' },
  'what there is none of': { caller: 'nobody' },
  'a country there is none of': { country: 'XX' },
};

function toPages(log: DecisionLogReader): readonly Question[] {
  const pages = Object.entries(FILTERS).map(
    ([name, filter]): Question => ({
      name: `page, ${name}`,
      aimMs: PAGE_AIM_MS,
      ask: async () => {
        const { entries } = await readPage(log, filter, { before: null, limit: 50 }, systemClock);
        await log.labelsOf(entries);
      },
    }),
  );
  return [...pages, walkBack(log)];
}

/** Pages one after the other: each round the next. */
function walkBack(log: DecisionLogReader): Question {
  let before: string | null = null;
  return {
    name: 'page, the next of a verdict',
    aimMs: PAGE_AIM_MS,
    ask: async () => {
      const page = await readPage(log, { decision: 'BLOCK' }, { before, limit: 50 }, systemClock);
      before = page.next;
    },
  };
}

function toSubjects(log: DecisionLogReader, records: number): readonly Question[] {
  const accounts = Math.max(100, Math.round(records / 12));
  const some = (round: number) => Math.floor((((round * 7_919) % 101) / 101) ** 1.7 * accounts);
  const subject = (name: string, ask: Question['ask']): Question => ({
    name: `subject, ${name}`,
    aimMs: SUBJECT_AIM_MS,
    ask,
  });
  return [
    subject('account', (round) => log.subject('account', hashOfSubject('a', some(round)))),
    subject('device', (round) => log.subject('device', hashOfSubject('d', some(round) * 2))),
    subject('device of many accounts', (round) => log.subject('device', hashOfSubject('d', round))),
    subject('busiest address', (round) => log.subject('ip', hashOfSubject('i', round % 3))),
    {
      name: 'page, account',
      aimMs: PAGE_AIM_MS,
      ask: (round) => {
        const filter = { account: [hashOfSubject('a', some(round))] };
        return readPage(log, filter, { before: null, limit: 50 }, systemClock);
      },
    },
  ];
}

function toStatistics(log: DecisionLogReader, untilMs: number): readonly Question[] {
  const run = async <Value>(piece: () => Value | Promise<Value>): Promise<Value> => piece();
  const countSteps = createCountSteps({ reader: log, run });
  const window = planLast(DAYS * DAY_MS, untilMs, log);
  const day = planLast(24 * HOUR_MS, untilMs, log);
  const group = (filter: RecordFilter, by: readonly GroupKey[], planned = window) => {
    const span = { since: toRfc3339(planned.sinceMs), until: toRfc3339(planned.untilMs) };
    const { sinceMs, stepMs } = planned;
    return log.group({ filter: { ...filter, ...span }, sinceMs, stepMs, by });
  };
  const stats = (name: string, ask: Question['ask']): Question => ({
    name: `stats, ${name}`,
    aimMs: STATS_AIM_MS,
    ask,
  });
  const span = { since: toRfc3339(window.sinceMs), until: toRfc3339(window.untilMs) };
  return [
    stats('30 d', () => countSteps(window)),
    stats('24 h', () => countSteps(day)),
    stats('30 d by country', () => group({}, ['country'])),
    stats('30 d by verdict and rule', () => group({}, ['decision', 'rule'])),
    stats('30 d by country and rule', () => group({}, ['country', 'rule'])),
    stats('30 d by network and verdict', () => group({}, ['asn', 'decision'])),
    stats('30 d by label and rule', () => group({}, ['label', 'rule'])),
    stats('30 d of a verdict by country', () => group({ decision: 'BLOCK' }, ['country'])),
    stats('30 d of an account', () => group({ account: [hashOfSubject('a', 5)] }, ['decision'])),
    stats('24 h of a verdict by minutes', () => group({ decision: 'BLOCK' }, ['reason'], day)),
    stats('30 d, different subjects', () => log.distinct(span)),
    stats('30 d, different subjects of a verdict', () => log.distinct({ ...span, decision: 'BLOCK' })),
  ];
}

function planLast(windowMs: number, nowMs: number, { minutesKeptMs }: DecisionLogReader) {
  const question = { windowMs, sinceMs: null, untilMs: null, stepMs: null, isCompared: false };
  const planned = planWindow(question, nowMs, minutesKeptMs);
  if (!planned.ok) throw new Error('a window that cannot be planned');
  return planned.value;
}
