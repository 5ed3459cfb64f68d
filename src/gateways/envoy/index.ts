import { toSharedAnswer } from '../answer.ts';
import type { GatewayDialect } from '../definition.ts';
import { singleValue } from '../original-request.ts';

/**
 * Envoy `ext_authz` over HTTP, and gateways built on it: the request has the original method, and the
 * original path after ours.
 */
export const envoy: GatewayDialect = {
  id: 'envoy',
  originalHeaders: null,
  toOriginal: ({ method, rest, headers }) => ({
    method,
    target: rest.startsWith('/') ? rest : `/${rest}`,
    host: singleValue(headers, 'host'),
    headers,
  }),
  toAnswer: (result) => toSharedAnswer(result, null),
};
