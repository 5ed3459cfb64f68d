import { z } from 'zod';
import type { ProviderQuery } from '../../application/evidence/evidence-source.ts';
import type { ProviderAnswer } from '../../application/evidence/provider-answer.ts';
import type { HttpRequest } from '../../platform/http-client.ts';
import { toQueryValue } from '../../platform/percent-encoding.ts';
import type { Settings, SettingValues } from '../../platform/setting.ts';
import {
  failureOfStatus,
  isSameId,
  NOT_JSON,
  SCHEMA,
  STATUS_ERROR,
  SUBJECT_MISMATCH,
  toEchoedAnswer,
  toFailedAnswer,
  toSettledAnswer,
  toUpstreamRequestId,
} from '../answer.ts';
import { type DeclaredSignals, toSignals } from '../declared-signals.ts';
import { type AnswerContext, defineProvider, type UpstreamResponse } from '../definition.ts';
import { toReadNames } from '../read-names.ts';
import { baseUrlSchema, credentialSchema } from '../settings.ts';
import { EXAMPLE } from './example.ts';
import { errorSchema, FAILURE_OF_ERROR, lookupSchema, NOT_FOUND_ERROR_TYPE } from './payload.ts';
import {
  presentStytch,
  stytchCreatedAtMs,
  stytchExpiresAtMs,
  stytchPlace,
  stytchSignals,
  stytchVisitor,
  toStytchSignals,
} from './signals.ts';

const LOOKUP_PATH = '/v1/fingerprint/lookup';

/**
 * Metadata values that Stytch accepts. Any other value makes the whole lookup a 400 (Stytch API reference),
 * and a caller's value must never cause that.
 */
const METADATA_VALUE = /^[A-Za-z0-9_\-+.@]{1,65}$/;

const NOT_FOUND_SIGNALS = toSignals(stytchSignals, { found: false });

const SETTINGS = {
  projectId: {
    env: 'STYTCH_PROJECT_ID',
    schema: credentialSchema.regex(/^[^:]*$/, 'must not hold a colon, which ends the name in HTTP Basic'),
    description: 'Project id of the Stytch project.',
    isCredential: true,
  },
  secret: {
    env: 'STYTCH_SECRET',
    schema: credentialSchema,
    description: 'Secret of the Stytch project.',
    isCredential: true,
  },
  baseUrl: {
    env: 'STYTCH_BASE_URL',
    schema: baseUrlSchema,
    description: 'Origin of the Stytch telemetry API.',
    default: 'https://telemetry.stytch.com',
  },
  lookupMethod: {
    env: 'STYTCH_LOOKUP_METHOD',
    schema: z.enum(['post', 'get']),
    description: '`post`, or `get` for the deprecated lookup, which knows nothing of the network.',
    default: 'post',
  },
} as const satisfies Settings;

type Values = SettingValues<typeof SETTINGS>;
type Answer = ProviderAnswer<DeclaredSignals<typeof stytchSignals>>;

/** Stytch Fingerprint Lookup: the verdict on a telemetry id. */
export const stytch = defineProvider({
  id: 'stytch',
  title: 'Stytch Fingerprint Lookup',
  subject: 'telemetry_id',
  settings: SETTINGS,
  ttlSeconds: { ok: 60, not_found: 5 },
  signals: stytchSignals,
  notFoundSignals: NOT_FOUND_SIGNALS,
  baseUrl: (settings) => settings.baseUrl,
  toRequest,
  body: {
    names: [toReadNames(lookupSchema), toReadNames(errorSchema)],
    successMembers: ['verdict', 'fingerprints'],
    errorMembers: ['error_type', 'error_message'],
  },
  toAnswer,
  example: EXAMPLE,
  present: presentStytch,
  subjectExpiresAtMs: stytchExpiresAtMs,
  subjectCreatedAtMs: stytchCreatedAtMs,
  visitorOf: stytchVisitor,
  placeOf: stytchPlace,
  emulator: async () => (await import('./emulator.ts')).stytchEmulator,
});

function toRequest(settings: Values, query: ProviderQuery): HttpRequest | null {
  const queryValue = toQueryValue(query.id);
  if (queryValue === null || queryValue === '') return null;
  const headers = {
    accept: 'application/json',
    authorization: `Basic ${toBasicCredentials(settings)}`,
    'user-agent': 'riskgate',
  };
  if (settings.lookupMethod === 'get') {
    return { method: 'GET', path: `${LOOKUP_PATH}?telemetry_id=${queryValue}`, headers };
  }
  return {
    method: 'POST',
    path: LOOKUP_PATH,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ telemetry_id: query.id, ...toMetadata(query) }),
  };
}

function toBasicCredentials(settings: Values): string {
  return Buffer.from(`${settings.projectId}:${settings.secret}`).toString('base64');
}

function toMetadata({ accountId, action }: ProviderQuery): { external_metadata?: Record<string, string> } {
  const metadata: Record<string, string> = {};
  if (accountId !== undefined && METADATA_VALUE.test(accountId)) metadata['external_id'] = accountId;
  if (action !== undefined && METADATA_VALUE.test(action)) metadata['user_action'] = action;
  return Object.keys(metadata).length === 0 ? {} : { external_metadata: metadata };
}

function toAnswer(response: UpstreamResponse, query: ProviderQuery, context: AnswerContext): Answer {
  return response.status === 200
    ? toLookupAnswer(response, query, context)
    : toErrorAnswer(response, context);
}

function toLookupAnswer(response: UpstreamResponse, query: ProviderQuery, context: AnswerContext): Answer {
  const { json } = response;
  if (json === undefined) return toFailedAnswer(NOT_JSON, response, context.nowMs, null);
  const { data: lookup } = lookupSchema.safeParse(json);
  if (lookup === undefined) {
    const failure = errorSchema.safeParse(json).success ? STATUS_ERROR : SCHEMA;
    return toFailedAnswer(failure, response, context.nowMs, null);
  }
  const requestId = toUpstreamRequestId(lookup.request_id);
  if (!isSameId(lookup.telemetry_id, query.id)) {
    return toFailedAnswer(SUBJECT_MISMATCH, response, context.nowMs, requestId);
  }
  const answer = toSettledAnswer('ok', toStytchSignals(lookup, context.hash), requestId, lookup.expires_at);
  return toEchoedAnswer(answer, { echoed: lookup.telemetry_id, asked: query.id, nowMs: context.nowMs });
}

function toErrorAnswer(response: UpstreamResponse, context: AnswerContext): Answer {
  const { data: error } = errorSchema.safeParse(response.json);
  const requestId = toUpstreamRequestId(error?.request_id);
  if (response.status === 404 && error?.error_type === NOT_FOUND_ERROR_TYPE) {
    return toSettledAnswer('not_found', NOT_FOUND_SIGNALS, requestId);
  }
  const failure =
    FAILURE_OF_ERROR.get(`${response.status} ${error?.error_type ?? ''}`) ?? failureOfStatus(response.status);
  return toFailedAnswer(failure, response, context.nowMs, requestId);
}
