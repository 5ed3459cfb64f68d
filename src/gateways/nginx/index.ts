import { toSharedAnswer } from '../answer.ts';
import type { GatewayDialect } from '../definition.ts';
import { originalFromHeaders } from '../original-request.ts';

const HEADERS = { method: 'X-Original-Method', target: 'X-Original-URI', host: null };

/**
 * nginx `auth_request`, and other gateways that can set two headers on a subrequest: ingress-nginx, HAProxy,
 * Apache, Varnish.
 */
export const nginx: GatewayDialect = {
  id: 'nginx',
  originalHeaders: HEADERS,
  toOriginal: originalFromHeaders(HEADERS),
  toAnswer: (result) => {
    const answer = toSharedAnswer(result, HEADERS.target);
    if (result.effect.kind !== 'redirect') return answer;
    // nginx accepts only 2xx, 401 and 403; a 302 would become a 500. Its configuration turns the Location
    // into a redirect.
    const challenge = toSharedAnswer({ ...result, effect: { kind: 'challenge' } }, HEADERS.target);
    return { ...challenge, headers: { ...challenge.headers, location: result.effect.url } };
  },
};
