/**
 * `node bench/page.ts`: how the page does in Chromium with many records behind it, while decisions go on.
 * `--records=1000000` of a month are put into a history in SQLite, in `--directory=DIR` where they are kept and found
 * again; `--per-second=500` decisions are asked for. Prints tables in Markdown.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { openBrowser } from '../test/support/browser.ts';
import { PAGE_KEYS, signIn, startDashboardService } from '../test/support/dashboard-service.ts';
import { sampleFrames } from '../test/support/sample-frames.ts';
import { fillHistory } from './history/fill.ts';
import { readMachine, toMachineLines } from './machine-report.ts';
import { quantile } from './statistics.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    directory: { type: 'string' },
    'per-second': { type: 'string', default: '500' },
  },
});
const RECORDS = Number(values.records);
const PER_SECOND = Number(values['per-second']);
const DAYS = 30;
/** In one request: rows come by a few. */
const BATCH = 10;
/** One in so many has a forged telemetry id. */
const FORGED = 10;
/** Subjects that return, so that their evidence is at hand. */
const SUBJECTS = 500;
/** What is looked at, by the query of the page, each twice: what is counted the first time is remembered. */
const VIEWS = ['?window=30d', '?window=30d&decision=BLOCK', '?window=24h', '?window=30d&view=rules'];

const teardowns: (() => unknown)[] = [];
const t = { teardown: (handler: () => unknown) => void teardowns.push(handler) };
try {
  await run();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const end of teardowns.reverse()) await end();
}

async function run(): Promise<void> {
  const before = readMachine();
  const directory = values.directory ?? mkdtempSync(join(tmpdir(), 'riskgate-page-'));
  if (values.directory === undefined) t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  fill(join(directory, 'history'));
  const service = await startDashboardService(t, { DATA_DIR: directory });
  const { open } = await openBrowser(t);
  const page = await open(t, { bypassCSP: true });
  const load = startLoad(service.origin);
  t.teardown(load.stop);
  const startedMs = performance.now();
  await signIn(page, service.origin, VIEWS[0]);
  console.log(`Live ${Math.round(performance.now() - startedMs)} ms after the address was opened.\n`);
  console.log('| view | frames p50/p95/max ms | longest task ms | newest row p50/p95/max ms | oldest row |');
  console.log('|---|---|---|---|---|');
  const stats: Asked[] = [];
  for (const view of [...VIEWS, ...VIEWS])
    stats.push(...(await look(page, `${service.origin}/dashboard${view}`, view)));
  console.log(`\n${load.asked()} decisions were made meanwhile, ${load.refused()} refused.\n`);
  printStats(stats);
  console.log(toMachineLines(before, readMachine(), []).join('\n'));
}

function fill(directory: string): void {
  if (existsSync(directory)) return;
  mkdirSync(directory, { recursive: true });
  const { seconds, bytesPerRecord } = fillHistory(directory, {
    records: RECORDS,
    days: DAYS,
    untilMs: Date.now(),
  });
  console.log(
    `${RECORDS} records, ${bytesPerRecord.toFixed(0)} bytes each, filled in ${seconds.toFixed(0)} s.\n`,
  );
}

/** A question of the page for numbers. */
interface Asked {
  readonly question: string;
  readonly ms: number;
}

async function look(page: Page, url: string, view: string): Promise<readonly Asked[]> {
  await page.goto(url);
  if (view.includes('view=')) await page.waitForLoadState('networkidle').catch(() => {});
  else await page.getByText('Live', { exact: true }).waitFor();
  const { frames, longest, newestRows, oldestRows } = await sampleFrames(page);
  const cells = [frames, newestRows, oldestRows].map(({ p50, p95, max }) => `${p50}/${p95}/${max}`);
  console.log(`| \`${view}\` | ${cells[0]} | ${longest} | ${cells[1]} | ${cells[2]} |`);
  const entries = (await page.evaluate(
    "performance.getEntriesByType('resource').map(({ name, duration }) => [name, duration])",
  )) as readonly (readonly [string, number])[];
  return entries.flatMap(([name, ms]) => {
    const { pathname, search } = new URL(name);
    return /^\/v1\/(stats|decisions$|subjects)/.test(pathname) ? [{ question: pathname + search, ms }] : [];
  });
}

function printStats(asked: readonly Asked[]): void {
  console.log('| question | asked | first ms | p50 ms | p95 ms |\n|---|---|---|---|---|');
  const questions = new Map<string, number[]>();
  for (const { question, ms } of asked) questions.set(question, [...(questions.get(question) ?? []), ms]);
  for (const [question, times] of [...questions].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const [p50, p95] = [0.5, 0.95].map((at) => quantile(times, at).toFixed(0));
    console.log(`| \`${question}\` | ${times.length} | ${times[0]?.toFixed(0)} | ${p50} | ${p95} |`);
  }
}

/** Asks for decisions in batches, which cost this process little. */
function startLoad(origin: string) {
  const over = new AbortController();
  let [asked, refused, serial] = [0, 0, 0];
  const ask = async (): Promise<void> => {
    const items = Array.from({ length: BATCH }, () => {
      serial += 1;
      const number = serial % SUBJECTS;
      return {
        telemetry_id: `${serial % FORGED === 0 ? 'forged' : 'allow'}-page-${number}`,
        device_id: 'active',
        account_id: `acct-${number}`,
        action: 'login',
      };
    });
    const response = await fetch(`${origin}/v1/decide/batch`, {
      method: 'POST',
      headers: { 'x-api-key': PAGE_KEYS.caller, 'content-type': 'application/json' },
      body: JSON.stringify({ items }),
      signal: over.signal,
    });
    const made = (await response.text()).split('"status":200').length - 1;
    asked += made;
    refused += BATCH - made;
  };
  const run = async (): Promise<void> => {
    const startedMs = performance.now();
    for (let turn = 1; !over.signal.aborted; turn += 1) {
      void ask().catch(() => {
        refused += BATCH;
      });
      await delay(Math.max(1, startedMs + (turn * BATCH * 1_000) / PER_SECOND - performance.now()));
    }
  };
  const ended = run();
  return {
    asked: () => asked,
    refused: () => refused,
    stop: async () => {
      over.abort();
      await ended;
    },
  };
}
