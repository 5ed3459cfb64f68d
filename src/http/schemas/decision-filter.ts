import { z } from 'zod';
import type { RecordHashes } from '../../application/decision-log/to-decision-record.ts';
import { TRANSITION } from '../../domain/candidates/candidate-result.ts';
import { COUNTED_OUTCOMES, type CountedOutcome } from '../../domain/decision-log/counted-outcome.ts';
import { OUTCOME_LABELS } from '../../domain/decision-log/outcome-label.ts';
import { NO_LABEL, type RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { NO_PLACE } from '../../domain/decision-log/record-place.ts';
import { fromResultName } from '../../domain/decision-log/rule-results.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { canonicalAddress } from '../../domain/ip-address.ts';
import { VERDICTS } from '../../domain/verdict.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';

const identifier = (name: string) =>
  z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(`Decisions about this ${name}. It is hashed at once, and kept nowhere.`);
const hash = (name: string) =>
  z
    .string()
    .regex(/^#[0-9a-f]{32}$/)
    .optional()
    .describe(`Decisions with this keyed hash of a ${name}, as the log shows it, after a \`#\`.`);
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
  rule: z
    .string()
    .regex(/^([a-z][a-z0-9-]{0,63}|[A-Z][A-Z0-9_]{0,63})(:(true|unknown|waived|satisfied))?$/)
    .optional()
    .describe(
      'A rule, by its id or its reason code, that was true. With `:unknown` one that could not be decided, with `:waived` one where the policy let that pass, with `:satisfied` one that a step-up satisfied.',
    ),
  label: z
    .enum([...OUTCOME_LABELS, NO_LABEL])
    .optional()
    .describe('How it turned out: the label that counts. `none`: no label yet.'),
  country: z
    .string()
    .regex(new RegExp(`^([A-Z]{2}|${NO_PLACE})$`))
    .optional()
    .describe('Country of the IP address, ISO 3166-1 alpha-2. `none`: no evidence says.'),
  asn: z
    .string()
    .regex(new RegExp(`^([1-9]\\d{0,9}|${NO_PLACE})$`))
    .optional()
    .describe('Number of the autonomous system of the IP address. `none`: no evidence says.'),
  provider_outcome: z
    .string()
    .regex(new RegExp(`^([a-z][a-z0-9_-]{0,63}/)?(${COUNTED_OUTCOMES.join('|')})$`))
    .optional()
    .describe(
      'How any provider ended (`timeout`), or one (`stytch/timeout`). `not_given`: the caller gave no id to ask it about, which records have as `not_found` without a call; `not_found`: it was asked.',
    ),
  caller: z
    .string()
    .regex(/^([A-Za-z0-9_.-]{1,64}|gateway:[a-z0-9][a-z0-9_-]{0,63}|[^#]{1,48} #[0-9a-f]{8})$/u)
    .optional()
    .describe(
      'The id of an API key, `gateway:` and the profile of a gateway without one, or the name and mark of a person, as records hold them: `Ann Lee #0a1b2c3d`.',
    ),
  entry_point: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,63}$/)
    .optional()
    .describe('`decide`, `authzen`, or the dialect of a gateway.'),
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
  transition: z
    .string()
    .regex(TRANSITION)
    .optional()
    .describe(
      'What a candidate made of the verdict: `<hash>/ALLOW/BLOCK` where ALLOW was answered and the candidate with this hash would have come to BLOCK, `<hash>/not_judged` where it did not judge.',
    ),
  device_id: identifier('device id, whichever device API it was for'),
  telemetry_id: identifier('telemetry id'),
  account_id: identifier('account'),
  device: hash('device id'),
  telemetry: hash('telemetry id'),
  account: hash('account'),
  visitor: hash('visitor fingerprint'),
  ip: z
    .string()
    .max(64)
    .optional()
    .describe(
      'Decisions about this IP address, which is hashed at once, and kept nowhere; or with its keyed hash, or that of its network, after a `#`.',
    ),
  subject: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe(
      'Decisions about this subject, whichever part of it: a keyed hash after a `#`, or an identifier, which is hashed at once, and kept nowhere.',
    ),
  since: time('Decided at this time or later.'),
  until: time('Decided before this time.'),
};

const filterSchema = z.strictObject(decisionFilterShape);
type DecisionFilterQuery = z.output<typeof filterSchema>;

/**
 * The filter of a validated query. Throws `invalid_request` for a time that no clock shows, an address that
 * cannot be read, and an identifier beside its hash.
 */
export function toRecordFilter(query: DecisionFilterQuery, hashes: readonly RecordHashes[]): RecordFilter {
  const { decision, reason, rule, caller, action, degraded, policy, label, country, asn, transition } = query;
  const filter: RecordFilter = {
    decision,
    reason,
    rule: rule === undefined ? undefined : fromResultName(rule),
    caller,
    entryPoint: query.entry_point,
    action,
    policy,
    transition,
    degraded: degraded === undefined ? undefined : degraded === 'true',
    providerOutcome: toProviderOutcome(query.provider_outcome),
    label,
    country,
    asn: asn === undefined || asn === NO_PLACE ? asn : Number(asn),
    ...toSubjectFilter(query, hashes),
    since: toRecordTime('since', query.since),
    until: toRecordTime('until', query.until),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

type SubjectFilter = Pick<RecordFilter, 'telemetry' | 'device' | 'account' | 'ip' | 'visitor' | 'subject'>;

function toSubjectFilter(query: DecisionFilterQuery, hashes: readonly RecordHashes[]): SubjectFilter {
  const { visitor, ip, subject } = query;
  const under = (hashOf: (under: RecordHashes) => string) => hashes.map(hashOf);
  const either = (
    part: 'telemetry' | 'device' | 'account',
    id: string | undefined,
  ): readonly string[] | undefined => {
    const told = query[part];
    if (told === undefined) return id === undefined ? undefined : under((key) => key[part](id));
    if (id !== undefined) throw refused(part, `is given beside ${part}_id`);
    return [told.slice(1)];
  };
  return {
    telemetry: either('telemetry', query.telemetry_id),
    device: either('device', query.device_id),
    account: either('account', query.account_id),
    visitor: visitor === undefined ? undefined : [visitor.slice(1)],
    ip: ip === undefined ? undefined : (hashIn(ip) ?? under((key) => key.ip(toAddress(ip)))),
    subject: subject === undefined ? undefined : (hashIn(subject) ?? toAnyPart(subject, hashes)),
  };
}

/** The hash that a text is which begins with `#`; null for another text. */
function hashIn(text: string): readonly string[] | null {
  return /^#[0-9a-f]{32}$/.test(text) ? [text.slice(1)] : null;
}

/** The hashes of an identifier as each part of a subject. */
function toAnyPart(id: string, hashes: readonly RecordHashes[]): readonly string[] {
  const address = canonicalAddress(id);
  return hashes.flatMap((key) => [
    key.telemetry(id),
    key.device(id),
    key.account(id),
    ...(address === null ? [] : [key.ip(address)]),
  ]);
}

function toAddress(text: string): string {
  const address = canonicalAddress(text);
  if (address === null) throw refused('ip', 'is neither an address nor # and a hash');
  return address;
}

function toProviderOutcome(text: string | undefined): RecordFilter['providerOutcome'] {
  if (text === undefined) return undefined;
  const [first = '', second] = text.split('/');
  // The schema has admitted nothing else than an outcome.
  const outcome = (second ?? first) as CountedOutcome;
  return { provider: second === undefined ? null : first, outcome };
}

function toRecordTime(pointer: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const timeMs = Date.parse(text);
  if (Number.isFinite(timeMs)) return toRfc3339(timeMs);
  throw refused(pointer, 'is not a time');
}

function refused(pointer: string, detail: string): RiskgateError {
  return new RiskgateError('invalid_request', 'A filter that nothing can be found by.', {
    fields: [{ pointer, detail }],
  });
}
