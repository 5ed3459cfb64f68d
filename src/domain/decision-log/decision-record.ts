import { z } from 'zod';
import { candidateResultSchema } from '../candidates/candidate-result.ts';
import { decisionFields, evidenceFields, ruleTraceFields } from '../decision-fields.ts';
import { CUSTODY_RESULTS, telemetrySignalsSchema } from '../policy/telemetry-signals.ts';
import {
  candidateChangedSchema,
  listChangedSchema,
  policyChangedSchema,
  promotionChangedSchema,
  sharedSignalSchema,
  subjectForgottenSchema,
  supersededSchema,
} from './event-record.ts';
import { recordedFactsShape } from './recorded-facts.ts';
import { recordedRequestSchema } from './recorded-request.ts';

/**
 * The version of the shape of records. A field may be added under the same version; other changes need a new
 * one.
 */
export const RECORD_VERSION = 1;

const time = z.string().describe('RFC 3339 in UTC with milliseconds.').meta({ format: 'date-time' });
const keyedHash = z
  .string()
  .describe('A keyed hash: it says nothing of an identifier but that it is the same.');

/**
 * What is kept of one decision. It holds no raw identifier. This is its wire format too: files, Redis and
 * answers hold the same.
 */
export const decisionRecordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  kind: z.literal('decision'),
  ...decisionFields,
  caller: z.string().describe('The id of the API key, or of the gateway.'),
  entry_point: z.string().describe('`decide`, `authzen`, or the dialect of a gateway.'),
  action: z.string().nullable(),
  request_id: z.string().nullable(),
  subject: z.object({
    hash_key: z
      .string()
      .optional()
      .describe(
        'The id of the hash key of what follows; hashes under another key cannot be compared. Records of before it was told lack it.',
      ),
    telemetry: keyedHash.nullable(),
    devices: z
      .array(keyedHash)
      .readonly()
      .describe('Several where the caller named one for each device API.'),
    account: keyedHash.nullable(),
    ip: keyedHash
      .nullable()
      .optional()
      .describe('Of the IP address in its one spelling. Records of before it was kept lack it.'),
    network: keyedHash
      .nullable()
      .optional()
      .describe(
        'What activity counts the address by: the hash of the /64 of an IPv6 address, and `ip` again for IPv4. Records of before it was kept lack it.',
      ),
    visitor: keyedHash
      .nullable()
      .optional()
      .describe(
        'Of the visitor fingerprint that a provider reports, as its signals have it (`fingerprints.visitor_hash` of Stytch). Records of before it was kept lack it.',
      ),
    place: z
      .object({ latitude: z.number(), longitude: z.number() })
      .nullable()
      .optional()
      .describe(
        'Where activity places the request, to a tenth of a degree: by its address and `GEOIP_FILE`, else where the device was seen. Records of before it was kept lack it.',
      ),
  }),
  request: recordedRequestSchema
    .optional()
    .describe(
      'What policies can read of the request beside `action`, without what identifies somebody. Records of before it was kept lack it, and hold of each provider only the signals that the policy of the day read.',
    ),
  providers: z.record(z.string(), z.object(evidenceFields)),
  custody: z.object({
    result: z.enum([...CUSTODY_RESULTS, 'none']),
    signals: telemetrySignalsSchema
      .partial({ omits_device: true, omits_account: true })
      .nullable()
      .describe('Records of before the two were told lack `omits_device` and `omits_account`.'),
  }),
  ...recordedFactsShape,
  rules: z
    .array(
      z.object({
        ...ruleTraceFields,
        why: ruleTraceFields.why.optional(),
        on_unknown: ruleTraceFields.on_unknown.optional(),
      }),
    )
    .readonly()
    .describe('Every rule of the policy, in its order.'),
  candidates: z
    .array(candidateResultSchema)
    .readonly()
    .optional()
    .describe('What each candidate came to; absent where there was none.'),
  engine: z.string().describe('The version of riskgate.'),
});

/** Where decisions are missing from the log, and how many. Gap records are a part of the log. */
const gapRecordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  kind: z.literal('gap'),
  gap_id: z.string().describe('A UUIDv7.'),
  sink: z.string().describe('The sink that lacks them.'),
  from: time.describe('When the first of them was lost.'),
  until: time.describe('When the last of them was lost.'),
  dropped: z.int().min(1),
});

const version = { version: z.literal(RECORD_VERSION) };

/** What people changed that later decisions depend on. Events are a part of the log too. */
const eventRecordSchema = z.discriminatedUnion('event', [
  candidateChangedSchema.extend(version),
  policyChangedSchema.extend(version),
  promotionChangedSchema.extend(version),
  listChangedSchema.extend(version),
  subjectForgottenSchema.extend(version),
  sharedSignalSchema.extend(version),
  supersededSchema.extend(version),
]);

/** One line of the log. Readers pass over kinds that they do not know. */
export const logRecordSchema = z.discriminatedUnion('kind', [
  decisionRecordSchema,
  gapRecordSchema,
  eventRecordSchema,
]);

/** The record of one decision, free of raw identifiers. */
export type DecisionRecord = z.output<typeof decisionRecordSchema>;

/** What a record keeps of one provider. */
export type EvidenceRecord = DecisionRecord['providers'][string];

/** Says that records are missing, and how many. */
export type GapRecord = z.output<typeof gapRecordSchema>;

/** Says what somebody changed, and who. */
export type EventRecord = z.output<typeof eventRecordSchema>;

/** What one line of the log holds. */
export type LogRecord = DecisionRecord | GapRecord | EventRecord;

/** The id of a record: that of its decision, of the gap or of the event. */
export function idOf(record: LogRecord): string {
  if (record.kind === 'decision') return record.decision_id;
  return record.kind === 'gap' ? record.gap_id : record.event_id;
}
