import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { EmulatorOptions } from '../definition.ts';
import { acceptAnything, type EmulatedAnswer, jsonAnswer, sendAnswer } from '../emulated-http.ts';
import { createFaultEngine, type EmulatorDialect, type FaultEngine } from '../emulator-faults.ts';
import { healthyPayload, type LookupMethod, newRequestId, successPayload } from './emulator-payloads.ts';

interface Lookup {
  readonly telemetryId: string;
  /** The value as it was sent; undefined where it was not sent. */
  readonly metadata: unknown;
}

type Metadata = Readonly<Record<string, unknown>>;

const LOOKUP_PATH = '/v1/fingerprint/lookup';
/**
 * Wrong paths that a mistaken base URL leads to. The most specific path wins, so other vendors' routes under
 * /v1 are not touched.
 */
const WRONG_PATHS = ['/v1', '/v1/*', '/v2/*', '/fingerprint/*'];
const METADATA_KEYS = ['external_id', 'organization_id', 'user_action'];
const METADATA_VALUE = /^[A-Za-z0-9_\-+.@]{0,65}$/;
const ERROR_ID = /^error-([45]\d\d)-([a-z_]+)$/;

/** Texts of the documented errors; other texts are made from the type. */
const ERROR_MESSAGES: ReadonlyMap<string, string> = new Map([
  ['unauthorized_credentials', 'Unauthorized credentials.'],
  ['too_many_requests', 'Too many requests have been made.'],
  [
    'internal_server_error',
    'Oops, something seems to have gone wrong, please reach out to support@stytch.com to let us know what went wrong.',
  ],
  ['telemetry_id_not_found', 'The telemetry ID could not be found.'],
  ['route_not_found', 'The requested route was not found.'],
]);

const DEFAULT_ERROR_TYPES = {
  401: 'unauthorized_credentials',
  429: 'too_many_requests',
  500: 'internal_server_error',
  503: 'service_unavailable',
} as const;

/**
 * Stytch Fingerprint Lookup, POST and the deprecated GET, at its real path. Credentials: `projectId` and
 * `secret`; any non-empty pair when absent.
 */
export const stytchEmulator: FastifyPluginAsync<EmulatorOptions> = async (app, options) => {
  const faults = createFaultEngine(app, options);
  acceptAnything(app, (status) =>
    errorAnswer(status, status < 500 ? 'bad_request' : 'internal_server_error'),
  );
  app.post(LOOKUP_PATH, (request, reply) => lookUp(request, reply, 'POST', options, faults));
  app.get(LOOKUP_PATH, (request, reply) => lookUp(request, reply, 'GET', options, faults));
  for (const path of WRONG_PATHS)
    app.all(path, async (_request, reply) => sendAnswer(reply, routeNotFound()));
};

async function lookUp(
  request: FastifyRequest,
  reply: FastifyReply,
  method: LookupMethod,
  options: EmulatorOptions,
  faults: FaultEngine,
): Promise<FastifyReply> {
  const refusal = refuseCredentials(request.headers.authorization, options.credentials);
  if (refusal !== null) return sendAnswer(reply, refusal);
  const lookup = method === 'GET' ? readQuery(request.query) : readBody(request.body);
  if (lookup === null) return sendAnswer(reply, errorAnswer(400, 'invalid_json'));
  const metadata = readMetadata(lookup.metadata);
  if (metadata === null) return sendAnswer(reply, errorAnswer(400, 'invalid_external_metadata'));
  return faults.respond(reply, lookup.telemetryId, dialectOf(lookup.telemetryId, metadata, method));
}

function dialectOf(telemetryId: string, metadata: Metadata, method: LookupMethod): EmulatorDialect {
  const echo = method === 'POST' ? { external_metadata: metadata } : {};
  return {
    redirectPath: `${LOOKUP_PATH}?telemetry_id=allow`,
    good: () => ({ ...healthyPayload(telemetryId, method, Date.now()), ...echo }),
    error: (status) => errorAnswer(status, DEFAULT_ERROR_TYPES[status]),
    routeNotFound,
    unknown: () => errorAnswer(404, 'telemetry_id_not_found'),
    answer() {
      const payload = successPayload(telemetryId, method, Date.now());
      if (payload !== null) return jsonAnswer(200, { ...payload, ...echo });
      const error = ERROR_ID.exec(telemetryId);
      if (error !== null) return errorAnswer(Number(error[1]), error[2] ?? '');
      return errorAnswer(404, 'telemetry_id_not_found');
    },
  };
}

/**
 * 400 without a well-formed Basic header, 401 for a pair that is not the configured one, null for a valid
 * one.
 */
function refuseCredentials(
  authorization: string | undefined,
  credentials: EmulatorOptions['credentials'],
): EmulatedAnswer | null {
  const encoded = /^Basic +(\S+) *$/i.exec(authorization ?? '')?.[1];
  const pair = Buffer.from(encoded ?? '', 'base64').toString('utf8');
  const [, projectId, secret] = /^([^:]+):(.+)$/s.exec(pair) ?? [];
  if (projectId === undefined || secret === undefined)
    return errorAnswer(400, 'invalid_authorization_header');
  const isAccepted =
    (credentials?.['projectId'] ?? projectId) === projectId && (credentials?.['secret'] ?? secret) === secret;
  return isAccepted ? null : errorAnswer(401, 'unauthorized_credentials');
}

function readQuery(query: unknown): Lookup {
  const telemetryId = isRecord(query) ? query['telemetry_id'] : '';
  return { telemetryId: typeof telemetryId === 'string' ? telemetryId : '', metadata: undefined };
}

/** Null for a body that is not JSON. An absent body, or an id that is not a string, is a missing id. */
function readBody(body: unknown): Lookup | null {
  let parsed: unknown;
  try {
    parsed = typeof body === 'string' && body.length > 0 ? JSON.parse(body) : {};
  } catch {
    // A SyntaxError: the only thing JSON.parse throws.
    return null;
  }
  const fields = isRecord(parsed) ? parsed : {};
  const telemetryId = fields['telemetry_id'];
  return {
    telemetryId: typeof telemetryId === 'string' ? telemetryId : '',
    metadata: fields['external_metadata'],
  };
}

/**
 * Null for a value that Stytch refuses. The vendor's clients send a member that is not set as null, and
 * require the complete object in the answer.
 */
function readMetadata(metadata: unknown): Metadata | null {
  if (metadata === undefined || metadata === null) return {};
  if (!isRecord(metadata)) return null;
  const given = Object.entries(metadata).filter(([, value]) => value !== null);
  const isGood = given.every(
    ([key, value]) =>
      !METADATA_KEYS.includes(key) || (typeof value === 'string' && METADATA_VALUE.test(value)),
  );
  return isGood ? Object.fromEntries(given) : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function routeNotFound(): EmulatedAnswer {
  return errorAnswer(404, 'route_not_found');
}

function errorAnswer(status: number, errorType: string): EmulatedAnswer {
  return jsonAnswer(status, {
    status_code: status,
    request_id: newRequestId(),
    error_type: errorType,
    error_message: ERROR_MESSAGES.get(errorType) ?? `${errorType.replaceAll('_', ' ')}.`,
    error_url: `https://stytch.com/docs/api/errors/${status}`,
  });
}
