import type { Decide } from './decide.ts';
import { createUnaskedDecision, type UnaskedDependencies } from './decide-unasked.ts';

/** The reason code of a subject whose ids can be read in more than one way. */
const SUBJECT_AMBIGUOUS = 'SUBJECT_AMBIGUOUS';

/** Builds the decision on an ambiguous subject: BLOCK under every policy, and no provider is asked. */
export function createBlockAmbiguous(dependencies: UnaskedDependencies): Decide {
  const decideUnasked = createUnaskedDecision(dependencies);
  const reasons = [
    {
      code: SUBJECT_AMBIGUOUS,
      rule: 'subject-ambiguous',
      verdict: 'BLOCK',
      providers: [],
      certain: true,
    },
  ] as const;
  return (subject) => decideUnasked(subject, { verdict: 'BLOCK', reasons });
}
