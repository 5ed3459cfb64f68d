import {
  type GrpcStep,
  generateGrpcQuestion,
  generateSubrequest,
  PROFILES,
} from './generated-gateway-requests.ts';
import { everyAtomPolicy, generatePolicy } from './generated-policies.ts';
import {
  ask,
  type Flavour,
  generatePost,
  generatePurge,
  type HttpStep,
  postDecide,
} from './generated-requests.ts';
import { createSeededRandom, type SeededRandom } from './seeded-random.ts';
import { API_KEYS, type ServiceOptions } from './service.ts';

/** What is done next to a service. */
export type Step =
  | HttpStep
  | GrpcStep
  /** Requests that arrive before any of them is answered. */
  | { readonly kind: 'together'; readonly requests: readonly HttpStep[] }
  /** Time passes. */
  | { readonly kind: 'advance'; readonly ms: number }
  /** No provider knows any id from now on, or each knows its own again. */
  | { readonly kind: 'forget'; readonly isForgotten: boolean }
  /** The next calls to the upstreams wait for each other, and take so long. */
  | { readonly kind: 'hold'; readonly calls: number; readonly ms: number };

/** A run of requests that is compared as a whole. */
export interface Group {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** A service, and the groups that it is asked in their order. */
export interface Scenario {
  readonly name: string;
  readonly service: ServiceOptions;
  readonly groups: readonly Group[];
}

const GROUP_STEPS = 24;
const REPEATED: Flavour = { idsMax: 4, cleanShare: 0.55 };
const MIXED: Flavour = { idsMax: 12, cleanShare: 0.25 };
const TRIALS: Flavour = { idsMax: 3, cleanShare: 0.1 };

/** The same service under many policies. */
export function policyScenarios(): readonly Scenario[] {
  const generated = Array.from({ length: 12 }, (_, number) =>
    mixed(`generated-${number}`, { policy: { text: generatePolicy(number, 3 + number * 3) } }, 6),
  );
  return [mixed('every-atom', { policy: { text: everyAtomPolicy() } }, 8), ...generated];
}

/** The policies of this repository under many settings, entry points and states of the upstreams. */
export function serviceScenarios(): readonly Scenario[] {
  return [
    mixed('default', { policy: { file: 'default' } }, 18),
    mixed('strict', { policy: { file: 'strict' } }, 14),
    ...settings(),
    gateways(),
    callers(),
    slow(),
    forgetful(),
    failing(),
  ];
}

/** Other settings of the same service. */
function settings(): readonly Scenario[] {
  const policy = { file: 'default' };
  const env = (more: Record<string, string>): ServiceOptions => ({ policy, env: more });
  return [
    mixed('without-stytch', env({ STYTCH_PROJECT_ID: '', STYTCH_SECRET: '' }), 3),
    mixed('without-mobilerun', env({ MOBILERUN_API_KEY: '' }), 3),
    mixed('without-devices', env({ MOBILERUN_API_KEY: '', PREFACTOR_API_TOKEN: '' }), 3),
    mixed('few-entries', env({ CUSTODY_ENTRIES_MAX: '4', CACHE_ENTRIES_MAX: '5' }), 5),
    mixed('not-cached', env({ STYTCH_OK_TTL_SECONDS: '0', MOBILERUN_NOT_FOUND_TTL_SECONDS: '0' }), 3),
    mixed('two-keys', env({ ID_HASH_KEY: '', ID_HASH_KEYS: `${'n'.repeat(32)},${'o'.repeat(32)}` }), 4),
    mixed('lookup-by-get', env({ STYTCH_LOOKUP_METHOD: 'get' }), 2),
    mixed('unrecorded', env({ DECISION_LOG: 'off', METRICS: 'off' }), 4),
    mixed('scores', { policy, hasScores: true, profiles: PROFILES }, 4),
  ];
}

/** Requests of all kinds under one policy, in so many groups. */
export function mixed(name: string, service: ServiceOptions, groupsCount: number): Scenario {
  const groups = Array.from({ length: groupsCount }, (_, number): Group => {
    const random = createSeededRandom(`${name} ${number}`);
    const flavour = random.pick([REPEATED, REPEATED, MIXED, TRIALS]);
    return { name: `${name}/${number}`, steps: mixedSteps(random, flavour) };
  });
  return { name, service, groups: [...groups, reads(name)] };
}

function mixedSteps(random: SeededRandom, flavour: Flavour): Step[] {
  const steps: Step[] = [];
  for (let count = 0; count < GROUP_STEPS; count += 1) {
    steps.push({ kind: 'advance', ms: passes(random) });
    if (random.chance(0.05)) steps.push(generatePurge(random, flavour));
    steps.push(generatePost(random, flavour));
  }
  return steps;
}

/** Mostly moments, sometimes longer than evidence or a telemetry id lives. Halves show what is rounded. */
function passes(random: SeededRandom): number {
  if (random.chance(0.02)) return 4_000_000;
  if (random.chance(0.1)) return 6_000 + random.int(60_000);
  return random.int(4_000) / 2;
}

/** What can be read of all that was decided. */
function reads(name: string): Group {
  const steps = [
    ask('GET', '/v1/decisions?limit=100'),
    ask('GET', '/v1/decisions?limit=3&decision=BLOCK'),
    ask('GET', '/v1/stats?window=1h&step=5m'),
    ...['reason', 'provider_outcome', 'provider_cache_level', 'rule', 'caller'].map((group) =>
      ask('GET', `/v1/stats?window=24h&group_by=${group}`),
    ),
    ask('GET', '/metrics'),
  ];
  return { name: `${name}/reads`, steps };
}

function gateways(): Scenario {
  const service: ServiceOptions = {
    policy: { file: 'default' },
    profiles: PROFILES,
    hasScores: true,
    env: { GRPC_PORT: '0' },
  };
  const groups = Array.from({ length: 16 }, (_, number): Group => {
    const isGrpc = number % 4 === 3;
    const random = createSeededRandom(`gateways ${number}`);
    const steps = Array.from({ length: GROUP_STEPS }, (): readonly Step[] => [
      { kind: 'advance', ms: random.int(3_000) },
      isGrpc ? generateGrpcQuestion(random) : generateSubrequest(random),
    ]).flat();
    return { name: `gateways/${isGrpc ? 'grpc' : 'http'}-${number}`, steps };
  });
  return { name: 'gateways', service, groups: [...groups, reads('gateways')] };
}

/** One caller over its limits, and answers that are given again. */
function callers(): Scenario {
  const body = { telemetry_id: 'allow~1', device_id: 'full~active~1', action: 'login' };
  const limited = Array.from({ length: 8 }, (): readonly Step[] => [
    { kind: 'advance', ms: 1_500 },
    postDecide(body, { key: API_KEYS.limited }),
  ]).flat();
  const once = (sent: unknown, field: string, query = '') =>
    postDecide(sent, { query, headers: [['Idempotency-Key', field]] });
  const repeated: readonly Step[] = [
    once(body, '"a"'),
    { kind: 'advance', ms: 2_000 },
    once({ action: 'login', device_id: 'full~active~1', telemetry_id: 'allow~1' }, '"a"'),
    once({ ...body, action: 'payout' }, '"a"'),
    once(body, '"a"', '?explain=full'),
    once(body, '"b"', '?explain=full'),
    once(body, '"b"', '?explain=full'),
    once({ action: 'not allowed' }, '"c"'),
    once(body, '"c"'),
    once(body, 'unquoted'),
    { kind: 'advance', ms: 90_000_000 },
    once(body, '"a"'),
  ];
  const groups = [
    { name: 'callers/limited', steps: [...limited, { kind: 'advance', ms: 30_000 } as const, ...limited] },
    { name: 'callers/repeated', steps: repeated },
    reads('callers'),
  ];
  return { name: 'callers', service: { policy: { file: 'default' } }, groups };
}

/** Calls that take time, and calls that never end while the other evidence is at hand. */
function slow(): Scenario {
  const late = Array.from({ length: 12 }, (_, number): readonly Step[] => [
    { kind: 'hold', calls: 3, ms: 3 + number * 7.13 },
    postDecide({ telemetry_id: `allow~late${number}`, device_id: `full~active~late${number}` }),
  ]);
  const joined = Array.from({ length: 6 }, (_, number): readonly Step[] => {
    const request = postDecide({
      telemetry_id: `allow~shared${number}`,
      device_id: `full~active~s${number}`,
    });
    return [
      { kind: 'hold', calls: 3, ms: 5 },
      { kind: 'together', requests: [request, request, request] },
    ];
  });
  const clean = { telemetry_id: 'allow~1', device_id: 'full~active~1' };
  const hanging = [
    { telemetry_id: 'hang~1' },
    { device_ids: { mobilerun: 'hang~active~1' } },
    { device_id: undefined, device_ids: { prefactor: 'full~hang~1' } },
    { telemetry_id: 'hang~2', account_id: 'acct-1' },
  ].map((subject): readonly Step[] => [
    postDecide(clean),
    postDecide({
      ...clean,
      ...('device_ids' in subject && { device_id: undefined }),
      ...subject,
      deadline_ms: 50,
    }),
    postDecide({ ...clean, max_age_ms: 60_000 }, { query: '?explain=full' }),
  ]);
  const again = ['reset~1', 'e503~1'].map((id) => postDecide({ ...clean, telemetry_id: id }));
  const groups = [
    { name: 'slow/late', steps: late.flat() },
    { name: 'slow/joined', steps: joined.flat() },
    { name: 'slow/hanging', steps: hanging.flat() },
    { name: 'slow/tried-again', steps: again },
    reads('slow'),
  ];
  return { name: 'slow', service: { policy: { file: 'default' } }, groups };
}

/** Providers that have never found any id become suspect, and are trusted again. */
function forgetful(): Scenario {
  const decide = (number: number): readonly Step[] => [
    { kind: 'advance', ms: 100 },
    postDecide(
      {
        telemetry_id: `allow~${number}`,
        device_id: `full~active~${number}`,
        ip: `203.0.${number % 25}.7`,
      },
      { query: number % 3 === 0 ? '?explain=full' : '' },
    ),
  ];
  const run = (first: number, count: number) =>
    Array.from({ length: count }, (_, place) => decide(first + place)).flat();
  const groups: Group[] = [
    { name: 'forgetful/unknown', steps: [{ kind: 'forget', isForgotten: true }, ...run(0, 40)] },
    { name: 'forgetful/suspect', steps: run(40, 40) },
    { name: 'forgetful/trusted', steps: [{ kind: 'forget', isForgotten: false }, ...run(80, 12)] },
    reads('forgetful'),
  ];
  return { name: 'forgetful', service: { policy: { file: 'default' } }, groups };
}

/** A provider that fails until its circuit opens, and recovers. */
function failing(): Scenario {
  const decide = (telemetry: string, number: number): readonly Step[] => [
    { kind: 'advance', ms: 200 },
    postDecide({ telemetry_id: `${telemetry}~${number}`, device_id: 'full~active~1' }),
  ];
  const run = (telemetry: string, count: number) =>
    Array.from({ length: count }, (_, number) => decide(telemetry, number)).flat();
  const groups: Group[] = [
    { name: 'failing/down', steps: [...run('allow', 4), ...run('e500', 40)] },
    { name: 'failing/open', steps: run('allow', 12) },
    { name: 'failing/up', steps: [{ kind: 'advance', ms: 60_000 }, ...run('allow', 12)] },
    reads('failing'),
  ];
  return { name: 'failing', service: { policy: { file: 'strict' } }, groups };
}
