import type { SeededRandom } from './seeded-random.ts';
import { API_KEYS } from './service.ts';
import { MOBILERUN, PREFACTOR, STYTCH } from './upstream-payloads.ts';

/** One request over HTTP as it goes over the wire. */
export interface HttpStep {
  readonly kind: 'http';
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
}

/** How the subjects of a group are chosen. */
export interface Flavour {
  /** Ids of each kind: few are asked about again and again, many are mostly new. */
  readonly idsMax: number;
  /** The share of subjects that every provider knows and none complains of. */
  readonly cleanShare: number;
}

/** A body of POST /v1/decide. */
export type DecideBody = Readonly<Record<string, unknown>>;

/** Not asked about here: a hang is for a request of its own, and a failure that is tried again for few. */
const SLOW = new Set(['hang', 'reset', 'e503']);
const kindsOf = (replies: Readonly<Record<string, unknown>>) =>
  Object.keys(replies).filter((kind) => !SLOW.has(kind));
const STYTCH_KINDS = kindsOf(STYTCH);
const MOBILERUN_KINDS = kindsOf(MOBILERUN);
const PREFACTOR_KINDS = kindsOf(PREFACTOR);

const ODD_IDS = [
  null,
  '',
  ' ',
  '.',
  '..',
  'allow~\ud800',
  '\udc00full~active~1',
  'allow~é',
  'allow~e\u0301',
  'full~active~a/b?c=%2F&d#e',
  'constructor',
  '__proto__',
  'allow~\u0000\u001f"\\',
  `full~active~${'x'.repeat(240)}`,
];
const ADDRESSES = [
  '203.0.113.7',
  '192.0.2.55',
  '2001:DB8::0:1',
  '::ffff:192.0.2.1',
  '[2001:db8::2]:443',
  '198.51.100.3:8443',
];
const AGENTS = ['Mozilla/5.0 (X11; Linux x86_64)', 'curl/8', '', 'agent \u00fc \ud83d\ude00'];

const spell = (random: SeededRandom, id: string) => (random.chance(0.06) ? id.toUpperCase() : id);

/** A telemetry id as a body has it; undefined leaves it out. */
function telemetryId(random: SeededRandom, { idsMax, cleanShare }: Flavour): string | null | undefined {
  if (random.chance(cleanShare)) return spell(random, `allow~${random.int(idsMax)}`);
  if (random.chance(0.06)) return undefined;
  if (random.chance(0.12)) return random.pick(ODD_IDS);
  return spell(random, `${random.pick(STYTCH_KINDS)}~${random.int(idsMax)}`);
}

function deviceId(random: SeededRandom, { idsMax, cleanShare }: Flavour): string | null {
  if (random.chance(cleanShare)) return `full~active~${random.int(Math.ceil(idsMax / 2))}`;
  if (random.chance(0.12)) return random.pick(ODD_IDS);
  const words = random.chance(0.5)
    ? ['full', random.pick(PREFACTOR_KINDS)]
    : [random.pick(MOBILERUN_KINDS), random.chance(0.5) ? 'active' : random.pick(PREFACTOR_KINDS)];
  return spell(random, `${words.join('~')}~${random.int(idsMax)}`);
}

function devices(random: SeededRandom, flavour: Flavour): DecideBody {
  if (random.chance(0.04)) return {};
  if (!random.chance(0.12)) return { device_id: deviceId(random, flavour) };
  const named: Record<string, string | null> = {};
  if (random.chance(0.7)) named['mobilerun'] = deviceId(random, flavour);
  if (random.chance(0.7)) named['prefactor'] = deviceId(random, flavour);
  return { device_ids: named };
}

/** A body about a generated subject, with its members in a varying order. */
export function generateBody(random: SeededRandom, flavour: Flavour): DecideBody {
  const telemetry = telemetryId(random, flavour);
  const device = devices(random, flavour);
  const rest = {
    ...(random.chance(0.6) && { action: random.pick(['login', 'payout', 'sign-up.v2']) }),
    ...(random.chance(0.6) && { account_id: `acct-${random.int(3)}` }),
    ...(random.chance(0.5) && { ip: random.pick(ADDRESSES) }),
    ...(random.chance(0.4) && { user_agent: random.pick(AGENTS) }),
    ...(random.chance(0.1) && { max_age_ms: random.pick([0, 1, 1_000, 20_000]) }),
    ...(random.chance(0.05) && { deadline_ms: random.pick([9_000, 10_000]) }),
  };
  const first = telemetry === undefined ? {} : { telemetry_id: telemetry };
  return random.chance(0.5) ? { ...first, ...device, ...rest } : { ...rest, ...device, ...first };
}

const INVALID: readonly unknown[] = [
  [],
  'text',
  null,
  { telemetry_id: 5 },
  { device_id: 'a', device_ids: {} },
  { device_ids: { stytch: 'x' } },
  { surprising: true, telemetry_id: 'x'.repeat(257) },
  { action: 'not allowed', ip: 'nowhere', max_age_ms: -1, deadline_ms: 49 },
];
const INVALID_TEXT = [
  '',
  '{',
  '{"telemetry_id":"a","telemetry_id":"b"}',
  '{"telemetry_id":"a","telemetry\\u005fid":"b"}',
  '{"__proto__":{}}',
];

const bearer = (key: string) => ['Authorization', `Bearer ${key}`] as const;

/** POST /v1/decide. */
export function postDecide(
  body: unknown,
  { key = API_KEYS.all, query = '', headers = [] }: Partial<PostOptions> = {},
): HttpStep {
  return {
    kind: 'http',
    method: 'POST',
    target: `/v1/decide${query}`,
    headers: [bearer(key), ['Content-Type', 'application/json'], ...headers],
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

interface PostOptions {
  readonly key: string;
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** A request to POST /v1/decide: mostly good, sometimes explained, with headers, or wrong. */
export function generatePost(random: SeededRandom, flavour: Flavour): HttpStep {
  if (random.chance(0.03)) return postDecide(random.pick(INVALID));
  if (random.chance(0.015)) return postDecide(random.pick(INVALID_TEXT));
  const headers: (readonly [string, string])[] = [];
  if (random.chance(0.2)) headers.push(['X-Request-ID', `caller-${random.int(1000)}`]);
  if (random.chance(0.02)) headers.push(['X-Request-ID', 'not "good"']);
  if (random.chance(0.05)) headers.push(['X-Request-Deadline', String(8_000 + random.int(4_000))]);
  if (random.chance(0.08)) headers.push(['Idempotency-Key', `"once-${random.int(4)}"`]);
  if (random.chance(0.05))
    headers.push(['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']);
  const query = random.chance(0.3) ? '?explain=full' : '';
  const key = random.chance(0.12)
    ? random.pick([API_KEYS.decide, API_KEYS.limited, 'a wrong key'])
    : undefined;
  return postDecide(generateBody(random, flavour), { query, headers, ...(key && { key }) });
}

/** A read, or an operation of an operator, with the key of all scopes. */
export function ask(method: string, target: string): HttpStep {
  return { kind: 'http', method, target, headers: [bearer(API_KEYS.all)], body: null };
}

/** A purge of an id that the group probably asks about. */
export function generatePurge(random: SeededRandom, { idsMax }: Flavour): HttpStep {
  const id = random.int(idsMax);
  const query = random.chance(0.5) ? `telemetry_id=allow~${id}` : `device_id=full~active~${id}`;
  return ask('DELETE', `/v1/evidence?${query}`);
}
