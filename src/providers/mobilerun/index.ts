import { z } from 'zod';
import type { ProviderQuery } from '../../application/evidence/evidence-source.ts';
import type { ProviderAnswer } from '../../application/evidence/provider-answer.ts';
import type { HttpRequest } from '../../platform/http-client.ts';
import { toPathSegment } from '../../platform/percent-encoding.ts';
import type { Settings, SettingValues } from '../../platform/setting.ts';
import {
  type Failure,
  failureOfStatus,
  NOT_JSON,
  SCHEMA,
  toFailedAnswer,
  toSettledAnswer,
  toUpstreamRequestId,
} from '../answer.ts';
import { type DeclaredSignals, toSignals } from '../declared-signals.ts';
import { type AnswerContext, defineProvider, type UpstreamResponse } from '../definition.ts';
import { toReadNames } from '../read-names.ts';
import { baseUrlSchema, credentialSchema } from '../settings.ts';
import { EXAMPLE } from './example.ts';
import { fingerprintSchema, problemSchema } from './payload.ts';
import { type ProblemMeaning, readProblem } from './problem.ts';
import { mobilerunSignals, toMobilerunSignals } from './signals.ts';

const NOT_FOUND_SIGNALS = toSignals(mobilerunSignals, { found: false, supported: false });
const UNSUPPORTED_SIGNALS = toSignals(mobilerunSignals, { found: true, supported: false });

/** Statuses that have one meaning whatever their text: credentials, credits, and transient failures. */
const STATUSES_BEFORE_TEXT: ReadonlySet<number> = new Set([401, 402, 408, 429, 499]);

const SETTINGS = {
  apiKey: {
    env: 'MOBILERUN_API_KEY',
    schema: credentialSchema,
    description: 'API key of the Mobilerun account.',
    isCredential: true,
  },
  baseUrl: {
    env: 'MOBILERUN_BASE_URL',
    schema: baseUrlSchema,
    description: 'Base URL of the Mobilerun API, version included; the bare host answers 404.',
    default: 'https://api.mobilerun.ai/v1',
  },
  displayId: {
    env: 'MOBILERUN_DISPLAY_ID',
    schema: z
      .string()
      .trim()
      .regex(/^\d{1,15}$/, 'must be a whole number from 0 on')
      .transform(Number),
    description: 'Display of the phone to ask about, sent as X-Device-Display-ID. Not sent when unset.',
    isOptional: true,
  },
} as const satisfies Settings;

type Values = SettingValues<typeof SETTINGS>;
type Answer = ProviderAnswer<DeclaredSignals<typeof mobilerunSignals>>;

/** Mobilerun device fingerprint: the identity that the operator of a cloud phone has configured. */
export const mobilerun = defineProvider({
  id: 'mobilerun',
  title: 'Mobilerun device fingerprint',
  subject: 'device_id',
  settings: SETTINGS,
  ttlSeconds: { ok: 300, not_found: 10, unsupported: 300 },
  signals: mobilerunSignals,
  notFoundSignals: NOT_FOUND_SIGNALS,
  baseUrl: (settings) => settings.baseUrl,
  toRequest,
  body: {
    names: [toReadNames(fingerprintSchema), toReadNames(problemSchema)],
    successMembers: ['model', 'display', 'identifiers', 'carrier'],
    errorMembers: ['title', 'detail', 'errors'],
  },
  toAnswer,
  example: EXAMPLE,
  /** A fingerprint has no ages: it is a snapshot without a time. */
  present: (signals) => signals,
  emulator: async () => (await import('./emulator.ts')).mobilerunEmulator,
});

function toRequest(settings: Values, query: ProviderQuery): HttpRequest | null {
  const segment = toPathSegment(query.id);
  if (segment === null) return null;
  const { displayId } = settings;
  return {
    method: 'GET',
    path: `/devices/${segment}/fingerprint`,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${settings.apiKey}`,
      'user-agent': 'riskgate',
      ...(displayId === undefined ? {} : { 'x-device-display-id': String(displayId) }),
    },
  };
}

function toAnswer(response: UpstreamResponse, query: ProviderQuery, context: AnswerContext): Answer {
  const { json } = response;
  const requestId = toUpstreamRequestId(response.headers['x-request-id']);
  const fail = (failure: Failure) => toFailedAnswer(failure, response, context.nowMs, requestId);
  if (response.status === 200) {
    if (json === undefined) return fail(NOT_JSON);
    const { data: fingerprint } = fingerprintSchema.safeParse(json);
    if (fingerprint === undefined) return fail(SCHEMA);
    return toSettledAnswer('ok', toMobilerunSignals(fingerprint, context.hash), requestId);
  }
  const meaning = toMeaning(response.status, json, query.id);
  if (meaning === 'not_found') return toSettledAnswer('not_found', NOT_FOUND_SIGNALS, requestId);
  if (meaning === 'unsupported') return toSettledAnswer('unsupported', UNSUPPORTED_SIGNALS, requestId);
  return fail(response.status === 402 ? PAYMENT_REQUIRED : failureOfStatus(response.status));
}

const PAYMENT_REQUIRED: Failure = { outcome: 'unauthorized', failure: 'http_402' };

/**
 * The outcome that an error settles. By the vendor's documentation, a 404 or a 500 may mean that the device
 * is unknown, and any 4xx or a 501 that it lacks the feature. A 404 with any other text is not found.
 */
function toMeaning(status: number, json: unknown, deviceId: string): ProblemMeaning {
  const isReadable = status === 500 || status === 501 || (status >= 400 && status <= 499);
  const { data: problem } = problemSchema.safeParse(json);
  if (!isReadable || STATUSES_BEFORE_TEXT.has(status) || problem === undefined) return null;
  const meaning = readProblem(problem, deviceId);
  if (status === 404) return meaning ?? 'not_found';
  if (status === 500) return meaning === 'not_found' ? meaning : null;
  return meaning === 'unsupported' ? meaning : null;
}
