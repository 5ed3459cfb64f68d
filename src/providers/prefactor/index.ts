import type { ProviderQuery } from '../../application/evidence/evidence-source.ts';
import type { ProviderAnswer } from '../../application/evidence/provider-answer.ts';
import type { HttpRequest } from '../../platform/http-client.ts';
import { toPathSegment } from '../../platform/percent-encoding.ts';
import type { Settings, SettingValues } from '../../platform/setting.ts';
import {
  type Failure,
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
import { deviceSchema, errorSchema, FAILURE_OF_CODE, NOT_FOUND_CODE } from './payload.ts';
import { prefactorSignals, presentPrefactor, toPrefactorSignals } from './signals.ts';

const NOT_FOUND_SIGNALS = toSignals(prefactorSignals, { found: false });

const SETTINGS = {
  apiToken: {
    env: 'PREFACTOR_API_TOKEN',
    schema: credentialSchema,
    description: 'API token of the Prefactor admin API.',
    isCredential: true,
  },
  baseUrl: {
    env: 'PREFACTOR_BASE_URL',
    schema: baseUrlSchema,
    description: 'Base URL of the Prefactor admin API. The vendor documents none, so there is no default.',
  },
} as const satisfies Settings;

type Values = SettingValues<typeof SETTINGS>;
type Answer = ProviderAnswer<DeclaredSignals<typeof prefactorSignals>>;

/** Prefactor "Fetch device": a long-lived cookie identity in the operator's own pool. */
export const prefactor = defineProvider({
  id: 'prefactor',
  title: 'Prefactor device',
  subject: 'device_id',
  settings: SETTINGS,
  ttlSeconds: { ok: 30, not_found: 5 },
  signals: prefactorSignals,
  notFoundSignals: NOT_FOUND_SIGNALS,
  baseUrl: (settings) => settings.baseUrl,
  toRequest,
  body: {
    names: [toReadNames(deviceSchema), toReadNames(errorSchema)],
    successMembers: ['summary'],
    errorMembers: ['code'],
  },
  toAnswer,
  example: EXAMPLE,
  present: presentPrefactor,
  emulator: async () => (await import('./emulator.ts')).prefactorEmulator,
});

function toRequest(settings: Values, query: ProviderQuery): HttpRequest | null {
  const segment = toPathSegment(query.id);
  if (segment === null) return null;
  return {
    method: 'GET',
    path: `/api/v1/device/${segment}`,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${settings.apiToken}`,
      'user-agent': 'riskgate',
    },
  };
}

function toAnswer(response: UpstreamResponse, query: ProviderQuery, context: AnswerContext): Answer {
  const { status, json } = response;
  const requestId = toUpstreamRequestId(response.headers['x-request-id']);
  const fail = (failure: Failure) => toFailedAnswer(failure, response, context.nowMs, requestId);
  const code = status === 200 || status >= 400 ? toErrorCode(json) : null;
  if (code !== null) {
    const failure = toFailure(status, code);
    if (failure === null) return toSettledAnswer('not_found', NOT_FOUND_SIGNALS, requestId);
    return fail(failure);
  }
  if (status !== 200) return fail(failureOfStatus(status));
  if (json === undefined) return fail(NOT_JSON);
  const { data: device } = deviceSchema.safeParse(json);
  if (device === undefined) return fail(SCHEMA);
  if (!isSameId(device.summary.id, query.id)) return fail(SUBJECT_MISMATCH);
  const answer = toSettledAnswer('ok', toPrefactorSignals(device.summary, context.hash), requestId);
  return toEchoedAnswer(answer, { echoed: device.summary.id, asked: query.id, nowMs: context.nowMs });
}

/** The code of an error in the vendor's shape, empty when it has none; null for any other body. */
function toErrorCode(json: unknown): string | null {
  // To find out by the schema that a success is no error costs five times as much as to read the success.
  if (typeof json !== 'object' || json === null || Reflect.get(json, 'status') !== 'error') return null;
  return errorSchema.safeParse(json).data?.code ?? null;
}

/**
 * The meaning of an error in the vendor's shape, by its code, then by its status; null for not found. An
 * unknown code with a 404 is still the vendor's own 404.
 */
function toFailure(status: number, code: string): Failure | null {
  if (code === NOT_FOUND_CODE) return null;
  const failure = FAILURE_OF_CODE.get(code);
  if (failure !== undefined) return failure;
  if (status === 200) return STATUS_ERROR;
  return status === 404 ? null : failureOfStatus(status);
}
