import { toSharedAnswer } from '../answer.ts';
import type { GatewayDialect } from '../definition.ts';
import { originalFromHeaders } from '../original-request.ts';

const TARGET = 'X-Original-URI';

/**
 * nginx `auth_request`, and other gateways that can set two headers on a subrequest: ingress-nginx, HAProxy,
 * Apache, Varnish.
 */
export const nginx: GatewayDialect = {
  id: 'nginx',
  toOriginal: ({ headers }) =>
    originalFromHeaders(headers, { method: 'x-original-method', target: TARGET.toLowerCase(), host: null }),
  toAnswer: (outcome) => {
    const answer = toSharedAnswer(outcome, TARGET);
    if (outcome.effect.kind !== 'redirect') return answer;
    // nginx accepts only 2xx, 401 and 403; a 302 would become a 500. Its configuration turns the Location
    // into a redirect.
    const challenge = toSharedAnswer({ ...outcome, effect: { kind: 'challenge' } }, TARGET);
    return { ...challenge, headers: { ...challenge.headers, location: outcome.effect.url } };
  },
};
