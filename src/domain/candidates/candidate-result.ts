import { z } from 'zod';
import { decisionFields } from '../decision-fields.ts';
import { VERDICTS, type Verdict } from '../verdict.ts';

/**
 * Why a candidate did not judge a decision. `not_fetched`: it reads what was not asked for. `late`: what was
 * asked for it was not there when the answer was. `overload`: too many decisions waited for their candidates.
 * `failed`: it could not be run, which is a defect.
 */
export const NOT_JUDGED = ['not_fetched', 'late', 'overload', 'failed'] as const;

/** One of them. */
export type NotJudged = (typeof NOT_JUDGED)[number];

/** What one candidate came to for one decision. */
export const candidateResultSchema = z.object({
  policy: decisionFields.policy.describe('The candidate.'),
  decision: z
    .enum(VERDICTS)
    .nullable()
    .describe('What it would have decided of the same evidence; null where it did not judge.'),
  reasons: decisionFields.reasons,
  not_judged: z
    .object({
      why: z.enum(NOT_JUDGED),
      signals: z
        .array(z.string())
        .readonly()
        .describe('What it reads and nobody asked for, of `not_fetched`.'),
    })
    .nullable()
    .describe('Why it did not judge; null where it did.'),
});

/** What one candidate came to for one decision, as a record has it. */
export type CandidateResult = z.output<typeof candidateResultSchema>;

/** What stands in a transition for a candidate that did not judge. */
const UNKNOWN_END = 'not_judged';

/** The part of a result that says what it changes. */
export interface CandidateVerdict {
  readonly policy: { readonly hash: string };
  readonly decision: Verdict | null;
}

/**
 * What a candidate makes of a verdict: `<hash>/ALLOW/BLOCK`, the verdict that was answered first, also where it
 * stays the same; `<hash>/not_judged` where the candidate did not judge.
 */
export function toTransition(answered: Verdict, { policy, decision }: CandidateVerdict): string {
  return decision === null ? `${policy.hash}/${UNKNOWN_END}` : `${policy.hash}/${answered}/${decision}`;
}

/** A transition that a filter may name. */
export const TRANSITION = new RegExp(
  `^sha256:[0-9a-f]{64}/(${UNKNOWN_END}|(${VERDICTS.join('|')})/(${VERDICTS.join('|')}))$`,
);
