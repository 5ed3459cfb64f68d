/**
 * `npm run test:speed`: fails when a warm decision takes a tenth longer than in the version that
 * bench/guard/baseline.txt names. Several processes compare the two in turns of milliseconds; their mean
 * counts.
 *
 *   npm run test:speed -- --write          makes HEAD the version to compare with
 *   npm run test:speed -- --burden 0.1     shows that a loss of a tenth fails
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../../test/support/start-program.ts';

const BASELINE_FILE = join(import.meta.dirname, 'baseline.txt');
/** Between a noise of some percent and the tenth that is to be found. */
const RATIO_MAX = 1.055;
/**
 * V8 compiles each process a little differently, by some 2 %. What is not clear after a few of them is looked
 * at by more.
 */
const PROCESSES = 5;
const MORE_PROCESSES = 6;
const CLEAR = { good: 1.035, bad: 1.075 } as const;

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, burden: { type: 'string', default: '0' } },
});
if (values.write) writeBaseline();
else process.exitCode = guard();

function writeBaseline(): void {
  writeFileSync(BASELINE_FILE, git('rev-parse', 'HEAD'));
  console.log('the version to compare with is HEAD now; commit bench/guard/baseline.txt');
}

function guard(): number {
  const baseline = readFileSync(BASELINE_FILE, 'utf8').trim();
  if (!isKnown(baseline)) {
    console.log(`nothing is compared: this clone lacks ${baseline.slice(0, 7)}; fetch the whole history`);
    console.log('0 passed, 0 failed');
    return 0;
  }
  const directory = checkOut(baseline);
  try {
    const ratios = measure(directory, 0, PROCESSES);
    const early = toMean(ratios);
    if (early > CLEAR.good && early < CLEAR.bad)
      ratios.push(...measure(directory, PROCESSES, MORE_PROCESSES));
    const ratio = toMean(ratios);
    const isGood = ratio <= RATIO_MAX;
    console.log(`a warm decision takes ${ratio.toFixed(3)} of ${baseline.slice(0, 7)}, at most ${RATIO_MAX}`);
    if (ratio < 2 - RATIO_MAX) console.log('it is faster: npm run test:speed -- --write keeps it so');
    console.log(isGood ? '1 passed, 0 failed' : '0 passed, 1 failed');
    return isGood ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Without the least and the greatest, one of which may be an accident. */
function toMean(ratios: readonly number[]): number {
  const kept = ratios.toSorted((left, right) => left - right).slice(1, -1);
  return kept.reduce((sum, ratio) => sum + ratio, 0) / kept.length;
}

/** The files of that version which run a service, with the packages of this one. */
function checkOut(commit: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-baseline-'));
  const archive = join(directory, 'baseline.tar');
  git('archive', `--output=${archive}`, commit, 'src', 'policies', 'test/support', 'package.json');
  execFileSync('tar', ['-xf', archive, '-C', directory]);
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

/** A shallow clone, or an archive of the files, has no version to compare with. */
function isKnown(commit: string): boolean {
  const asked = spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: ROOT, stdio: 'ignore' });
  return asked.status === 0;
}

function measure(directory: string, first: number, count: number): number[] {
  return Array.from({ length: count }, (_, place) => {
    const order = (first + place) % 2 === 0 ? [] : ['--other-first'];
    const pair = join(import.meta.dirname, 'pair.ts');
    const run = spawnSync(process.execPath, [pair, directory, '--burden', values.burden, ...order], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (run.status !== 0) throw new Error('a process of the guard failed');
    const { ratio, micros } = JSON.parse(run.stdout) as { ratio: number; micros: number };
    console.log(`${ratio.toFixed(3)} (${micros.toFixed(1)} µs)`);
    return ratio;
  });
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' });
}
