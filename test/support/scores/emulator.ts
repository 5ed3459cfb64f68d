import type { FastifyPluginAsync } from 'fastify';
import type { EmulatorOptions } from '../../../src/providers/definition.ts';
import {
  acceptAnything,
  bearerToken,
  type EmulatedAnswer,
  jsonAnswer,
  pathSegments,
  sendAnswer,
} from '../../../src/providers/emulated-http.ts';
import { createFaultEngine } from '../../../src/providers/emulator-faults.ts';

/** Ids that have a score of 90. IPv4 and IPv6 are of the ranges for documentation. */
const BAD = ['203.0.113.9', '2001:db8::9', 'taken-over'];
/** Ids that have none. */
const UNKNOWN = ['203.0.113.44', 'unknown'];
/** An address cannot be spelled like a fault, so that these stand for faults. */
const FAULTS: ReadonlyMap<string, string> = new Map([['198.51.100.5', 'fault-500']]);

/** `GET /<id>/scores/{about}`. */
export function createScoreEmulator(id: string): FastifyPluginAsync<EmulatorOptions> {
  return async (app, options) => {
    const faults = createFaultEngine(app, options);
    acceptAnything(app, toError);
    app.all(`/${id}/scores/*`, async (request, reply) => {
      const [, , about = ''] = pathSegments(request.url) ?? [];
      if (bearerToken(request.headers.authorization) === null) return sendAnswer(reply, toError(401));
      const good = () => ({ about, score: BAD.includes(about) ? 90 : 10 });
      return faults.respond(reply, FAULTS.get(about) ?? about, {
        redirectPath: `/${id}/scores/good`,
        good,
        error: toError,
        routeNotFound: () => toError(404, 'route_not_found'),
        unknown: () => toError(404),
        answer: () => (UNKNOWN.includes(about) ? toError(404) : jsonAnswer(200, good())),
      });
    });
  };
}

function toError(status: number, error = status === 404 ? 'not_found' : 'failed'): EmulatedAnswer {
  return jsonAnswer(status, { error });
}
