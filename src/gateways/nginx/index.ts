import { toSharedAnswer } from '../answer.ts';
import type { GatewayDialect } from '../definition.ts';
import { originalFromHeaders } from '../original-request.ts';

const TARGET = 'X-Original-URI';

/** nginx `auth_request`, and whatever else can set two headers on a subrequest: ingress-nginx, HAProxy, Apache, Varnish. */
export const nginx: GatewayDialect = {
  id: 'nginx',
  toOriginal: ({ headers }) =>
    originalFromHeaders(headers, { method: 'x-original-method', target: TARGET.toLowerCase(), host: null }),
  toAnswer: (outcome) => {
    const answer = toSharedAnswer(outcome, TARGET);
    if (outcome.effect.kind !== 'redirect') return answer;
    // A 302 would become a 500: nginx knows 2xx, 401 and 403. Its configuration makes a redirect of the Location.
    const challenge = toSharedAnswer({ ...outcome, effect: { kind: 'challenge' } }, TARGET);
    return { ...challenge, headers: { ...challenge.headers, location: outcome.effect.url } };
  },
};
