import { z } from 'zod';
import { limitFields } from './decide.ts';
import type { JsonSchema } from './json-schema.ts';
import { createSubjectFields, ONE_WAY_TO_NAME_A_DEVICE } from './subject.ts';

/** One request asks about a login page's worth of subjects, not about a table. */
const ITEMS_MAX = 50;

/** One item of POST /v1/decide/batch. `deviceProviders` are the keys that `device_ids` may have. */
export function createBatchItemSchema(deviceProviders: readonly string[]) {
  return z.strictObject(createSubjectFields(deviceProviders)).meta(ONE_WAY_TO_NAME_A_DEVICE);
}

/** A validated item. */
export type BatchItem = z.output<ReturnType<typeof createBatchItemSchema>>;

/** The body of POST /v1/decide/batch, around items that `item` describes. */
export function createBatchRequestSchema<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z
      .array(item)
      .min(1)
      .max(ITEMS_MAX)
      .describe('What to decide about. Each is checked, counted, decided and recorded by itself.'),
    ...limitFields,
    deadline_ms: limitFields.deadline_ms.describe(
      'The one deadline of all items. Can only lower the configured one.',
    ),
  });
}

/** The body before its items are checked. */
export type BatchRequest = z.output<ReturnType<typeof createBatchRequestSchema<z.ZodUnknown>>>;

/** The answer: one entry for each item, in their order. `decision` and `problem` refer to shared schemas. */
export function createBatchAnswerSchema(decision: JsonSchema, problem: JsonSchema): JsonSchema {
  return {
    type: 'object',
    required: ['items'],
    properties: {
      items: {
        description: 'One entry for each item of the request, in their order.',
        type: 'array',
        items: {
          type: 'object',
          required: ['status'],
          properties: {
            status: {
              description: 'What a request of its own would have been answered with; 200 for a decision.',
              type: 'integer',
            },
            answer: { description: 'The decision; absent otherwise.', ...decision },
            problem: {
              description: 'Why there is none; absent otherwise. Treat it as a CHALLENGE.',
              ...problem,
            },
            retry_after_seconds: {
              description: 'When another try of this item makes sense; absent where it does not.',
              type: 'integer',
            },
            idempotency_replayed: {
              description: 'True when this is the stored answer to an earlier request; absent otherwise.',
              type: 'boolean',
            },
          },
        },
      },
    },
  };
}
