import { z } from 'zod';
import type { DecideOptions } from '../../application/decide.ts';
import type { Decision, EvidenceUse } from '../../domain/decision.ts';
import { decisionFields, evidenceFields, ruleTraceFields } from '../../domain/decision-fields.ts';
import { cacheOf } from '../../domain/evidence.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { IDEMPOTENCY_KEY_PATTERN } from '../callers/idempotency-key.ts';
import { createSubjectFields, ONE_WAY_TO_NAME_A_DEVICE } from './subject.ts';

/** Bounds of `deadline_ms`: below 50 ms hardly an upstream answers, above 10 s no caller waits. */
const DEADLINE_MS = { min: 50, max: 10_000 };

/** What a caller reads of that `not`, which points nowhere by itself. */
export const TWO_WAYS_TO_NAME_A_DEVICE = {
  pointer: '/device_ids',
  detail: 'must not be given together with device_id',
} as const;

/** What a body says of the cache and of the deadline. */
export const limitFields = {
  max_age_ms: z
    .int()
    .min(0)
    .optional()
    .describe('Use no cached evidence older than this; 0 asks every provider again.'),
  deadline_ms: z
    .int()
    .min(DEADLINE_MS.min)
    .max(DEADLINE_MS.max)
    .optional()
    .describe('Can only lower the configured deadline.'),
};

/** The body of POST /v1/decide. `deviceProviders` are the keys that `device_ids` may have. */
export function createDecideRequestSchema(deviceProviders: readonly string[]) {
  return z
    .strictObject({ ...createSubjectFields(deviceProviders), ...limitFields })
    .meta(ONE_WAY_TO_NAME_A_DEVICE);
}

/**
 * The header of POST /v1/decide, lower case as node:http spells it. Milliseconds that are left, as in Envoy's
 * `x-envoy-expected-rq-timeout-ms`: a point in time would need clocks that agree.
 */
const DEADLINE_HEADER = 'x-request-deadline';

/**
 * The headers of POST /v1/decide that are read. A proxy computes what is left, so any amount is taken, 0
 * included: then only evidence at hand is used.
 */
export const decideHeadersSchema = z.object({
  [DEADLINE_HEADER]: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional()
    .describe(
      'Milliseconds that are left for the answer, a whole number. Can only lower the deadline; with `deadline_ms` the smaller counts.',
    ),
  'idempotency-key': z
    .string()
    .regex(IDEMPOTENCY_KEY_PATTERN)
    .optional()
    .describe(
      'Makes retries safe (draft-ietf-httpapi-idempotency-key-header-07): for 24 hours, or as the operator says, the same key with the same body gets the stored answer. A quoted string of at most 255 characters, new for every request that is not a retry.',
    ),
  traceparent: z.string().optional().describe('W3C trace context; what is not one is ignored.'),
});

/** The checked headers of `POST /v1/decide`. */
export type DecideHeaders = z.output<typeof decideHeadersSchema>;

/** What is validated before a handler sees it. */
export type DecideRequest = z.output<ReturnType<typeof createDecideRequestSchema>>;

/** The query of `POST /v1/decide`. */
export const decideQuerySchema = z.strictObject({
  explain: z
    .enum(['full'])
    .optional()
    .describe('Adds signals and the trace of every rule; needs the scope `read` too.'),
});

const responseHeader = (description: string) => ({ type: 'string', description });

/** Headers of a decision that are not in every answer. */
export const decideResponseHeaders = {
  'idempotency-replayed': responseHeader('`true` when this is the stored answer to an earlier request.'),
  'ratelimit-policy': responseHeader('The limits of the API key, if it has any: `"default";q=100;w=60`.'),
  ratelimit: responseHeader('What is left of them: `"default";r=50;t=30`.'),
};

const evidenceUseSchema = z
  .object(evidenceFields)
  .omit({ cache_level: true, signals: true })
  .extend({
    suspect: evidenceFields.suspect
      .optional()
      .describe('True while `not_found` of this provider is in doubt; absent otherwise.'),
  });

const explanationSchema = z.object({
  signals: z
    .record(z.string(), z.looseObject({ found: z.boolean().optional() }).nullable())
    .describe(
      'As the policy read them: of each provider, and of the custody of the telemetry id as `telemetry`; null where there were none. `activity` holds what rules read of each part of the subject, or `unknown` or `none` in its place; `lists` what lists say, and under `entries` the list and the id of each entry that was met; null where they are unknown; `shared` what others have told, and null likewise; `contradictions` what was found, with both sides under `because`, and null likewise.',
    ),
  rules: z.array(
    z.object({
      ...ruleTraceFields,
      why: ruleTraceFields.why.nullable(),
      on_unknown: ruleTraceFields.on_unknown.nullable(),
    }),
  ),
});

const { policy, decided_at, latency_ms: _, ...judged } = decisionFields;

const challengeSchema = z.object({
  acr_values: z
    .array(z.string())
    .readonly()
    .describe('What the step-up must achieve: one of these, the least first; empty where any will do.'),
  max_age_seconds: z
    .int()
    .nullable()
    .describe(
      'The next decision on the same telemetry id, devices and account is not challenged for the same reasons while the step-up is younger; null where no step-up satisfies one of them.',
    ),
  report_to: z.string().describe('Where to say that the challenge was completed.'),
});

