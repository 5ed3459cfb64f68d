import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import type { Clock } from '../../src/application/clock.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Answer, DecisionBody } from '../support/answer.ts';
import { askGateway } from '../support/ask-gateway.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { patienceOf } from '../support/start-service.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import {
  createManualClock,
  createTestApp,
  portOf,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

interface Explained {
  readonly explanation: {
    readonly signals: {
      readonly telemetry: {
        readonly uses: number;
        readonly age_seconds: number;
        readonly bound_elsewhere: boolean;
        readonly omits_device: boolean;
        readonly omits_account: boolean;
        readonly expired?: boolean;
      } | null;
    };
    readonly rules: readonly {
      readonly rule: string;
      readonly result: string;
      readonly why: string | null;
    }[];
  };
}

const EXPLAIN = { url: '/v1/decide?explain=full' };
/** Ample, so that a busy machine is not taken for a lost Redis where the test is not about that. */
const PATIENT = { ...patienceOf(10_000), REDIS_TIMEOUT_MS: '10000' };
/** Enough to race; test/herds has the thousand. */
const CROWD = 50;

const redis = await startRedisServer(t);
const emulators = await startEmulators(t);
let serial = 0;

/** A good id that nothing has used yet. */
function fresh(): string {
  serial += 1;
  return `fault-slow-0-custody-${serial}`;
}

async function openMemory(
  t: Test,
  _server?: RedisServer,
  env: Record<string, string> = PATIENT,
  clock: Clock = systemClock,
): Promise<TestApp> {
  return createTestApp(t, { emulators, env, clock });
}

/** The emulated Stytch behind a switch that makes it fail. */
async function startStytchThatFails(t: Test) {
  const upstream = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  let isFailing = false;
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.stringify(await json(request));
    if (isFailing) return void response.writeHead(503).end();
    const headers = {
      authorization: request.headers.authorization ?? '',
      'content-type': 'application/json',
    };
    const answer = await fetch(`${upstream}${request.url}`, { method: 'POST', headers, body });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  };
  const server = createServer((request, response) => void forward(request, response));
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${portOf(server.address() as AddressInfo)}`,
    fail: (fails: boolean) => {
      isFailing = fails;
    },
  };
}

/** Takes so much of the life of every binding as if the time had passed, and ends those that have no more. */
async function passTime(server: RedisServer, ms: number): Promise<void> {
  const client = new Redis(server.url);
  for (const key of await client.keys('*:custody:*'))
    await client.pexpire(key, (await client.pttl(key)) - ms);
  client.disconnect();
}

/**
 * The emulated Stytch behind a vendor that keeps ids in lower case and takes them in any. Returns its origin.
 */
async function startFoldingStytch(t: Test): Promise<string> {
  const upstream = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = (await json(request)) as { readonly telemetry_id: string };
    const answer = await fetch(`${upstream}${request.url}`, {
      method: 'POST',
      headers: { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' },
      body: JSON.stringify({ ...asked, telemetry_id: asked.telemetry_id.toLowerCase() }),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  };
  const server = createServer((request, response) => void forward(request, response));
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${portOf(server.address() as AddressInfo)}`;
}

async function openRedis(
  t: Test,
  server: RedisServer = redis,
  env: Record<string, string> = PATIENT,
  clock: Clock = systemClock,
) {
  const app = await createTestApp(t, { emulators, clock, env: { REDIS_URL: server.url, ...env } });
  await untilRedisIsUp(app);
  return app;
}

/** The decision, and what was read of custody. */
async function ask(app: TestApp, body: object) {
  const { status, json } = (await app.decide(body, EXPLAIN)) as Answer<DecisionBody & Explained>;
  const { signals, rules } = json.explanation;
  return { status, json, telemetry: signals.telemetry, rules, codes: json.reasons.map(({ code }) => code) };
}

