import { z } from 'zod';
import { LABELS_MAX, outcomeLabelSchema, SAID_LABELS } from '../../domain/decision-log/outcome-label.ts';
import { acrName, methodName } from '../../domain/step-up/challenge-names.ts';
import { labelSchema } from './decisions.ts';

/** How a challenge was completed. */
export const challengeFields = {
  method: methodName
    .optional()
    .describe(
      'How the challenge was completed, such as the names of RFC 8176 (`otp`, `hwk`). No identifiers.',
    ),
  acr: acrName
    .optional()
    .describe(
      'What it achieved: `acr` of OpenID Connect, which rules compare with `min_acr`. No identifiers.',
    ),
};

/** `\p{Cc}` in full: not every language in which clients are generated knows it. */
export const NO_CONTROL_CHARACTER = String.raw`^[^\x00-\x1f\x7f-\x9f]*$`;

/** The body of POST /v1/decisions/{decision_id}/outcome. */
export const outcomeRequestSchema = z.strictObject({
  label: z
    .enum(SAID_LABELS)
    .describe(
      '`withdrawn` takes back what was said before: the decision has no label then. It takes no `at`.',
    ),
  at: z
    .string()
    .max(40)
    .optional()
    .describe(
      'When it turned out; now otherwise. Of several labels that with the latest time counts. A challenge that is passed once more for one decision needs it: without it, the step-up has the time at which `challenge_passed` was first said.',
    )
    .meta({ format: 'date-time' }),
  note: z
    .string()
    .max(200)
    .regex(new RegExp(NO_CONTROL_CHARACTER))
    .optional()
    .describe(
      'For people. No identifiers: what looks like one (an e-mail or IP address, a long number, a hash) is refused.',
    ),
  labels_seen: z
    .int()
    .min(0)
    .max(LABELS_MAX)
    .optional()
    .describe(
      'How many labels the decision has, as far as the caller knows: where it has others by now, nothing is recorded, and the answer is 409. So nobody takes back what somebody else has said meanwhile.',
    ),
  ...challengeFields,
});

/** The checked body that tells what a decision turned out to be. */
export type OutcomeRequest = z.output<typeof outcomeRequestSchema>;

/** The answer: the label that counts, and all of them. */
export const outcomeSchema = z.object({
  decision_id: z.string(),
  label: labelSchema,
  labels: z.array(outcomeLabelSchema).describe('Every label that was given, the latest last.'),
});
