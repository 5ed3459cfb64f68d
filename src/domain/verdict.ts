/**
 * What riskgate answers, from the mildest to the strictest. The order of this list is the order of
 * strictness.
 */
export const VERDICTS = ['ALLOW', 'CHALLENGE', 'BLOCK'] as const;

/** CHALLENGE means BLOCK until the caller has completed its own step-up. */
export type Verdict = (typeof VERDICTS)[number];

/** The place of a verdict in the order ALLOW (0) < CHALLENGE (1) < BLOCK (2). */
export function strictnessOf(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}

/** The stricter of two verdicts. */
export function stricterOf(left: Verdict, right: Verdict): Verdict {
  return strictnessOf(left) >= strictnessOf(right) ? left : right;
}
