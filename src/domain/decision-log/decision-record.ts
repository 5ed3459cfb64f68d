import { z } from 'zod';
import { OUTCOMES } from '../evidence.ts';
import { ON_UNKNOWN } from '../policy/document.ts';
import { RULE_RESULTS } from '../policy/rule-trace.ts';
import { CUSTODY_RESULTS, telemetrySignalsSchema } from '../policy/telemetry-signals.ts';
import { VERDICTS } from '../verdict.ts';

/** The version of the shape of records. A field may be added under the same version; anything else needs a new one. */
export const RECORD_VERSION = 1;

const time = z.string().describe('RFC 3339 in UTC with milliseconds.').meta({ format: 'date-time' });
const keyedHash = z
  .string()
  .describe('A keyed hash: it says nothing of an identifier but that it is the same.');

const evidenceSchema = z.object({
  outcome: z.enum(OUTCOMES),
  origin: z
    .enum(['memory', 'redis', 'miss', 'shared', 'none'])
    .describe(
      'A cache level, a call made for this decision, a call shared with a concurrent request, or no call.',
    ),
  latency_ms: z.number().describe('How long the decision waited for it.'),
  age_ms: z.number().describe('How old the evidence was; 0 where there was none to age.'),
  request_id: z.string().nullable().describe("The provider's own id of its answer."),
  suspect: z.boolean().describe("The provider's `not_found` was in doubt."),
  signals: z
    .looseObject({ found: z.boolean() })
    .nullable()
    .describe('Those that the policy reads, as it read them; null where there were none.'),
});

const reasonSchema = z.object({
  code: z.string(),
  rule: z.string(),
  verdict: z.enum(VERDICTS).describe('What the rule contributed.'),
  providers: z.array(z.string()).readonly(),
  certain: z.boolean().describe('False when the rule is unknown.'),
});

/** What is kept of one decision. It holds no raw identifier. This is its wire format too: files, Redis and answers hold the same. */
export const decisionRecordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  kind: z.literal('decision'),
  id: z.string().describe('The decision id, a UUIDv7.'),
  decided_at: time,
  verdict: z.enum(VERDICTS),
  degraded: z.boolean(),
  reasons: z.array(reasonSchema).readonly(),
  waivers: z.array(reasonSchema.pick({ code: true, rule: true, providers: true })).readonly(),
  caller: z.string().describe('The id of the API key, or of the gateway.'),
  door: z.string().describe('`decide`, or the dialect of a gateway.'),
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
  }),
  providers: z.record(z.string(), evidenceSchema),
  custody: z.object({
    result: z.enum([...CUSTODY_RESULTS, 'none']),
    signals: telemetrySignalsSchema
      .partial({ omits_device: true, omits_account: true })
      .nullable()
      .describe('Records of before the two were told lack `omits_device` and `omits_account`.'),
  }),
  rules: z
    .array(
      z.object({
        rule: z.string(),
        result: z.enum(RULE_RESULTS),
        why: z.string().optional().describe('Of rules that are unknown or inert.'),
        on_unknown: z
          .enum(ON_UNKNOWN)
          .optional()
          .describe('What an unknown rule contributed, unless an exempt rule was true.'),
      }),
    )
    .readonly()
    .describe('Every rule of the policy, in its order.'),
  policy: z.object({ id: z.string(), hash: z.string() }),
  engine: z.string().describe('The version of riskgate.'),
  latency_ms: z.number(),
});

/** Where decisions are missing from the log, and how many. Gap records are a part of the log. */
const gapRecordSchema = z.object({
  version: z.literal(RECORD_VERSION),
  kind: z.literal('gap'),
  id: z.string().describe('A UUIDv7.'),
  sink: z.string().describe('The sink that lacks them.'),
  from: time.describe('When the first of them was lost.'),
  until: time.describe('When the last of them was lost.'),
  dropped: z.int().min(1),
});

/** One line of the log. */
export const logRecordSchema = z.discriminatedUnion('kind', [decisionRecordSchema, gapRecordSchema]);

/** The record of one decision, free of raw identifiers. */
export type DecisionRecord = z.output<typeof decisionRecordSchema>;

/** What a record keeps of one provider. */
export type EvidenceRecord = DecisionRecord['providers'][string];

/** Says that records are missing, and how many. */
export type GapRecord = z.output<typeof gapRecordSchema>;

/** What one line of the log holds. */
export type LogRecord = DecisionRecord | GapRecord;