for (const [where, open] of [
  ['memory', openMemory],
  ['Redis', openRedis],
] as const) {
  t.test(`allows repeats by the same subject, and counts them, in ${where}`, async (t) => {
    const app = await open(t);
    const body = { telemetry_id: fresh(), device_id: fresh(), account_id: 'acct_1' };
    for (let uses = 1; uses <= 5; uses += 1) {
      const { json, telemetry } = await ask(app, body);
      t.match(json, { decision: 'ALLOW', reasons: [], degraded: false });
      t.match(telemetry, { uses, age_seconds: Number, bound_elsewhere: false, expired: false });
    }
  });

  t.test(`never takes a gateway's retry or a page's re-check for a replay, in ${where}`, async (t) => {
    const app = await open(t);
    const telemetry_id = `fault-flaky-4-${fresh()}`;
    const subject = { telemetry_id, device_id: fresh(), account_id: 'acct_1', action: 'login' };
    const repeats: readonly (readonly [string, object, string])[] = [
      ['the provider fails', subject, 'CHALLENGE'],
      ['it fails again', subject, 'CHALLENGE'],
      ['it answers', subject, 'ALLOW'],
      ['a gateway that knows no account', { telemetry_id, device_id: subject.device_id }, 'ALLOW'],
      ['another action', { ...subject, action: 'payout' }, 'ALLOW'],
      ['another address and browser', { ...subject, ip: '203.0.113.9', user_agent: 'x' }, 'ALLOW'],
      ['old evidence is welcome', { ...subject, max_age_ms: 3_600_000 }, 'ALLOW'],
      ['a shorter deadline', { ...subject, deadline_ms: 9_000 }, 'ALLOW'],
    ];
    for (const [index, [what, body, verdict]] of repeats.entries()) {
      const { json, telemetry } = await ask(app, body);
      t.equal(json.decision, verdict, what);
      t.match(telemetry, { uses: index + 1, bound_elsewhere: false }, what);
      t.equal(json.degraded, verdict === 'CHALLENGE', what);
      t.notOk(
        json.reasons.some(({ code }) => code === 'TELEMETRY_REPLAYED'),
        what,
      );
    }
    const uncached = { ...subject, telemetry_id: fresh(), max_age_ms: 0 };
    for (let uses = 1; uses <= 3; uses += 1)
      t.match(
        await ask(app, uncached),
        { json: { decision: 'ALLOW' }, telemetry: { uses } },
        'fresh evidence',
      );
  });

  t.test(`tells a replay in another spelling, where the provider knows both, in ${where}`, async (t) => {
    const app = await open(t, undefined, { ...PATIENT, STYTCH_BASE_URL: await startFoldingStytch(t) });
    const telemetry_id = fresh();
    t.match(await ask(app, { telemetry_id, device_id: fresh() }), { json: { decision: 'ALLOW' } });
    const replay = { telemetry_id: telemetry_id.toUpperCase(), device_id: fresh() };
    t.match(await ask(app, replay), {
      json: { decision: 'BLOCK', providers: { stytch: { outcome: 'ok' } } },
      codes: ['TELEMETRY_REPLAYED'],
    });
    const cacheOf = async (body: object) => (await ask(app, body)).json.providers.stytch.cache;
    t.equal(await cacheOf({ telemetry_id, device_id: 'active' }), 'hit');
    t.equal(
      await cacheOf(replay),
      'miss',
      'a purge of the id would not find what is kept of another spelling',
    );
  });

  t.test(`lets no other spelling of an id, and nobody else, shorten a binding, in ${where}`, async (t) => {
    const clock = createManualClock();
    const stytch = await startStytchThatFails(t);
    const env = { ...PATIENT, STYTCH_BASE_URL: stytch.origin, STYTCH_NOT_FOUND_TTL_SECONDS: '0' };
    const own = await startRedisServer(t);
    const app = await open(t, own, env, clock);
    const owner = { telemetry_id: fresh(), device_id: fresh(), account_id: 'acct_1' };
    stytch.fail(true);
    t.match((await ask(app, owner)).json, { decision: 'CHALLENGE', degraded: true });
    stytch.fail(false);
    const spelling = owner.telemetry_id.toUpperCase();
    const thief = { device_id: fresh(), account_id: 'acct_2' };
    for (const attack of [thief, {}, { account_id: 'acct_2' }])
      t.match((await ask(app, { ...attack, telemetry_id: spelling })).json, { decision: 'BLOCK' });
    clock.advance(660_000);
    if (where === 'Redis') await passTime(own, 660_000);
    // By this clock nobody has heard of lists for eleven minutes.
    await until('lists are heard of again', async () => {
      const { lists } = (await app.ask<{ lists: string }>('GET', '/readyz')).json;
      return lists === 'current';
    });
    t.match(await ask(app, { ...owner, ...thief }), {
      json: { decision: 'BLOCK' },
      telemetry: { bound_elsewhere: true },
    });
    t.match(await ask(app, owner), { json: { decision: 'ALLOW' }, telemetry: { bound_elsewhere: false } });
  });

  t.test(`counts a retry under an idempotency key once, in ${where}`, async (t) => {
    const app = await open(t);
    const body = { telemetry_id: fresh(), device_id: fresh() };
    const key = { headers: { 'idempotency-key': `"${body.telemetry_id}"` } };
    await until('the answer is kept', async () => {
      const { headers } = await app.decide(body, key);
      return headers['idempotency-replayed'] === 'true';
    });
    t.match((await ask(app, body)).telemetry, { bound_elsewhere: false });
    // A store that is late on a busy machine protects no retry: such a round says nothing and is repeated.
    await until('a retry is replayed', async () => {
      const { telemetry: before } = await ask(app, body);
      const { headers } = await app.decide(body, key);
      if (headers['idempotency-replayed'] !== 'true') return false;
      const { telemetry: after } = await ask(app, body);
      t.equal(after?.uses, (before?.uses ?? 0) + 1, 'the replay is no use');
      return true;
    });
  });

  t.test(`blocks another device and another account, and goes on with the first, in ${where}`, async (t) => {
    const app = await open(t);
    const holder = { telemetry_id: fresh(), device_id: fresh(), account_id: 'acct_1' };
    await ask(app, holder);
    for (const change of [
      { device_id: fresh() },
      { account_id: 'acct_2' },
      { device_id: fresh(), account_id: 'acct_2' },
    ]) {
      const { json, codes, telemetry } = await ask(app, { ...holder, ...change });
      t.equal(json.decision, 'BLOCK', JSON.stringify(change));
      t.same(codes, ['TELEMETRY_REPLAYED']);
      t.equal(telemetry?.bound_elsewhere, true);
    }
    t.match((await ask(app, holder)).json, { decision: 'ALLOW' });
    const { telemetry_id, device_id } = holder;
    t.match((await ask(app, { telemetry_id, device_id })).json, { decision: 'ALLOW' }, 'without the account');
  });

  t.test(
    `tells what is left out, and lets nobody fill in what the holder has not given, in ${where}`,
    async (t) => {
      const app = await open(t, redis, { ...PATIENT, MOBILERUN_API_KEY: '', PREFACTOR_API_TOKEN: '' });
      const holder = { telemetry_id: fresh(), device_id: fresh(), account_id: 'acct_1' };
      const { telemetry_id, device_id, account_id } = holder;
      t.match((await ask(app, holder)).json, { decision: 'ALLOW' });
      t.match((await ask(app, { telemetry_id, device_id: fresh() })).json, { decision: 'BLOCK' }, 'forged');
      for (const left of [{ telemetry_id }, { telemetry_id, account_id }, { telemetry_id, device_id: '' }])
        t.match(await ask(app, left), {
          json: { decision: 'CHALLENGE', degraded: false },
          codes: ['DEVICE_OMITTED'],
          telemetry: { omits_device: true, omits_account: !('account_id' in left), bound_elsewhere: false },
        });
      t.match(await ask(app, { telemetry_id, device_id }), {
        json: { decision: 'ALLOW' },
        telemetry: { omits_device: false, omits_account: true },
      });
      t.match((await ask(app, holder)).json, { decision: 'ALLOW' });
      const accountOnly = { telemetry_id: fresh(), account_id };
      await ask(app, accountOnly);
      await ask(app, { telemetry_id: accountOnly.telemetry_id, device_id: fresh() });
      t.match(
        (await ask(app, { ...accountOnly, device_id })).json,
        { decision: 'ALLOW' },
        'the holder gives it',
      );
    },
  );

  t.test(`challenges at a gateway who leaves the device out, in ${where}`, async (t) => {
    const app = await open(t, redis, { ...PATIENT, MOBILERUN_API_KEY: '', PREFACTOR_API_TOKEN: '' });
    const [telemetryId, deviceId] = [fresh(), fresh()];
    const decisionOf = async (device: string | null) =>
      (await askGateway(app, { telemetryId, deviceId: device })).headers['x-risk-decision'];
    t.equal(await decisionOf(deviceId), 'ALLOW');
    t.equal(await decisionOf(fresh()), 'BLOCK');
    t.equal(await decisionOf(null), 'CHALLENGE');
    t.equal(await decisionOf(''), 'CHALLENGE');
    t.equal(await decisionOf(deviceId), 'ALLOW');
  });

  t.test(`knows a device by whichever way it is named, in ${where}`, async (t) => {
    const app = await open(t);
    const [telemetry_id, device] = [fresh(), fresh()];
    const verdict = async (body: object) => (await ask(app, { telemetry_id, ...body })).json.decision;
    t.equal(await verdict({ device_id: device }), 'ALLOW');
    t.equal(await verdict({ device_ids: { mobilerun: device } }), 'ALLOW');
    t.equal(await verdict({ device_ids: { mobilerun: device, prefactor: device } }), 'ALLOW');
    t.equal(await verdict({ device_ids: { mobilerun: device, prefactor: fresh() } }), 'BLOCK');
    t.equal(await verdict({ device_ids: { prefactor: fresh() } }), 'BLOCK');
  });

  t.test(`binds one of many devices that come at once, in ${where}`, async (t) => {
    const app = await open(t);
    const telemetry_id = fresh();
    const bodies = Array.from({ length: CROWD }, (_, index) => ({
      telemetry_id,
      device_id: `fault-slow-0-crowd-${where}-${index}`,
    }));
    const answers = await Promise.all(bodies.map((body) => ask(app, body)));
    t.equal(answers.filter(({ telemetry }) => telemetry?.bound_elsewhere === false).length, 1);
    t.equal(answers.filter(({ telemetry }) => telemetry?.bound_elsewhere).length, CROWD - 1);
    t.equal(answers.filter(({ codes }) => codes.includes('TELEMETRY_REPLAYED')).length, CROWD - 1);
  });

  t.test(`keeps custody when evidence is purged, in ${where}`, async (t) => {
    const app = await open(t);
    const body = { telemetry_id: fresh(), device_id: fresh() };
    await ask(app, body);
    t.equal((await app.ask('DELETE', `/v1/evidence?telemetry_id=${body.telemetry_id}`)).status, 200);
    t.match(await ask(app, { ...body, device_id: fresh() }), {
      telemetry: { uses: 2, bound_elsewhere: true },
    });
  });

  t.test(`has no custody, and no rule about it, without a telemetry id, in ${where}`, async (t) => {
    const app = await open(t);
    for (const telemetry_id of [undefined, null, '', '\ud800']) {
      const { json, telemetry, rules } = await ask(app, { telemetry_id, device_id: 'active' });
      t.match(json, { decision: 'BLOCK', degraded: false });
      t.equal(telemetry, null);
      t.match(
        rules.find(({ rule }) => rule === 'telemetry-replayed'),
        { result: 'inert', why: 'no telemetry id' },
      );
    }
  });
}

