import { z } from 'zod';
import { challengeFields } from './outcomes.ts';
import { createSubjectFields, ONE_WAY_TO_NAME_A_DEVICE, SUBJECT_IDS } from './subject.ts';

/** The body of POST /v1/step-ups. `deviceProviders` are the keys that `device_ids` may have. */
export function createStepUpRequestSchema(deviceProviders: readonly string[]) {
  const { device_id, device_ids, account_id } = createSubjectFields(deviceProviders);
  return z
    .strictObject({
      telemetry_id: SUBJECT_IDS.telemetry_id.describe(
        'As decisions are asked with: every step-up is for one.',
      ),
      device_id: device_id.describe('As decisions are asked with.'),
      device_ids: device_ids.describe('As decisions are asked with, instead of `device_id`.'),
      account_id: account_id.describe(
        'As decisions are asked with. Where a gateway asks without the account, leave it out here too.',
      ),
      ...challengeFields,
      at: z
        .string()
        .max(40)
        .optional()
        .describe(
          'When the challenge was completed; now otherwise. With it a repeat changes nothing, and does not bring back what was ended since.',
        )
        .meta({ format: 'date-time' }),
    })
    .meta(ONE_WAY_TO_NAME_A_DEVICE);
}

/** The checked body. */
export type StepUpRequest = z.output<ReturnType<typeof createStepUpRequestSchema>>;

/** The answer: what is kept. */
export const stepUpSchema = z.object({
  at: z.string().describe('When the challenge was completed.').meta({ format: 'date-time' }),
  method: z.string().nullable(),
  acr: z.string().nullable(),
});
