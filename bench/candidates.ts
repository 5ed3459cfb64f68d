/**
 * What candidates cost: a service with candidates and one without answer in one process in turns. Prints the
 * ratio of the CPU times of each process, and their median.
 *
 *   node bench/candidates.ts [--candidates=1] [--processes=5]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT } from '../test/support/start-program.ts';
import { createDecideWorkload, type Workload } from './guard/workload.ts';
import { writeCandidates } from './policies.ts';
import { median } from './statistics.ts';

/** Some ten milliseconds: CPU time is counted too coarsely for less. */
const BURST = 100;
const WARM_UP_PAIRS = 60;
const PAIRS = 120;
/** Turns in which all that follows the answers of a burst is done. */
const TURNS = 4;

/** That of the guard, of which its workload knows that it allows. */
const POLICY = join(import.meta.dirname, 'guard/policy.yaml');

const { values } = parseArgs({
  options: {
    candidates: { type: 'string', default: '1' },
    processes: { type: 'string', default: '5' },
    child: { type: 'string' },
  },
});
if (values.child === undefined) compare();
else await measureOne(values.child === 'first');

function compare(): void {
  const ratios = Array.from({ length: Number(values.processes) }, (_, place) => {
    const order = `--child=${place % 2 === 0 ? 'first' : 'second'}`;
    const args = [import.meta.filename, `--candidates=${values.candidates}`, order];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    if (run.status !== 0) throw new Error('a process of the benchmark failed');
    const { ratio, micros } = JSON.parse(run.stdout) as { ratio: number; micros: number };
    console.log(`${ratio.toFixed(3)} (${micros.toFixed(1)} µs)`);
    return ratio;
  });
  const { candidates } = values;
  console.log(
    `with ${candidates} candidates a warm decision takes ${median(ratios).toFixed(3)} of one without`,
  );
}

async function measureOne(areCandidatesFirst: boolean): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-candidates-'));
  const paths = writeCandidates(directory, Number(values.candidates), POLICY);
  const startBare = () => createDecideWorkload(ROOT, () => {});
  const startFull = () => createDecideWorkload(ROOT, () => {}, { POLICY_CANDIDATES: paths.join() });
  // Which is compiled first makes a difference of its own.
  const early = areCandidatesFirst ? await startFull() : await startBare();
  const late = areCandidatesFirst ? await startBare() : await startFull();
  const [full, bare] = areCandidatesFirst ? [early, late] : [late, early];
  await measure(full, bare, WARM_UP_PAIRS);
  console.log(JSON.stringify(await measure(full, bare, PAIRS)));
  rmSync(directory, { recursive: true, force: true });
  process.exit();
}

async function measure(full: Workload, bare: Workload, pairs: number) {
  const costs: { full: number[]; bare: number[] } = { full: [], bare: [] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? (['full', 'bare'] as const) : (['bare', 'full'] as const);
    for (const name of order) costs[name].push(await costOf(name === 'full' ? full : bare));
  }
  const ratios = costs.full.map((cost, pair) => cost / (costs.bare[pair] ?? Number.NaN));
  return { ratio: median(ratios), micros: median(costs.full) / BURST };
}

/** Microseconds of CPU time of one burst, with what follows its answers. */
async function costOf(workload: Workload): Promise<number> {
  const before = process.threadCpuUsage();
  for (let serial = 0; serial < BURST; serial += 1) await workload(serial * 7);
  for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}