t.test('challenges a telemetry id that is used for longer than the policy says', async (t) => {
  const clock = createManualClock();
  const app = await createTestApp(t, { emulators, clock, env: { STYTCH_OK_TTL_SECONDS: '0' } });
  const body = { telemetry_id: fresh(), device_id: fresh() };
  t.match((await ask(app, body)).json, { decision: 'ALLOW' });
  clock.advance(3_600_000);
  t.notOk((await ask(app, body)).codes.includes('TELEMETRY_STALE'), 'not a second earlier');
  clock.advance(1_000);
  const { codes, telemetry } = await ask(app, body);
  t.ok(codes.includes('TELEMETRY_STALE'));
  t.match(telemetry, { uses: 3, age_seconds: 3_601 });
});

t.test('challenges a telemetry id that its provider calls expired', async (t) => {
  const app = await openMemory(t);
  const body = { telemetry_id: 'fault-expired-answer', device_id: fresh() };
  const { json, codes } = await ask(app, body);
  t.equal(json.decision, 'CHALLENGE');
  t.same(codes, ['TELEMETRY_EXPIRED']);
});

t.test('says in the log how custody came out, and nothing of whom', async (t) => {
  const app = await openMemory(t);
  const body = { telemetry_id: fresh(), device_id: fresh(), account_id: 'canary-account' };
  await ask(app, body);
  await ask(app, body);
  await ask(app, { ...body, device_id: fresh() });
  await ask(app, { device_id: fresh() });
  const results = app.logs
    .filter(({ event }) => event === 'decision.made')
    .map((line) => line['custody_result']);
  t.same(results, ['first_use', 'repeated', 'bound_elsewhere', 'none']);
  t.notMatch(app.logText(), /canary-account|fault-slow-0-custody/);
});

