import { z } from 'zod';
import {
  candidateChangedSchema,
  listChangedSchema,
  policyChangedSchema,
  promotionChangedSchema,
  sharedSignalSchema,
  subjectForgottenSchema,
  supersededSchema,
} from '../../domain/decision-log/event-record.ts';
import { decisionFilterShape } from './decision-filter.ts';

// What is new has no label yet.
const { label: _label, ...filterShape } = decisionFilterShape;

/** The query of GET /v1/decisions/stream. */
export const streamQuerySchema = z.strictObject(filterShape);

/** The checked query of the stream. */
export type StreamQuery = z.output<typeof streamQuerySchema>;

/** The headers that the stream reads. */
export const streamHeadersSchema = z.object({
  'last-event-id': z
    .string()
    .regex(/^[!-~]{0,128}$/)
    .optional()
    .describe(
      'The `id` of the last event that was received: the stream goes on after it. Without it, it begins now.',
    ),
});

/**
 * Why a stream ends by our side. `slow_reader`: read faster, or filter more. The client may come back with
 * its `Last-Event-ID` in all cases but `unauthorised`.
 */
const STREAM_ENDS = ['slow_reader', 'draining', 'unauthorised', 'store_unavailable'] as const;

/** Why the service ended a stream. */
export type StreamEnd = (typeof STREAM_ENDS)[number];

/**
 * The `data` of each `event`, beside `decision`, which is a summary as in GET /v1/decisions; its `label` is
 * null, since it is new. A `decision`, a `heartbeat` and what somebody changed have an `id`, which rises as
 * text, so that a stream with filters moves on while nothing fits.
 */
export const streamEventSchemas = {
  /** The first event. */
  ready: z.object({
    resumed: z.boolean().describe('It goes on after `Last-Event-ID`.'),
    heartbeat_seconds: z.int(),
  }),
  /**
   * `not_kept`: the log no longer holds all that followed `Last-Event-ID`. `dropped`: decisions did not reach
   * the log.
   */
  gap: z.object({
    cause: z.enum(['not_kept', 'dropped']),
    dropped: z.int().nullable().describe('How many are missing; null where the number is not known.'),
    from: z.string().nullable().meta({ format: 'date-time' }),
    until: z.string().nullable().meta({ format: 'date-time' }),
  }),
  /** Entries were put on a list or removed from it, on any replica. */
  list_changed: listChangedSchema.omit({ kind: true, event: true }),
  /** A candidate was registered or removed, on any replica. */
  candidate_changed: candidateChangedSchema.omit({ kind: true, event: true }),
  /** Another policy came into force. */
  policy_changed: policyChangedSchema.omit({ kind: true, event: true }),
  /** A promotion was refused, got on, or was taken back. */
  promotion_changed: promotionChangedSchema.omit({ kind: true, event: true }),
  /** What was known of a subject was forgotten. */
  subject_forgotten: subjectForgottenSchema.omit({ kind: true, event: true }),
  /** Others told something of an account or a device. */
  shared_signal: sharedSignalSchema.omit({ kind: true, event: true }),
  /** Decisions that were given of a subject might be others now. */
  'decision.superseded': supersededSchema.omit({ kind: true, event: true }),
  /** At least every 15 seconds where nothing else was sent. */
  heartbeat: z.object({ at: z.string().meta({ format: 'date-time' }) }),
  /** The last event. */
  end: z.object({ cause: z.enum(STREAM_ENDS) }),
} as const;
