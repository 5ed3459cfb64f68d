/**
 * How long a backtest of a history in SQLite takes: the default policy with one rule made stricter, against
 * records of a month that it has judged. What was filled stays in `--directory`, and is judged again the next time.
 *
 *   node bench/backtest.ts [--records=1000000] [--threads=2] [--rounds=3] [--directory=DIR]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { scanLog } from '../src/app/scan-log.ts';
import { toHistoryDirectory } from '../src/stores/decision-log/sqlite/history-directory.ts';
import { segmentsToScan } from '../src/stores/decision-log/sqlite/scan-history.ts';
import { segmentsIn } from '../src/stores/decision-log/sqlite/segment-files.ts';
import { fillHistory } from './history/fill.ts';
import { readMachine } from './machine-report.ts';
import { toStricterPolicy } from './policies.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    directory: { type: 'string' },
  },
});
const DAYS = 30;
const dataDirectory = values.directory ?? mkdtempSync(join(tmpdir(), 'riskgate-backtest-'));
const history = toHistoryDirectory(dataDirectory);
mkdirSync(history, { recursive: true });
if (segmentsIn(history).length === 0)
  fillHistory(history, { records: Number(values.records), days: DAYS, untilMs: Date.now() });
for (let round = 0; round < Number(values.rounds); round += 1)
  console.log(`load ${readMachine().load.toFixed(1)}: ${await backtest()}`);
if (values.directory === undefined) rmSync(dataDirectory, { recursive: true });

async function backtest(): Promise<string> {
  const candidate = toStricterPolicy('stytch-challenge');
  const parts = segmentsToScan(dataDirectory, {});
  const settings = { dataDirectory };
  const question = { sink: 'sqlite', settings, parts, filter: {}, candidate, policies: [candidate] };
  const [startedMs, before] = [performance.now(), process.cpuUsage()];
  const { signal } = new AbortController();
  const { decisions, notReplayable, table } = await scanLog(question, {
    threads: Number(values.threads),
    signal,
    onProgress: () => {},
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  if (notReplayable.size > 0) throw new Error(`not judged: ${[...notReplayable.keys()].join()}`);
  const micros = (user + system) / decisions;
  return `${decisions} decisions in ${seconds.toFixed(1)} s, ${micros.toFixed(1)} us of CPU each; ${table.join(' ')}`;
}
