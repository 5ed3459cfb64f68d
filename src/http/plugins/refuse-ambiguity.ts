import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RiskgateError } from '../../domain/errors.ts';

/** No path of riskgate has an escaped character, and a fragment is never sent to a server. */
const ESCAPED_PATH = /^[^?]*[%#]/;
const NOT_FOUND = new RiskgateError('not_found', 'An escaped path.');
const UNCLEAR_HOST = new RiskgateError('invalid_request', 'No host, or several.', {
  publicDetail: 'The request must have one Host field.',
});

/**
 * Refuses on every route what a proxy in front may read differently. Body and framing are checked elsewhere.
 */
export function refuseAmbiguity(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => done(ambiguityIn(request)));
  // An unknown expectation may be ignored (RFC 9110, section 10.1.1). node:http would answer 417 without a
  // body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
}

/**
 * The router unescapes a path, and `/%6Detrics` would pass a rule that keeps `/metrics` in. A host that is
 * missing (but for HTTP/1.0) or stands twice is a 400 by RFC 9112, section 3.2.
 */
function ambiguityIn({ url, headers: { host }, raw }: FastifyRequest): RiskgateError | undefined {
  if (ESCAPED_PATH.test(url)) return NOT_FOUND;
  const isHostClear = host === undefined ? raw.httpVersion === '1.0' : !host.includes(',');
  return isHostClear ? undefined : UNCLEAR_HOST;
}
