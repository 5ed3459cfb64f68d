import root, { type Test } from 'tap';

/** Where every fuzz test begins unless told otherwise: the same inputs on every machine. */
const SEED = 20_261_120;
/**
 * A machine with other work stops here rather than at the test runner's timeout, with the runs that it had
 * time for.
 */
const TIME_LIMIT_MS = 30_000;

/**
 * The parameters of a fuzz test, said aloud. `FUZZ_SEED` takes another seed, `FUZZ_FACTOR` multiplies the
 * runs and the time: `FUZZ_SEED=$RANDOM FUZZ_FACTOR=20 node test/fuzz/api.test.ts`.
 */
export function fuzzRun(t: Pick<Test, 'comment' | 'setTimeout'>, runs: number) {
  const { FUZZ_SEED: seedText = '', FUZZ_FACTOR: factorText = '' } = process.env;
  const seed = toNumber(seedText, SEED);
  const factor = toNumber(factorText, 1);
  const numRuns = Math.ceil(runs * factor);
  const interruptAfterTimeLimit = TIME_LIMIT_MS * Math.max(1, factor);
  // Several of them stand in one file, and the file's own time is 30 s where it runs alone.
  root.setTimeout(6 * interruptAfterTimeLimit);
  t.setTimeout(3 * interruptAfterTimeLimit);
  t.comment(`FUZZ_SEED=${seed}, ${numRuns} runs`);
  return { seed, numRuns, interruptAfterTimeLimit };
}

function toNumber(text: string, fallback: number): number {
  if (text === '') return fallback;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`not a number: ${text}`);
  return value;
}