t.test('says when bindings have to make room, and takes none of them for new', async (t) => {
  const app = await createTestApp(t, { emulators, env: { CUSTODY_ENTRIES_MAX: '2' } });
  const first = { telemetry_id: fresh(), device_id: fresh() };
  await ask(app, first);
  for (let index = 0; index < 2; index += 1) await ask(app, { telemetry_id: fresh(), device_id: fresh() });
  t.ok(app.events().includes('custody.full'));
  const { json, telemetry } = await ask(app, first);
  t.match(json, { decision: 'CHALLENGE', degraded: true });
  t.equal(telemetry, null);
});

t.test('keeps in Redis nothing but keyed hashes, each for its own purpose, and a time to live', async (t) => {
  const own = await startRedisServer(t);
  const app = await openRedis(t, own);
  const body = { telemetry_id: fresh(), device_id: fresh(), account_id: 'canary-account' };
  await ask(app, body);
  await ask(app, { telemetry_id: 'nobody', device_id: body.device_id });
  const client = new Redis(own.url);
  t.teardown(() => client.disconnect());
  const keys = await client.keys('riskgate:v2:custody:*');
  t.equal(keys.length, 2);
  const ttls: number[] = [];
  await until('the evidence has been learnt from', async () => {
    ttls.splice(0, Number.POSITIVE_INFINITY, ...(await Promise.all(keys.map((key) => client.ttl(key)))));
    return Math.min(...ttls) <= 600;
  });
  ttls.sort((left, right) => left - right);
  t.ok((ttls[0] ?? 0) > 500, 'an id that nobody knows is kept for ten minutes');
  t.ok((ttls[1] ?? 0) > 86_000 && (ttls[1] ?? 0) <= 86_400, 'and a good one for a day');
  for (const key of keys) {
    t.match(key, /^riskgate:v2:custody:\{[0-9a-f]{2}\}[0-9a-f]{30}$/);
    const binding = await client.hgetall(key);
    for (const [field, value] of Object.entries(binding)) {
      t.match(field, /^(first|uses|kept|expires|account|device:(mobilerun|prefactor))$/);
      t.match(value, /^account|device/.test(field) ? /^[0-9a-f]{32}$/ : /^\d+$/);
    }
    const evidence = await client.keys('riskgate:v1:evidence:*');
    t.notOk(
      evidence.some((other) => other.endsWith(key.slice(-30))),
      'no hash of evidence is found again',
    );
  }
});