/** The answer of POST /v1/decide. */
export function createDecisionSchema(providers: readonly string[]) {
  return z.object({
    ...judged,
    mode: z
      .enum(['test'])
      .optional()
      .describe('An answer to a test id, which means nothing; absent on every real decision.'),
    challenge: challengeSchema.optional().describe('What satisfies a CHALLENGE; absent otherwise.'),
    providers: z.object(Object.fromEntries(providers.map((id) => [id, evidenceUseSchema]))),
    provider_suspect: z
      .array(z.string())
      .optional()
      .describe(
        'Providers that no longer find any id, most likely because our URL, key or environment is wrong; absent when there is none.',
      ),
    policy,
    decided_at,
    expires_at: z
      .string()
      .describe('When the first piece of evidence used expires.')
      .meta({ format: 'date-time' }),
    explanation: explanationSchema.optional().describe('Only with `explain=full`.'),
  });
}

/** What is known of a request beside its body and headers. */
interface DecideRequestFacts {
  readonly caller: { readonly id: string } | null;
  readonly receivedAtMs: number;
}

/**
 * What a validated request asks of the deadline and the cache, since when (`receivedAtMs`, monotonic), and
 * who asks.
 */
export function toDecideOptions(
  body: Pick<DecideRequest, keyof typeof limitFields>,
  headers: DecideHeaders,
  { caller, receivedAtMs }: DecideRequestFacts,
): DecideOptions {
  const { max_age_ms: maxAgeMs = null, deadline_ms: asked = null } = body;
  const { [DEADLINE_HEADER]: left, traceparent } = headers;
  const deadlineMs = left === undefined ? asked : Math.min(Number(left), asked ?? Number.POSITIVE_INFINITY);
  return { maxAgeMs, deadlineMs, receivedAtMs, caller: caller?.id, traceparent };
}

/**
 * All that a decision is asked with, spelled the same in whichever order a client writes it. The list of
 * names holds every field, at both levels.
 */
export function toContent(
  body: DecideRequest,
  { explain, isTest }: Pick<AnswerShape, 'explain' | 'isTest'>,
): string {
  const names = new Set([...Object.keys(body), ...Object.keys(body.device_ids ?? {})]);
  // A test key may share its caller's id with a real one, which must not get the stored answer to a test.
  return `${isTest ? 'test ' : ''}${explain} ${JSON.stringify(body, [...names].sort())}`;
}

/** What an answer holds beside the decision. */
export interface AnswerShape {
  readonly explain: boolean;
  /** Whether outcomes are told by the id of a decision. */
  readonly canReportOutcome: boolean;
  /** Whether it answers a test key. */
  readonly isTest: boolean;
}

/** A decision as callers read it. */
export function toDecisionBody(decision: Decision, { explain, canReportOutcome, isTest }: AnswerShape) {
  const suspect = decision.evidence.filter((use) => use.suspect).map(({ provider }) => provider);
  const body = {
    decision_id: decision.id,
    decision: decision.verdict,
    ...(isTest && { mode: 'test' as const }),
    reasons: decision.reasons,
    degraded: decision.degraded,
    waivers: decision.waivers,
    ...(decision.challenge !== null && {
      challenge: {
        ...decision.challenge,
        report_to: canReportOutcome ? `/v1/decisions/${decision.id}/outcome` : '/v1/step-ups',
      },
    }),
    providers: byProvider(decision.evidence, toEvidenceBody),
    ...(suspect.length > 0 && { provider_suspect: suspect }),
    policy: decision.policy,
    decided_at: toRfc3339(decision.decidedAtMs),
    expires_at: toRfc3339(decision.expiresAtMs),
  };
  if (!explain) return body;
  const signals = byProvider<object | null>(decision.evidence, (use) => use.signals);
  const telemetry = typeof decision.custody === 'object' ? decision.custody : null;
  const rules = decision.trace.map(({ why = null, on_unknown = null, ...line }) => ({
    ...line,
    why,
    on_unknown,
  }));
  const { activity, lists, shared, contradictions } = decision.facts;
  const read = {
    ...(activity !== null && { activity }),
    // Unknown as a whole, it is null, as signals are that there were none of.
    ...(lists !== null && { lists: typeof lists === 'object' ? lists : null }),
    ...(shared !== null && { shared: typeof shared === 'object' ? shared : null }),
    ...(contradictions !== null && {
      contradictions: typeof contradictions === 'object' ? contradictions : null,
    }),
  };
  return { ...body, explanation: { signals: { ...signals, telemetry, ...read }, rules } };
}

function toEvidenceBody(use: EvidenceUse) {
  return {
    outcome: use.outcome,
    cache: cacheOf(use.origin),
    latency_ms: roundToTenth(use.latencyMs),
    age_ms: use.ageMs,
    request_id: use.upstreamRequestId,
    ...(use.suspect && { suspect: true }),
  };
}

function byProvider<Value>(
  evidence: readonly EvidenceUse[],
  convert: (use: EvidenceUse) => Value,
): Record<string, Value> {
  const byId: Record<string, Value> = {};
  for (const use of evidence) byId[use.provider] = convert(use);
  return byId;
}

/** Milliseconds to one decimal. */
export function roundToTenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
