import type { z } from 'zod';
import { putCandidateAnswerSchema } from '../../http/schemas/policies.ts';

const answerSchema = putCandidateAnswerSchema.pick({ warnings: true });

/** What a service warns of in the answer to a candidate; nothing where an earlier version tells nothing. */
export function readWarnings(body: unknown): z.output<typeof answerSchema>['warnings'] {
  return answerSchema.safeParse(body).data?.warnings ?? [];
}