t.test('shares custody between replicas, and finds it after a restart of the service', async (t) => {
  const body = { telemetry_id: fresh(), device_id: fresh() };
  const first = await openRedis(t);
  await ask(first, body);
  await first.close();
  const second = await openRedis(t);
  t.match(await ask(second, { ...body, device_id: fresh() }), {
    json: { decision: 'BLOCK' },
    telemetry: { uses: 2, bound_elsewhere: true },
  });
});

async function deleteBindings(server: RedisServer): Promise<void> {
  const client = new Redis(server.url);
  await client.del(...(await client.keys('*:custody:*')));
  client.disconnect();
}

/** Ways to lose custody with a Redis that was there, and to get it back. */
const LOSSES: readonly (readonly [
  string,
  (server: RedisServer) => unknown,
  (server: RedisServer) => unknown,
])[] = [
  ['is killed', (server) => server.stop(), (server) => server.start()],
  ['is stopped without a word', (server) => server.pause(), (server) => server.resume()],
  [
    'has no memory left',
    (server) => server.command(['CONFIG', 'SET', 'maxmemory', '1']),
    (server) => server.command(['CONFIG', 'SET', 'maxmemory', '0']),
  ],
  [
    'becomes a read-only replica',
    (server) => server.command(['REPLICAOF', '127.0.0.1', '1']),
    (server) => server.command(['REPLICAOF', 'NO', 'ONE']),
  ],
  [
    'holds something else under the key',
    async (server) => {
      const client = new Redis(server.url);
      for (const key of await client.keys('*:custody:*')) await client.set(key, 'x');
      client.disconnect();
    },
    deleteBindings,
  ],
  [
    'holds a mangled binding',
    async (server) => {
      const client = new Redis(server.url);
      for (const key of await client.keys('*:custody:*')) await client.hset(key, 'first', 'x');
      client.disconnect();
    },
    deleteBindings,
  ],
];

