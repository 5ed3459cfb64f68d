import { toSharedAnswer } from '../answer.ts';
import type { GatewayDialect } from '../definition.ts';
import { originalFromHeaders } from '../original-request.ts';

const TARGET = 'X-Forwarded-Uri';

/** Traefik `forwardAuth` and Caddy `forward_auth`. */
export const forwardAuth: GatewayDialect = {
  id: 'forward-auth',
  toOriginal: ({ headers }) =>
    originalFromHeaders(headers, {
      method: 'x-forwarded-method',
      target: TARGET.toLowerCase(),
      host: 'x-forwarded-host',
    }),
  toAnswer: (outcome) => toSharedAnswer(outcome, TARGET),
};
