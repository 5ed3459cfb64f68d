/** Below this the series is not exact enough, and a sum is. */
const SERIES_FROM = 32;
const LOG_FACTORIALS = smallLogFactorials();

function smallLogFactorials(): readonly number[] {
  const logs = [0];
  for (let n = 1; n < SERIES_FROM; n += 1) logs.push((logs[n - 1] ?? 0) + Math.log(n));
  return logs;
}

/**
 * The natural logarithm of n!, n a whole number from 0: Stirling's series to the third term (NIST DLMF 5.11.1), to
 * 1e-10 of the value.
 */
export function logFactorial(n: number): number {
  const known = LOG_FACTORIALS[n];
  if (known !== undefined) return known;
  return (
    (n + 0.5) * Math.log(n) -
    n +
    0.5 * Math.log(2 * Math.PI) +
    1 / (12 * n) -
    1 / (360 * n ** 3) +
    1 / (1260 * n ** 5)
  );
}

/** A term that adds less than this to the sum adds nothing. */
const NEGLIGIBLE = 1e-12;

/**
 * The probability of `hits` or fewer in `trials` of probability `share`, which is inside (0, 1): the terms from the
 * greatest down, as long as they matter. `hits` is below `trials * share`, so that they only fall.
 */
function atMost(hits: number, trials: number, share: number): number {
  const odds = (1 - share) / share;
  let term = Math.exp(
    logFactorial(trials) -
      logFactorial(hits) -
      logFactorial(trials - hits) +
      hits * Math.log(share) +
      (trials - hits) * Math.log1p(-share),
  );
  let sum = term;
  for (let k = hits; k > 0 && term > sum * NEGLIGIBLE; k -= 1) {
    term *= (k / (trials - k + 1)) * odds;
    sum += term;
  }
  return sum;
}

/** How often a bound may be wrong: one time in twenty. */
const ERROR = 0.05;
/** The distance between two numbers near 1, and more than a thousandth of a decision in a billion. */
const STEPS = 52;

/** Halves an interval until it is as good as a point: the least share that `isAbove`. */
function findShare(fromShare: number, toShare: number, isAbove: (share: number) => boolean): number {
  let [low, high] = [fromShare, toShare];
  for (let step = 0; step < STEPS; step += 1) {
    const middle = (low + high) / 2;
    if (isAbove(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * The upper end of the one-sided 95 % interval of Clopper and Pearson (Biometrika 26, 1934) for the share behind
 * `hits` of `trials`: were the true share greater, so few hits would be seen at most one time in twenty. It is never
 * too low, for any number of trials. 1 where there are none.
 */
export function upperBound(hits: number, trials: number): number {
  if (hits >= trials) return 1;
  return findShare(hits / trials, 1, (share) => share >= 1 || atMost(hits, trials, share) <= ERROR);
}

/**
 * The lower end of a 95 % confidence sequence for the share behind `hits` of `trials` (the mixture of Robbins, Ann.
 * Math. Stat. 41, 1970, with a uniform weight): whoever looks after every trial finds it above the true share at
 * any time with a probability of at most one in twenty. A plain interval would be wrong sooner or later, since it is
 * looked at again and again. 0 where nothing was hit.
 */
export function lowerBoundAnytime(hits: number, trials: number): number {
  if (hits === 0) return 0;
  const misses = trials - hits;
  const logMixture = logFactorial(hits) + logFactorial(misses) - logFactorial(trials + 1);
  const isPossible = (share: number) => {
    const missed = misses === 0 ? 0 : misses * Math.log1p(-share);
    return logMixture - hits * Math.log(share) - missed < -Math.log(ERROR);
  };
  return findShare(0, hits / trials, isPossible);
}
