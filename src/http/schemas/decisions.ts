import { z } from 'zod';
import { type DecisionRecord, decisionRecordSchema } from '../../domain/decision-log/decision-record.ts';
import { labelInForce, OUTCOME_LABELS, type OutcomeLabel } from '../../domain/decision-log/outcome-label.ts';
import { decisionFilterShape } from './decision-filter.ts';

/** Decisions on a page where the query does not say. */
export const LIMIT_DEFAULT = 50;

/** The query of GET /v1/decisions. */
export const decisionsQuerySchema = z.strictObject({
  ...decisionFilterShape,
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/)
    .optional()
    .describe(`Decisions on a page, 1 to 100; ${LIMIT_DEFAULT} otherwise.`),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,512}$/)
    .optional()
    .describe('`next_cursor` of the page before, with the same filters. Opaque.'),
});

/** The checked query of the list. */
export type DecisionsQuery = z.output<typeof decisionsQuerySchema>;

const record = decisionRecordSchema.shape;

/** The label in force, as answers spell it. */
export const labelSchema = z
  .enum(OUTCOME_LABELS)
  .nullable()
  .describe('The label that counts: the latest. Null until a label is reported, and when it was withdrawn.');

/**
 * A decision in lists and streams: what a table shows. The rest of its record is at
 * GET /v1/decisions/{decision_id}.
 */
export const decisionSummarySchema = decisionRecordSchema
  .omit({
    version: true,
    kind: true,
    request: true,
    custody: true,
    activity: true,
    step_up: true,
    lists: true,
    shared: true,
    contradictions: true,
    rules: true,
    candidates: true,
  })
  .extend({
    providers: z.record(z.string(), record.providers.valueType.omit({ signals: true, request_id: true })),
    label: labelSchema,
  });

/** What a list shows of one decision, as the wire spells it. */
export type DecisionSummary = z.output<typeof decisionSummarySchema>;

/** The answer of GET /v1/decisions. */
export const decisionsSchema = z.object({
  decisions: z
    .array(decisionSummarySchema)
    .describe(
      'Newest first, by when they reached the log. A page may hold fewer than its limit, or none, and have a next one all the same: one request looks through the log for a bounded time.',
    ),
  next_cursor: z
    .string()
    .nullable()
    .describe('For the decisions before these; null when there are none. New decisions do not move it.'),
});

/** A record as lists and streams show it. */
export function toDecisionSummary(made: DecisionRecord, labels: readonly OutcomeLabel[]): DecisionSummary {
  const {
    version: _version,
    kind: _kind,
    request: _request,
    custody: _custody,
    rules: _rules,
    ...rest
  } = made;
  const {
    activity: _activity,
    step_up: _stepUp,
    lists: _lists,
    shared: _shared,
    contradictions: _contradictions,
    candidates: _candidates,
    ...shown
  } = rest;
  const providers: DecisionSummary['providers'] = {};
  for (const [id, use] of Object.entries(made.providers)) {
    const { signals: _signals, request_id: _requestId, ...rest } = use;
    providers[id] = rest;
  }
  return { ...shown, providers, label: labelInForce(labels) };
}
