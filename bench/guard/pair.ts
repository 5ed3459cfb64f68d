/**
 * One process of the guard: lets the service of this checkout and that of another answer in turns of a few
 * milliseconds, and prints the ratio of the times that they take undisturbed.
 *
 *   node bench/guard/pair.ts <other checkout> [--burden 0.1] [--other-first] [--policy a --other-policy b]
 *     [--subjects 3000]
 *
 * Without another checkout it is this one, by another policy.
 * The burden is work within each of our decisions, as a share of what a decision takes. Each burst asks about the
 * same subjects, or about the next of as many as are given.
 */
import { parseArgs } from 'node:util';
import { ROOT } from '../../test/support/start-program.ts';
import { quantile } from '../statistics.ts';
import { createDecideWorkload, type Workload } from './workload.ts';

/** Two milliseconds: shorter than a turn of another program on the same core. */
const BURST = 20;
const WARM_UP_PAIRS = 250;
const PAIRS = 400;
/**
 * Bursts that another program interrupted are far above this quantile. CPU time would leave them out, but
 * kernels that count it by the tick (4 ms) do so too coarsely.
 */
const UNDISTURBED = 0.25;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    burden: { type: 'string', default: '0' },
    'other-first': { type: 'boolean', default: false },
    policy: { type: 'string' },
    'other-policy': { type: 'string' },
    subjects: { type: 'string' },
  },
});
const [otherRoot = ROOT] = positionals;
const subjects = values.subjects === undefined ? undefined : Number(values.subjects);
let burdenTurns = 0;
let sum = 0;
const startOurs = () =>
  createDecideWorkload(ROOT, () => spin(burdenTurns), policyOf(values.policy), subjects);
const startOther = () =>
  createDecideWorkload(otherRoot, () => spin(0), policyOf(values['other-policy']), subjects);
// Which is compiled first makes a difference of its own.
const early = values['other-first'] ? await startOther() : await startOurs();
const late = values['other-first'] ? await startOurs() : await startOther();
const [ours, other] = values['other-first'] ? [late, early] : [early, late];

await measure(WARM_UP_PAIRS);
const share = Number(values.burden);
if (share > 0) burdenTurns = turnsIn(share * (await measure(PAIRS / 4)).micros);
console.log(JSON.stringify(await measure(PAIRS)));
process.exit();

/** The ratio of the two, and our microseconds for one decision. */
async function measure(pairs: number): Promise<{ ratio: number; micros: number }> {
  const own: number[] = [];
  const others: number[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const isOtherFirst = pair % 2 === 0;
    const from = subjects === undefined ? 0 : pair * BURST;
    const first = await costOf(isOtherFirst ? other : ours, from);
    const second = await costOf(isOtherFirst ? ours : other, from);
    own.push(isOtherFirst ? second : first);
    others.push(isOtherFirst ? first : second);
  }
  const micros = quantile(own, UNDISTURBED) / BURST;
  return { ratio: micros / (quantile(others, UNDISTURBED) / BURST), micros };
}

/** Microseconds of one burst. */
async function costOf(workload: Workload, from: number): Promise<number> {
  const startedMs = performance.now();
  for (let serial = 0; serial < BURST; serial += 1) await workload((from + serial) * 7);
  return (performance.now() - startedMs) * 1000;
}

function policyOf(file: string | undefined): Record<string, string> {
  return file === undefined ? {} : { POLICY_FILE: file };
}

function spin(turns: number): void {
  for (let turn = 0; turn < turns; turn += 1) sum = (sum * 31 + turn) | 0;
}

/** How often the loop turns in so many microseconds, undisturbed. */
function turnsIn(micros: number): number {
  // About as many as one decision gets, so that the loop is compiled as it is there.
  const turns = 10_000;
  const runs = Array.from({ length: 500 }, () => {
    const startedMs = performance.now();
    spin(turns);
    return performance.now() - startedMs;
  });
  return Math.round((turns * micros) / 1000 / quantile(runs, UNDISTURBED));
}
