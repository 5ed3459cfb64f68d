import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { EmulatorOptions } from '../definition.ts';
import {
  acceptAnything,
  bearerToken,
  type EmulatedAnswer,
  htmlAnswer,
  jsonAnswer,
  pathSegments,
  sendAnswer,
} from '../emulated-http.ts';
import { createFaultEngine, type EmulatorDialect, type FaultEngine } from '../emulator-faults.ts';
import { healthyPayload, successPayload } from './emulator-payloads.ts';

const ERROR_ID = /^error-(?:([45]\d\d)-)?([a-z_]+)$/;

/** Every documented code with its HTTP status: observed for the first three, inferred for the others. */
const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  ['bad_authtoken', 401],
  ['not_found', 404],
  ['invalid_action', 409],
  ['not_authenticated', 401],
  ['not_permitted', 403],
  ['bad_request', 400],
  ['invalid_value', 400],
  ['required_value', 400],
  ['unexpected_ref_type', 400],
  ['not_implemented', 501],
  ['unknown', 500],
  ['unexpected', 500],
]);

/** 429 has no documented code. An unlisted code makes clients use the status. */
const DEFAULT_CODES = {
  401: 'bad_authtoken',
  429: 'too_many_requests',
  500: 'unexpected',
  503: 'unknown',
} as const;

/**
 * Prefactor's "Fetch device" at `/api/v1/device/{id}`. Credentials: `apiToken`; any bearer token when absent.
 */
export const prefactorEmulator: FastifyPluginAsync<EmulatorOptions> = async (app, options) => {
  const faults = createFaultEngine(app, options);
  acceptAnything(app, (status) => errorAnswer(status, status < 500 ? 'bad_request' : 'unexpected'));
  app.all('/api/v1/device/*', (request, reply) => fetchDevice(request, reply, options, faults));
  for (const path of ['/api', '/api/*', '/device/*', '/v1/device/*']) {
    app.all(path, async (_request, reply) => sendAnswer(reply, routeNotFound()));
  }
};

async function fetchDevice(
  request: FastifyRequest,
  reply: FastifyReply,
  options: EmulatorOptions,
  faults: FaultEngine,
): Promise<FastifyReply> {
  const [, , , deviceId = '', ...rest] = pathSegments(request.url) ?? [];
  if (deviceId === '' || rest.length > 0 || request.method !== 'GET') {
    return sendAnswer(reply, routeNotFound());
  }
  const token = bearerToken(request.headers.authorization);
  if (token === null || token !== (options.credentials?.['apiToken'] ?? token)) {
    return sendAnswer(reply, errorAnswer(401, 'bad_authtoken'));
  }
  return faults.respond(reply, deviceId, dialectOf(deviceId));
}

function dialectOf(deviceId: string): EmulatorDialect {
  return {
    redirectPath: '/api/v1/device/active',
    good: () => healthyPayload(deviceId, Date.now()),
    error: (status) => errorAnswer(status, DEFAULT_CODES[status]),
    routeNotFound,
    unknown: () => errorAnswer(404, 'not_found'),
    answer() {
      const payload = successPayload(deviceId, Date.now());
      if (payload !== null) return jsonAnswer(200, payload);
      if (deviceId === 'fault-status-error-200') return errorAnswer(200, 'unexpected');
      return documentedError(deviceId) ?? errorAnswer(404, 'not_found');
    },
  };
}

/**
 * The answer to `error-<code>` and `error-<status>-<code>`, null for other ids and for codes that are not
 * documented.
 */
function documentedError(deviceId: string): EmulatedAnswer | null {
  const [, status, code = ''] = ERROR_ID.exec(deviceId) ?? [];
  const usualStatus = STATUS_OF_CODE.get(code);
  if (usualStatus === undefined) return null;
  return errorAnswer(status === undefined ? usualStatus : Number(status), code);
}

function errorAnswer(status: number, code: string): EmulatedAnswer {
  return jsonAnswer(status, { status: 'error', code, message: `Emulated error: ${code}.` });
}

function routeNotFound(): EmulatedAnswer {
  return htmlAnswer(404, 'Not Found');
}
