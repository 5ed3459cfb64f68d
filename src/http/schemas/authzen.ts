import { z } from 'zod';
import { EVALUATION_SEMANTICS } from '../authzen/run-evaluations.ts';

/** As many as one request may ask about: each is a decision of its own. */
const EVALUATIONS_MAX = 50;

const identifier = z.string().min(1).max(256);
const properties = z.record(z.string(), z.unknown()).optional();

const entity = (id: string, tells: string) =>
  z.looseObject({
    type: z.string().min(1).max(256).describe('Not read: there is one kind.'),
    id: identifier.describe(id),
    properties: properties.describe(tells),
  });

const action = z.looseObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .describe('What the subject is about to do, for example `login`.'),
  properties: properties.describe('Rules read them as `request.properties`.'),
});

const context = z
  .record(z.string(), z.unknown())
  .describe(
    'Read are `telemetry_id`, where neither subject nor resource has one, `ip` and `user_agent` of the end user.',
  );

/** The body of POST /access/v1/evaluation. Fields that it does not name are ignored, as the standard says. */
export const evaluationRequestSchema = z
  .looseObject({
    subject: entity('The account.', '`telemetry_id` is read; rules read the others.'),
    resource: entity('The device id.', '`telemetry_id` is read where the subject has none.'),
    action,
    context: context.optional(),
  })
  .meta({
    examples: [
      {
        subject: { type: 'user', id: 'acct_42', properties: { telemetry_id: 'allow' } },
        action: { name: 'login' },
        resource: { type: 'device', id: 'active' },
        context: { ip: '203.0.113.9' },
      },
    ],
  });

/** One question, checked. */
export type EvaluationRequest = z.output<typeof evaluationRequestSchema>;

const anyObject = z.record(z.string(), z.unknown());

/**
 * The body of POST /access/v1/evaluations, as far as a mistake in it is one of the whole request. What each
 * evaluation has to be is checked one by one.
 */
export const evaluationsRequestSchema = z
  .looseObject({
    subject: anyObject.optional().describe('For every evaluation that has none of its own.'),
    resource: anyObject.optional().describe('Likewise.'),
    action: anyObject.optional().describe('Likewise.'),
    context: anyObject.optional().describe('Likewise.'),
    evaluations: z
      .array(z.unknown())
      .max(EVALUATIONS_MAX)
      .optional()
      .describe('None of them asks one question, as `/access/v1/evaluation` does.'),
    options: z
      .looseObject({
        evaluations_semantic: z
          .enum(EVALUATION_SEMANTICS)
          .optional()
          .describe('`execute_all` unless set. The other two end at the first of the named kind.'),
      })
      .optional(),
  })
  .meta({
    examples: [
      {
        subject: { type: 'user', id: 'acct_42', properties: { telemetry_id: 'allow' } },
        resource: { type: 'device', id: 'active' },
        evaluations: [{ action: { name: 'login' } }, { action: { name: 'payout' } }],
      },
    ],
  });

/** Several questions, of which none is checked. */
export type EvaluationsRequest = z.output<typeof evaluationsRequestSchema>;

const answerContext = z.object({
  decision_id: z.string().optional().describe('UUIDv7 of the decision.'),
  risk_decision: z.enum(['ALLOW', 'CHALLENGE', 'BLOCK']).optional(),
  degraded: z.boolean().optional().describe('Evidence is missing, for example in an outage of a provider.'),
  reason_admin: z
    .record(z.string(), z.string())
    .optional()
    .describe('For administrators, not for users: reason codes, each with its rule and verdict.'),
  acr_values: z
    .string()
    .optional()
    .describe(
      'Only for a CHALLENGE: what a step-up must achieve, one of these words, the least first; empty where any will do.',
    ),
  max_age: z.int().optional().describe('Only for a CHALLENGE: a step-up must be younger, in seconds.'),
  error: z
    .object({ status: z.int(), message: z.string() })
    .optional()
    .describe('Of an evaluation that could not be made; `decision` is false.'),
});

/** One answer. */
export const evaluationSchema = z.object({
  decision: z.boolean().describe('True for ALLOW alone.'),
  context: answerContext.optional(),
});

/** One answer, as it is sent. */
export type Evaluation = z.output<typeof evaluationSchema>;

/** The answer to several questions, or to the one that a request without `evaluations` asks. */
export const evaluationsSchema = z.object({
  evaluations: z.array(evaluationSchema).optional().describe('In the order of the request.'),
  decision: evaluationSchema.shape.decision.optional().describe('Where the request has no `evaluations`.'),
  context: answerContext.optional(),
});

/** What `/.well-known/authzen-configuration` says. */
export const authzenConfigurationSchema = z.object({
  policy_decision_point: z.string().describe('`PUBLIC_URL`.'),
  access_evaluation_endpoint: z.string(),
  access_evaluations_endpoint: z.string(),
});
