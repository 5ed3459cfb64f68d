import { toSharedAnswer } from '../answer.ts';
import type { GatewayDialect } from '../definition.ts';
import { originalFromHeaders } from '../original-request.ts';

const HEADERS = { method: 'X-Forwarded-Method', target: 'X-Forwarded-Uri', host: 'X-Forwarded-Host' };

/** Traefik `forwardAuth` and Caddy `forward_auth`. */
export const forwardAuth: GatewayDialect = {
  id: 'forward-auth',
  originalHeaders: HEADERS,
  toOriginal: originalFromHeaders(HEADERS),
  toAnswer: (result) => toSharedAnswer(result, HEADERS.target),
};
