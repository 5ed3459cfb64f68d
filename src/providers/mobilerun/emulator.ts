import { STATUS_CODES } from 'node:http';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { EmulatorOptions } from '../definition.ts';
import {
  acceptAnything,
  bearerToken,
  type EmulatedAnswer,
  jsonAnswer,
  pathSegments,
  sendAnswer,
} from '../emulated-http.ts';
import { createFaultEngine, type EmulatorDialect, type FaultEngine } from '../emulator-faults.ts';
import { healthyPayload, successPayload } from './emulator-payloads.ts';

const PROBLEM = 'application/problem+json';
const DISPLAY_ID_HEADER = 'x-device-display-id';
const ERROR_ID = /^error-([45]\d\d)$/;

/** Details for the documented statuses, in our own wording. */
const DETAILS: ReadonlyMap<number, string> = new Map([
  [401, 'invalid API key'],
  [402, 'insufficient credits'],
  [403, 'plan limit reached'],
  [404, 'device not found'],
  [429, 'rate limit exceeded'],
  [500, 'an unexpected error occurred'],
  [503, 'no capacity available'],
]);

/**
 * Mobilerun's device fingerprint at `/v1/devices/{id}/fingerprint`. Credentials: `apiKey`; any bearer token
 * when absent. The statuses of an unknown device and of the unsupported-feature error are options, since the
 * vendor leaves them open.
 */
export const mobilerunEmulator: FastifyPluginAsync<EmulatorOptions> = async (app, options) => {
  const faults = createFaultEngine(app, options);
  acceptAnything(app, (status) => problemAnswer(status));
  app.all('/v1/devices/*', (request, reply) => snapshot(request, reply, options, faults));
  for (const path of ['/v1/devices', '/devices', '/devices/*']) {
    app.all(path, async (_request, reply) => sendAnswer(reply, routeNotFound()));
  }
};

async function snapshot(
  request: FastifyRequest,
  reply: FastifyReply,
  options: EmulatorOptions,
  faults: FaultEngine,
): Promise<FastifyReply> {
  const [, , deviceId = '', operation, ...rest] = pathSegments(request.url) ?? [];
  if (deviceId === '' || operation !== 'fingerprint' || rest.length > 0) {
    return sendAnswer(reply, routeNotFound());
  }
  if (request.method !== 'GET') return sendAnswer(reply, methodNotAllowed());
  const token = bearerToken(request.headers.authorization);
  if (token === null || token !== (options.credentials?.['apiKey'] ?? token)) {
    return sendAnswer(reply, problemAnswer(401));
  }
  const displayId = request.headers[DISPLAY_ID_HEADER];
  if (displayId !== undefined && !isDisplayId(displayId)) {
    return sendAnswer(reply, invalidDisplayId(displayId));
  }
  return faults.respond(reply, deviceId, dialectOf(deviceId, options));
}

function dialectOf(deviceId: string, options: EmulatorOptions): EmulatorDialect {
  const unknown = () => problemAnswer(options.unknownDeviceStatus ?? 404, 'device not found');
  return {
    redirectPath: '/v1/devices/active/fingerprint',
    good: () => healthyPayload(deviceId),
    error: problemAnswer,
    routeNotFound,
    unknown,
    answer() {
      const payload = successPayload(deviceId);
      if (payload !== null) return jsonAnswer(200, payload);
      if (deviceId === 'unsupported') return unsupportedFeature(options.unsupportedStatus ?? 404);
      const error = ERROR_ID.exec(deviceId);
      if (error !== null) return problemAnswer(Number(error[1]));
      return unknown();
    },
  };
}

/** An integer of at least 0 that fits 64 bits. */
function isDisplayId(value: string | readonly string[]): boolean {
  return typeof value === 'string' && /^\+?\d{1,19}$/.test(value) && BigInt(value) < 2n ** 63n;
}

function invalidDisplayId(value: string | readonly string[]): EmulatedAnswer {
  const isNegative = /^-\d+$/.test(String(value));
  const message = isNegative ? 'expected number >= 0' : 'invalid integer';
  return problemAnswer(422, 'validation failed', [
    { message, location: 'header.X-Device-Display-ID', value: isNegative ? Number(value) : value },
  ]);
}

function unsupportedFeature(status: number): EmulatedAnswer {
  return problemAnswer(status, 'unsupported feature: this device does not support fingerprint');
}

/** A problem without `type` and `instance`, which may be absent. */
function problemAnswer(status: number, detail?: string, errors?: readonly unknown[]): EmulatedAnswer {
  const title = STATUS_CODES[status] ?? 'Error';
  const body = {
    $schema: 'https://api.mobilerun.ai/schemas/ErrorModel.json',
    title,
    status,
    detail: detail ?? DETAILS.get(status) ?? title.toLowerCase(),
    ...(errors === undefined ? {} : { errors }),
  };
  return jsonAnswer(status, body, PROBLEM);
}

/**
 * What a Go server answers for a path without a handler; the bare host without `/v1` is documented to do so.
 */
function routeNotFound(): EmulatedAnswer {
  return plainAnswer(404, '404 page not found\n', {});
}

function methodNotAllowed(): EmulatedAnswer {
  return plainAnswer(405, 'Method Not Allowed\n', { allow: 'GET' });
}

function plainAnswer(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): EmulatedAnswer {
  const all = {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    ...headers,
  };
  return { status, headers: all, body };
}