for (const [how, lose, restore] of LOSSES) {
  t.test(`never takes a use for the first when Redis ${how}`, async (t) => {
    const own = await startRedisServer(t);
    const app = await openRedis(t, own, { REDIS_TIMEOUT_MS: '250', DECISION_DEADLINE_MS: '10000' });
    const strict = await openRedis(t, own, {
      REDIS_TIMEOUT_MS: '250',
      DECISION_DEADLINE_MS: '10000',
      POLICY_FILE: 'policies/strict.yaml',
    });
    const body = { telemetry_id: fresh(), device_ids: { prefactor: fresh() } };
    t.equal((await ask(app, body)).json.decision, 'ALLOW');
    await lose(own);
    for (let round = 0; round < 10; round += 1) {
      for (const [asked, verdict] of [
        [app, 'CHALLENGE'],
        [strict, 'BLOCK'],
      ] as const) {
        const { status, json, codes, telemetry, rules } = await ask(asked, body);
        t.strictSame([status, json.decision, json.degraded, telemetry], [200, verdict, true, null]);
        t.ok(codes.includes('TELEMETRY_REPLAYED'));
        t.ok(json.reasons.every(({ certain }) => !certain));
        t.match(
          rules.find(({ rule }) => rule === 'telemetry-replayed'),
          { result: 'unknown', why: 'custody unavailable' },
        );
        t.equal(json.expires_at, json.decided_at, 'the next answer may differ');
      }
    }
    await restore(own);
    // A Redis that came back empty says nothing of older ids; it does of one that is taken now.
    const youngBody = () => ({ ...body, telemetry_id: `just-taken-${fresh()}` });
    await until('custody is known again', async () => (await ask(app, youngBody())).telemetry !== null);
  });
}

/** Ways for Redis to lose all bindings, with and without the connection. */
const EMPTYINGS: readonly (readonly [string, (server: RedisServer) => Promise<unknown>])[] = [
  ['is flushed', (server) => server.command('FLUSHALL')],
  ['restarts empty', (server) => server.restart()],
];

