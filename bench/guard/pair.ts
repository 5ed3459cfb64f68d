/**
 * One process of the guard: lets the service of this checkout and that of another answer in turns of a few
 * milliseconds, and prints the ratio of their CPU time.
 *
 *   node bench/guard/pair.ts <other checkout> [--burden 0.1] [--other-first]
 *
 * The burden is work within each of our decisions, as a share of what a decision takes.
 */
import { parseArgs } from 'node:util';
import { ROOT } from '../../test/support/start-program.ts';
import { median } from '../statistics.ts';
import { createDecideWorkload, type Workload } from './workload.ts';

const BURST = 50;
const WARM_UP_BURSTS = 80;
const PAIRS = 120;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { burden: { type: 'string', default: '0' }, 'other-first': { type: 'boolean', default: false } },
});
const [otherRoot = ROOT] = positionals;
let burdenTurns = 0;
let sum = 0;
const startOurs = () => createDecideWorkload(ROOT, () => spin(burdenTurns));
const startOther = () => createDecideWorkload(otherRoot, () => spin(0));
// Which is compiled first makes a difference of its own.
const early = values['other-first'] ? await startOther() : await startOurs();
const late = values['other-first'] ? await startOurs() : await startOther();
const [ours, other] = values['other-first'] ? [late, early] : [early, late];

await measure(WARM_UP_BURSTS);
const share = Number(values.burden);
if (share > 0) burdenTurns = turnsIn(share * (await measure(PAIRS / 4)).micros);
console.log(JSON.stringify(await measure(PAIRS)));
process.exit();

/** The medians of the ratios, and of our microseconds for one decision. */
async function measure(pairs: number): Promise<{ ratio: number; micros: number }> {
  const ratios: number[] = [];
  const micros: number[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const isOtherFirst = pair % 2 === 0;
    const first = await costOf(isOtherFirst ? other : ours);
    const second = await costOf(isOtherFirst ? ours : other);
    const [own, others] = isOtherFirst ? [second, first] : [first, second];
    ratios.push(own / others);
    micros.push(own / BURST);
  }
  return { ratio: median(ratios), micros: median(micros) };
}

/** Microseconds of this thread for one burst: other threads and programs do not count. */
async function costOf(workload: Workload): Promise<number> {
  const before = process.threadCpuUsage();
  for (let serial = 0; serial < BURST; serial += 1) await workload(serial * 7);
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

function spin(turns: number): void {
  for (let turn = 0; turn < turns; turn += 1) sum = (sum * 31 + turn) | 0;
}

/** How often the loop turns in so many microseconds of this thread. */
function turnsIn(micros: number): number {
  const turns = 10_000_000;
  spin(turns);
  const before = process.threadCpuUsage();
  spin(turns);
  const { user, system } = process.threadCpuUsage(before);
  return Math.round((turns * micros) / (user + system));
}
