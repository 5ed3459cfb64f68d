import { z } from 'zod';
import type { RecordHashes } from '../../application/decision-log/to-decision-record.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { OUTCOMES, type Outcome } from '../../domain/evidence.ts';
import { VERDICTS } from '../../domain/verdict.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';

const identifier = (name: string) =>
  z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(`Decisions about this ${name}. It is hashed at once, and kept nowhere.`);
const time = (text: string) =>
  z
    .string()
    .max(40)
    .optional()
    .describe(`${text} RFC 3339, for example \`2026-01-15T09:30:00Z\`.`)
    .meta({ format: 'date-time' });

/**
 * The filters of everything that reads decisions. All that are given must hold. Each can be given once: a
 * second value of the same name is a 400, since "any of" and "all of" look alike in a query.
 */
export const decisionFilterShape = {
  decision: z.enum(VERDICTS).optional(),
  reason: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/)
    .optional()
    .describe('A reason code, certain or not.'),
  provider_outcome: z
    .string()
    .regex(new RegExp(`^([a-z][a-z0-9_-]{0,63}/)?(${OUTCOMES.join('|')})$`))
    .optional()
    .describe('An outcome of any provider (`timeout`), or of one (`stytch/timeout`).'),
  caller: z
    .string()
    .regex(/^([A-Za-z0-9_.-]{1,64}|gateway:[a-z0-9][a-z0-9_-]{0,63})$/)
    .optional()
    .describe('The id of an API key, or `gateway:` and the profile of a gateway without one.'),
  entry_point: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,63}$/)
    .optional()
    .describe('`decide`, or the dialect of a gateway.'),
  action: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .optional(),
  degraded: z.enum(['true', 'false']).optional(),
  policy: z
    .string()
    .regex(/^([a-z][a-z0-9-]{0,63}|sha256:[0-9a-f]{64})$/)
    .optional()
    .describe('The id or the hash of a policy.'),
  device_id: identifier('device id, whichever device API it was for'),
  telemetry_id: identifier('telemetry id'),
  account_id: identifier('account'),
  since: time('Decided at this time or later.'),
  until: time('Decided before this time.'),
};

const filterSchema = z.strictObject(decisionFilterShape);
type DecisionFilterQuery = z.output<typeof filterSchema>;

/** The filter of a validated query. Throws `invalid_request` for a time that no clock shows. */
export function toRecordFilter(query: DecisionFilterQuery, hashes: readonly RecordHashes[]): RecordFilter {
  const { decision, reason, caller, action, degraded, policy } = query;
  const hashesOf = (id: string | undefined, of: (under: RecordHashes) => (id: string) => string) =>
    id === undefined ? undefined : hashes.map((under) => of(under)(id));
  const filter = {
    decision,
    reason,
    caller,
    entryPoint: query.entry_point,
    action,
    policy,
    degraded: degraded === undefined ? undefined : degraded === 'true',
    providerOutcome: toProviderOutcome(query.provider_outcome),
    telemetry: hashesOf(query.telemetry_id, ({ telemetry }) => telemetry),
    device: hashesOf(query.device_id, ({ device }) => device),
    account: hashesOf(query.account_id, ({ account }) => account),
    since: toRecordTime('since', query.since),
    until: toRecordTime('until', query.until),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function toProviderOutcome(text: string | undefined): RecordFilter['providerOutcome'] {
  if (text === undefined) return undefined;
  const [first = '', second] = text.split('/');
  // The schema has admitted nothing else than an outcome.
  const outcome = (second ?? first) as Outcome;
  return { provider: second === undefined ? null : first, outcome };
}

function toRecordTime(pointer: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const timeMs = Date.parse(text);
  if (Number.isFinite(timeMs)) return toRfc3339(timeMs);
  throw new RiskgateError('invalid_request', 'A filter by a time that is none.', {
    fields: [{ pointer, detail: 'is not a time' }],
  });
}