for (const [how, lose] of EMPTYINGS) {
  t.test(`lets no thief be the first when Redis ${how}, and blocks no owner for it`, async (t) => {
    const own = await startRedisServer(t);
    // Behind the emulators by more than the slack of clocks, so that an id they take after the loss is
    // younger by ours.
    const clock = createManualClock(Date.now() - 30_000);
    const open = async (env: Record<string, string> = {}) => {
      const app = await createTestApp(t, {
        emulators,
        clock,
        env: { REDIS_URL: own.url, ...PATIENT, ...env },
      });
      await untilRedisIsUp(app);
      return app;
    };
    const [app, strict] = [await open(), await open({ POLICY_FILE: 'policies/strict.yaml' })];
    const owner = { telemetry_id: fresh(), device_ids: { prefactor: fresh() }, account_id: 'acct_1' };
    const thief = { ...owner, device_ids: { prefactor: fresh() }, account_id: 'acct_2' };
    t.equal((await ask(app, owner)).json.decision, 'ALLOW', 'nothing is doubted where nothing was lost');
    t.equal((await ask(app, thief)).json.decision, 'BLOCK');
    const ups = () => app.events().filter((event) => event === 'redis.up').length;
    const upsBefore = ups();
    await lose(own);
    if (how !== 'is flushed') await until('Redis is back', () => ups() > upsBefore);
    for (let round = 0; round < 3; round += 1) {
      for (const body of [thief, owner]) {
        t.match((await ask(app, body)).json, { decision: 'CHALLENGE', degraded: true });
        await until('the other has Redis', async () => (await ask(strict, body)).json.decision === 'BLOCK');
      }
    }
    t.equal(app.events().filter((event) => event === 'custody.lost').length, 1);
    const { text } = await app.ask('GET', '/metrics', { key: null });
    t.match(text, 'riskgate_memory_losses_total{memory="custody"} 1\n');
    t.match(text, 'riskgate_memory_losses_total{memory="activity"} 0\n');
    const young = { ...owner, telemetry_id: `just-taken-${fresh()}` };
    const known = await ask(app, young);
    t.match(known.telemetry, { uses: 1, bound_elsewhere: false }, 'a younger id is known');
    t.notMatch(known.codes.join(), /TELEMETRY_|DEVICE_OMITTED/);
    t.match(known.codes.join(), /DEVICE_MANY_ACCOUNTS/, 'the activity of an hour is not yet');
    t.match((await ask(app, { ...thief, telemetry_id: young.telemetry_id })).json, { decision: 'BLOCK' });
    const later = await open();
    t.equal((await ask(later, thief)).json.decision, 'CHALLENGE', 'a process that starts later learns of it');
  });
}

t.test('does not know custody that comes too late, and answers within the deadline', async (t) => {
  const proxy = await startTcpProxy(t, redis.port);
  const app = await createTestApp(t, {
    emulators,
    env: {
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      REDIS_TIMEOUT_MS: '5000',
      DECISION_DEADLINE_MS: '300',
    },
  });
  await untilRedisIsUp(app);
  const body = { telemetry_id: fresh(), device_id: fresh() };
  await until('evidence is in memory', async () => (await ask(app, body)).json.decision === 'ALLOW');
  proxy.setDelayMs(2_000);
  const { json, telemetry } = await ask(app, body);
  t.match(json, { decision: 'CHALLENGE', degraded: true });
  t.equal(telemetry, null);
  proxy.setDelayMs(0);
  proxy.cut();
});

t.test('lets a policy pass unknown custody on purpose, and lists it', async (t) => {
  const policy = `policy: lenient
otherwise: ALLOW
rules:
  - {id: replayed, when: telemetry.bound_elsewhere, verdict: BLOCK, reason: REPLAYED, on_unknown: IGNORE}
`;
  const app = await createTestApp(t, { emulators, policy, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
  const { json } = await ask(app, { telemetry_id: fresh(), device_id: fresh() });
  t.match(json, { decision: 'ALLOW', degraded: true, waivers: [{ code: 'REPLAYED', rule: 'replayed' }] });
});

t.test('is not degraded for a policy that does not read custody', async (t) => {
  const policy = `policy: other
otherwise: ALLOW
rules:
  - {id: found, when: '!stytch.found', verdict: BLOCK, reason: FOUND}
`;
  const app = await createTestApp(t, { emulators, policy, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
  const { json } = await ask(app, { telemetry_id: fresh(), device_id: fresh() });
  t.match(json, { decision: 'ALLOW', degraded: false });
});
