import type { GatewayDialect } from './definition.ts';
import { DIALECTS } from './registry.ts';

const text = (description: string) => ({ description, type: 'string' });

const RISK_HEADERS = {
  'x-risk-decision': {
    ...text('What was decided; `UNAVAILABLE` where nothing could be.'),
    enum: ['ALLOW', 'CHALLENGE', 'BLOCK', 'UNAVAILABLE'],
  },
  'x-risk-decision-id': text('UUIDv7 of the decision, or `none`.'),
  'x-risk-reasons': text('Reason codes, comma separated, at most 512 characters, or `none`.'),
  'cache-control': text('`no-store`, or `max-age=…` on an ALLOW of a profile with `cache_ttl_seconds`.'),
};

const refusal = (description: string, headers: object = {}) => ({
  description,
  headers: { ...RISK_HEADERS, ...headers },
  content: {
    'application/json': {
      schema: {
        type: 'object',
        required: ['decision', 'decision_id'],
        properties: { decision: { type: 'string' }, decision_id: { type: ['string', 'null'] } },
      },
    },
  },
});

function describeOriginal({ id, originalHeaders }: GatewayDialect): string {
  if (originalHeaders === null) return `for \`${id}\` the request itself, with its path after the profile`;
  const { method, target, host } = originalHeaders;
  const names = [method, target, host].flatMap((name) => (name === null ? [] : [`\`${name}\``]));
  return `for \`${id}\` in the headers ${names.join(', ')}`;
}

/** The description of the gateway route, which covers every method and every path below it. */
export const GATEWAY_ROUTE_SCHEMA = {
  summary: 'A gateway asks before it lets a request in',
  description: `Every method, and anything after the profile. The original request is ${DIALECTS.map(describeOriginal).join('; ')}. The gateway proves itself as its profile says, by default with an API key of the scope \`decide\` in \`X-Riskgate-Key\`. Bodies are not read.`,
  operationId: 'gateway',
  tags: ['gateways'],
  security: [{ gatewayKey: [] }],
  params: {
    type: 'object',
    required: ['dialect', 'profile'],
    properties: {
      dialect: text(`One of ${DIALECTS.map(({ id }) => `\`${id}\``).join(', ')}.`),
      profile: text('`default`, or a name in `GATEWAY_PROFILES_FILE`.'),
    },
  },
  response: {
    200: {
      description: 'ALLOW: let the request in. CHALLENGE where the profile passes it on.',
      headers: RISK_HEADERS,
    },
    302: refusal('CHALLENGE, where the profile redirects.', { location: text('Where to send the user.') }),
    401: refusal('CHALLENGE.', { 'www-authenticate': text('RFC 9470.') }),
    403: refusal('BLOCK, or a gateway, profile or question that is not known.'),
    503: refusal('Nothing could be decided.', {
      'retry-after': text('Seconds after which another try makes sense.'),
    }),
  },
} as const;
