import type { FastifyInstance } from 'fastify';
import type { createHttpClient, HttpRequest, HttpResult } from '../platform/http-client.ts';
import * as mobilerun from '../providers/mobilerun/emulator-payloads.ts';
import * as prefactor from '../providers/prefactor/emulator-payloads.ts';
import * as stytch from '../providers/stytch/emulator-payloads.ts';
import type { PastClock } from './past-clock.ts';

/** How one upstream answers, beside what its emulator does. */
interface Upstream {
  /** The id that a request is about; null where it is for another upstream. */
  idIn(request: HttpRequest): string | null;
  /** What it knows of an id at a time; null for an id that it does not know. */
  success(id: string, nowMs: number): object | null;
  /** What it would know of any id. */
  healthy(id: string, nowMs: number): object;
  /** Milliseconds that an answer usually takes. */
  readonly usualMs: number;
}

const SLOW = /^fault-slow-(\d+)/;
/** No timeout of a provider is longer. */
const HANGING_MS = 2_000;
const TIMEOUT_MS = 600;

/** The three of the registry, told apart by their paths. */
const UPSTREAMS: readonly Upstream[] = [
  {
    idIn: ({ path, body }) => (path.endsWith('/fingerprint/lookup') ? telemetryIdIn(body ?? '{}') : null),
    success: (id, nowMs) => stytch.successPayload(id, 'POST', nowMs),
    healthy: (id, nowMs) => stytch.healthyPayload(id, 'POST', nowMs),
    usualMs: 28,
  },
  {
    idIn: ({ path }) => segmentOf(/\/devices\/([^/]+)\/fingerprint$/, path),
    success: mobilerun.successPayload,
    healthy: mobilerun.healthyPayload,
    usualMs: 19,
  },
  {
    idIn: ({ path }) => segmentOf(/\/device\/([^/?]+)$/, path),
    success: prefactor.successPayload,
    healthy: prefactor.healthyPayload,
    usualMs: 14,
  },
];

/**
 * Clients that answer as the emulators would at the time of the clock, which they move on by what that takes. What has
 * no time in it (404s, errors) is the emulators' own answer.
 */
export function createPastClients(
  clock: PastClock,
  random: () => number,
  emulators: FastifyInstance,
): (options: { readonly baseUrl: string }) => ReturnType<typeof createHttpClient> {
  const take = (ms: number) => clock.moveTo(clock.nowMs() + ms);
  const askEmulator = async (
    prefix: string,
    { method, path, headers, body }: HttpRequest,
  ): Promise<HttpResult> => {
    const answer = await emulators.inject({
      method,
      url: prefix + path,
      headers,
      ...(body !== undefined && { payload: body }),
    });
    const received = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    return {
      kind: 'response',
      response: { status: answer.statusCode, headers: Object.fromEntries(received), body: answer.body },
    };
  };
  const answer = (upstream: Upstream, id: string): HttpResult | null => {
    const slowMs = Number(SLOW.exec(id)?.[1] ?? 0);
    const isHanging = slowMs >= HANGING_MS;
    const usualMs = upstream.usualMs * (0.6 + 1.5 * random() ** 2);
    take(isHanging ? TIMEOUT_MS : slowMs > 0 ? slowMs : usualMs);
    if (isHanging) return { kind: 'timeout' };
    if (id.startsWith('fault-flaky')) return toResponse(503, {});
    const payload = slowMs > 0 ? upstream.healthy(id, clock.nowMs()) : upstream.success(id, clock.nowMs());
    return payload === null ? null : toResponse(200, payload);
  };
  return ({ baseUrl }) => {
    const prefix = new URL(baseUrl).pathname.replace(/\/+$/, '');
    return {
      exchange: async (request) => {
        for (const upstream of UPSTREAMS) {
          const id = upstream.idIn(request);
          const result = id === null ? null : answer(upstream, id);
          if (result !== null) return result;
        }
        return askEmulator(prefix, request);
      },
      connectAhead: async () => true,
      close: async () => {},
    };
  };
}

function toResponse(status: number, body: object): HttpResult {
  const headers = { 'content-type': 'application/json' };
  return { kind: 'response', response: { status, headers, body: JSON.stringify(body) } };
}

function telemetryIdIn(body: string): string {
  const { telemetry_id: id } = JSON.parse(body) as { readonly telemetry_id: string };
  return id;
}

function segmentOf(pattern: RegExp, path: string): string | null {
  const [, segment] = pattern.exec(path) ?? [];
  return segment === undefined ? null : decodeURIComponent(segment);
}
