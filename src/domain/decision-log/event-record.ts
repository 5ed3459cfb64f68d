import { z } from 'zod';
import { LIST_PARTS } from '../lists/list-part.ts';
import { POLICY_CAUSES } from '../policy-in-force/policy-record.ts';
import { PROMOTION_CHECKS } from '../promotion/check-promotion.ts';
import { PROMOTION_CHANGES } from '../promotion/promotion-change.ts';
import { SHARED_EVENTS } from '../shared-signals/shared-events.ts';
import { VERDICTS } from '../verdict.ts';

const time = z.string().describe('RFC 3339 in UTC with milliseconds.').meta({ format: 'date-time' });

/** An entry of a list, as records and answers show it. */
export const listEntrySchema = z.object({
  id: z.string().describe('Made of the part and its value, so that the same value has the same id.'),
  part: z.enum(LIST_PARTS),
  value: z
    .string()
    .describe('A keyed hash; a network, the number of an autonomous system or a country as it is.'),
  hash_key: z
    .string()
    .nullable()
    .describe('The id of the hash key of the value; null where the value is no hash.'),
  added_at: time,
  added_by: z.string().describe('The id of the API key.'),
  expires_at: time.nullable(),
  note: z.string().nullable(),
});

const eventFields = {
  kind: z.literal('event'),
  event_id: z.string().describe('A UUIDv7.'),
  at: time,
  caller: z.string().describe('The id of the API key of who did it.'),
  request_id: z.string().nullable(),
};

/** Entries were put on a list, or removed from it: of an import many at a time. */
export const listChangedSchema = z.object({
  ...eventFields,
  event: z.literal('list_changed'),
  list: z.string(),
  change: z.enum(['put', 'removed']),
  entries: z.array(listEntrySchema).readonly(),
});

/** A policy was registered as a candidate, or is none any more. */
export const candidateChangedSchema = z.object({
  ...eventFields,
  event: z.literal('candidate_changed'),
  change: z.enum(['put', 'removed']),
  policy: z.object({ id: z.string(), hash: z.string() }),
  replaced: z.string().nullable().describe('The hash of the candidate that it replaced; null for none.'),
});

/** Another policy came into force: on all replicas, or from the file of one. */
export const policyChangedSchema = z.object({
  ...eventFields,
  caller: z
    .string()
    .describe('The id of the API key of who did it; empty for a file, and for riskgate itself.'),
  event: z.literal('policy_changed'),
  change: z
    .enum(POLICY_CAUSES)
    .describe('`file`: one replica took its file. `released`: the files of replicas count again.'),
  policy: z.object({ id: z.string(), hash: z.string() }),
  previous: z.string().nullable().describe('The hash of what was in force before.'),
  reason: z.string().nullable().describe('What brought it about, where riskgate did it by itself.'),
});

/** One check of a promotion, as records and answers show it. */
export const promotionCheckSchema = z.object({
  id: z.enum(PROMOTION_CHECKS),
  passed: z.boolean(),
  measured: z
    .number()
    .nullable()
    .describe('A count, or a share of 0 to 1; null where it is not known, or nothing is measured.'),
  bound: z
    .number()
    .nullable()
    .describe(
      'Of a share: with 95 % confidence it is not greater, or, while the new policy answers, not less. Null for a count.',
    ),
  limit: z.number().nullable(),
  detail: z.string(),
});

/** A promotion was refused, or got on, or was taken back. */
export const promotionChangedSchema = z.object({
  ...eventFields,
  caller: z.string().describe('The id of the API key of who did it; empty for riskgate itself.'),
  event: z.literal('promotion_changed'),
  change: z.enum(PROMOTION_CHANGES),
  policy: z.object({ id: z.string(), hash: z.string() }).describe('The new policy.'),
  previous: z.string().describe('The hash of the policy that it replaces, or was to replace.'),
  share: z.number().describe('Of accounts, 0 to 1, that the new policy answers from then on.'),
  checks: z.array(promotionCheckSchema).readonly().describe('By which it was done, or refused.'),
});

/** Hashes of what was named. */
const subjectSchema = z.object({
  hash_key: z.string(),
  telemetry: z.string().nullable(),
  device: z.string().nullable(),
  account: z.string().nullable(),
});

/** What was known of a subject was forgotten. */
export const subjectForgottenSchema = z.object({
  ...eventFields,
  event: z.literal('subject_forgotten'),
  subject: subjectSchema,
  forgotten: z
    .record(z.string(), z.int().nullable())
    .describe('How many entries of each memory were removed; null where that is not counted.'),
});

/** Others told something of an account or a device, by a security event token. */
export const sharedSignalSchema = z.object({
  ...eventFields,
  caller: z.string().describe('The id of the API key that the transmitter used; empty where it was asked.'),
  event: z.literal('shared_signal'),
  stream: z.string().describe('The name of the stream.'),
  signal: z.enum(SHARED_EVENTS),
  state: z.enum(['begun', 'ended']),
  happened_at: time,
  subject: subjectSchema,
});

/** What can change a decision that was given. */
const SUPERSEDE_CAUSES = [
  'list_changed',
  'subject_forgotten',
  'shared_signal',
  'evidence_purged',
  'labelled_fraud',
  'fraud_withdrawn',
  'device_revoked',
] as const;

/** One of them. */
export type SupersedeCause = (typeof SUPERSEDE_CAUSES)[number];

/** Decisions that were given of a subject might be others now. */
export const supersededSchema = z.object({
  ...eventFields,
  caller: z.string().describe('The id of the API key of who changed it; empty where it is not known.'),
  event: z.literal('decision.superseded'),
  cause: z.enum(SUPERSEDE_CAUSES),
  part: z.enum(['telemetry', 'device', 'account', 'ip', 'visitor']),
  hash: z.string().describe('The keyed hash of the part, as records have it.'),
  decisions: z
    .array(z.object({ decision_id: z.string(), decision: z.enum(VERDICTS) }))
    .readonly()
    .nullable()
    .describe(
      'The latest 100 of the last 24 hours, the latest first; null where they could not be looked up.',
    ),
});

/** An entry of a list on the wire. */
export type ListEntryRecord = Readonly<z.output<typeof listEntrySchema>>;
