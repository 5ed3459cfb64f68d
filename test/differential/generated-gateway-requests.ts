import type { EnvoyQuestion } from '../support/envoy-client.ts';
import type { HttpStep } from './generated-requests.ts';
import type { SeededRandom } from './seeded-random.ts';
import { API_KEYS } from './service.ts';

/** One question of Envoy over gRPC. */
export interface GrpcStep {
  readonly kind: 'grpc';
  readonly question: EnvoyQuestion;
}

/** Profiles that differ in all that a profile can say. */
export const PROFILES = {
  default: {},
  pass: { challenge: 'pass', cache_ttl_seconds: 5, action: 'browse' },
  forbid: { challenge: 'forbid', ip_header: 'x-real-ip', account_id: [{ header: 'x-account' }] },
  redirect: {
    challenge: 'redirect',
    challenge_url: 'https://login.example/step-up',
    acr_values: 'urn:example:strong',
    ip_header: 'x-real-ip',
    exempt_methods: ['OPTIONS'],
    exempt_paths: ['/assets/*', '/health'],
  },
  soft: { on_unavailable: 'allow', telemetry_id: [{ cookie: 'tid' }], device_id: [{ query: 'did' }] },
};

const TARGETS = [
  '/shop?page=1',
  '/',
  '/assets/app.js',
  '/health',
  '/a%2Fb/../c?telemetry_id=block~1&device_id=full~revoked~1',
  '/shop?did=full~active~1&did=full~active~2',
];
const TELEMETRY = [
  'allow~1',
  'allow~2',
  'allow~3',
  'block~1',
  'challenge~1',
  'unknown~1',
  'e500~1',
  'ALLOW~1',
];
const DEVICES = ['full~active~1', 'full~active~2', 'bare~fresh~1', 'full~revoked~1', 'unknown~unknown~1'];

type Fields = (readonly [string, string])[];

function endUserFields(random: SeededRandom): Fields {
  const fields: Fields = [];
  if (random.chance(0.85)) fields.push(['X-Telemetry-ID', random.pick(TELEMETRY)]);
  if (random.chance(0.85)) fields.push(['X-Device-ID', random.pick(DEVICES)]);
  if (random.chance(0.03)) fields.push(['X-Device-ID', random.pick(DEVICES)]);
  if (random.chance(0.3)) fields.push(['Cookie', `tid=${random.pick(TELEMETRY)}; telemetry_id=allow~4`]);
  if (random.chance(0.7)) fields.push(['X-Real-IP', random.pick(['203.0.113.7', '2001:db8::9', 'nowhere'])]);
  if (random.chance(0.05)) fields.push(['X-Real-IP', '192.0.2.1']);
  if (random.chance(0.4)) fields.push(['X-Account', `acct-${random.int(2)}`]);
  if (random.chance(0.4)) fields.push(['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64)']);
  if (random.chance(0.2)) fields.push(['X-Request-ID', `end-user-${random.int(9)}`]);
  return fields;
}

/** A subrequest of nginx, of forward-auth or of Envoy over HTTP. */
export function generateSubrequest(random: SeededRandom): HttpStep {
  const dialect = random.pick(['nginx', 'forward-auth', 'envoy']);
  const profile = random.chance(0.03) ? 'nobody' : random.pick(Object.keys(PROFILES));
  const method = random.pick(['GET', 'GET', 'POST', 'OPTIONS']);
  const target = random.pick(TARGETS);
  const original: Fields = [];
  if (dialect === 'nginx') original.push(['X-Original-Method', method], ['X-Original-URI', target]);
  if (dialect === 'forward-auth')
    original.push(
      ['X-Forwarded-Method', method],
      ['X-Forwarded-Uri', target],
      ['X-Forwarded-Host', 'shop.example'],
    );
  if (random.chance(0.03)) original.pop();
  const key = random.chance(0.04) ? 'a wrong key' : API_KEYS.decide;
  return {
    kind: 'http',
    method: dialect === 'envoy' ? method : 'GET',
    target: `/v1/gateway/${dialect}/${profile}${dialect === 'envoy' ? target : ''}`,
    headers: [['X-Riskgate-Key', key], ...original, ...endUserFields(random)],
    body: null,
  };
}

/** The same over gRPC. */
export function generateGrpcQuestion(random: SeededRandom): GrpcStep {
  const headers: Record<string, string> = {};
  for (const [name, value] of endUserFields(random)) headers[name.toLowerCase()] = value;
  const profile = random.chance(0.03) ? 'nobody' : random.pick(Object.keys(PROFILES));
  const key = random.chance(0.04) ? 'a wrong key' : API_KEYS.decide;
  return {
    kind: 'grpc',
    question: {
      method: random.pick(['GET', 'POST', 'OPTIONS']),
      path: random.pick(TARGETS),
      headers,
      ...(random.chance(0.5) && { source: '198.51.100.9' }),
      contextExtensions: { profile },
      metadata: { 'x-riskgate-key': key },
    },
  };
}
