import t, { type Test } from 'tap';
import type { Answer, DecisionBody } from '../support/answer.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { parseScrape, readValue } from '../support/scrape.ts';
import {
  askForDecision,
  createServiceEnvironment,
  type RunningService,
  startService,
} from '../support/start-service.ts';
import {
  createTestApp,
  portOf,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const CROWD = 500;
/** Ample, so that a crowd on a busy machine is not about time. */
const DEADLINE_MS = 10_000;

const redis = await startRedisServer(t);
const emulators = await startEmulators(t);

const AMPLE = {
  DECISION_DEADLINE_MS: String(DEADLINE_MS),
  STYTCH_TIMEOUT_MS: String(DEADLINE_MS),
  MOBILERUN_TIMEOUT_MS: String(DEADLINE_MS),
  PREFACTOR_TIMEOUT_MS: String(DEADLINE_MS),
  EVENT_LOOP_DELAY_MAX_MS: '0',
  // What replicas agree on is looked at here, not how long a starved Redis takes.
  REDIS_TIMEOUT_MS: '5000',
};

/** Two services as they run in production, on one Redis and with one hash key. */
async function startReplicas(t: Test): Promise<readonly [RunningService, RunningService]> {
  const env = {
    ...createServiceEnvironment(t, `http://127.0.0.1:${portOf(emulators.app.server.address())}`),
    ...AMPLE,
    REDIS_URL: redis.url,
  };
  const replicas = await Promise.all([startService(t, env), startService(t, env)]);
  for (const { origin } of replicas) {
    await until('Redis is up', async () => {
      const ready = (await (await fetch(`${origin}/readyz`)).json()) as { redis: string };
      return ready.redis === 'up';
    });
  }
  return replicas;
}

/** Two apps in this process, on a Redis of their own where the test is to break it. */
async function openApps(
  t: Test,
  server: RedisServer = redis,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly [TestApp, TestApp]> {
  const options = { emulators, env: { ...AMPLE, REDIS_URL: server.url, ...env } };
  const apps = await Promise.all([createTestApp(t, options), createTestApp(t, options)]);
  await Promise.all(apps.map(untilRedisIsUp));
  return apps;
}

async function ask(origin: string, body: object): Promise<DecisionBody> {
  const response = await askForDecision(origin, { ...body });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return (await response.json()) as DecisionBody;
}

function stytchOf({ json }: Answer<DecisionBody>) {
  const { outcome, cache } = json.providers.stytch;
  return { outcome, cache };
}

/** The read that found the other's claim is the first one of an app, and a miss. */
async function untilItWaits(app: TestApp): Promise<void> {
  await until('it has found the claim', async () => {
    const { text } = await app.ask('GET', '/metrics');
    return (
      (readValue(parseScrape(text), 'riskgate_cache_reads_total', { level: 'redis', result: 'miss' }) ?? 0) >
      0
    );
  });
}

t.test(
  `makes one call per provider for ${CROWD} identical cold requests at each of two processes`,
  async (t) => {
    const replicas = await startReplicas(t);
    const id = 'fault-slow-50-crowd';
    const body = { telemetry_id: id, device_id: id };
    const answers = await Promise.all(
      replicas.flatMap(({ origin }) => Array.from({ length: CROWD }, async () => ask(origin, body))),
    );
    t.same(
      ['stytch', 'mobilerun', 'prefactor'].map((provider) => emulators.callCount(provider, id)),
      [1, 1, 1],
    );
    t.equal(answers.length, 2 * CROWD);
    t.ok(answers.every(({ decision, degraded }) => decision === 'ALLOW' && !degraded));
    for (const provider of ['stytch', 'mobilerun', 'prefactor'] as const)
      t.equal(answers.filter(({ providers }) => providers[provider].cache === 'miss').length, 1, provider);
  },
);

t.test('asks itself, and in time, when the process that asks is killed', async (t) => {
  const [dying, living] = await startReplicas(t);
  const id = 'fault-slow-1000-killed';
  const lost = askForDecision(dying.origin, { telemetry_id: id, device_ids: {} }).catch(() => null);
  await until('it asks', () => emulators.callCount('stytch', id) === 1);
  const startedMs = performance.now();
  const answer = ask(living.origin, { telemetry_id: id, device_ids: {}, deadline_ms: 5_000 });
  dying.child.kill('SIGKILL');
  t.equal(await lost, null);
  t.match(await answer, { providers: { stytch: { outcome: 'ok', cache: 'miss' } } });
  t.ok(performance.now() - startedMs < 5_000, 'within its deadline');
  t.equal(emulators.callCount('stytch', id), 2);
});

t.test('waits for what another replica asks, and keeps it', async (t) => {
  const [here, there] = await openApps(t);
  const body = { telemetry_id: 'fault-slow-200-shared', device_ids: {} };
  const first = here.decide(body);
  await until('it asks', () => emulators.callCount('stytch', body.telemetry_id) === 1);
  t.same(stytchOf(await there.decide(body)), { outcome: 'ok', cache: 'shared' });
  t.same(stytchOf(await first), { outcome: 'ok', cache: 'miss' });
  t.same(stytchOf(await there.decide(body)), { outcome: 'ok', cache: 'hit' });
  t.equal(emulators.callCount('stytch', body.telemetry_id), 1);
});

t.test('learns soon that the other replica failed, and asks itself once', async (t) => {
  const [here, there] = await openApps(t);
  const body = { telemetry_id: 'fault-500', device_ids: {} };
  const startedMs = performance.now();
  const answers = await Promise.all(
    [here, there].flatMap((app) => Array.from({ length: 20 }, () => app.decide(body))),
  );
  t.ok(performance.now() - startedMs < DEADLINE_MS / 2, 'before its patience ends');
  t.ok(answers.every((answer) => stytchOf(answer).outcome === 'unavailable'));
  t.equal(emulators.callCount('stytch', body.telemetry_id), 4, 'a call and its retry at each');
});

t.test('asks again for a caller who wants no evidence of the past, whoever else asks', async (t) => {
  const [here, there] = await openApps(t);
  const body = { telemetry_id: 'fault-slow-200-bypass', device_ids: {} };
  const first = here.decide(body);
  await until('it asks', () => emulators.callCount('stytch', body.telemetry_id) === 1);
  t.same(stytchOf(await there.decide({ ...body, max_age_ms: 0 })), { outcome: 'ok', cache: 'miss' });
  t.equal(emulators.callCount('stytch', body.telemetry_id), 2);
  await first;
});

t.test('does not take what a purge has overtaken', async (t) => {
  const [here, there] = await openApps(t);
  const id = 'fault-slow-1500-purged';
  const body = { telemetry_id: id, device_ids: {} };
  const first = here.decide(body);
  await until('it asks', () => emulators.callCount('stytch', id) === 1);
  const waiting = there.decide(body);
  await untilItWaits(there);
  const purged = await here.ask('DELETE', `/v1/evidence?telemetry_id=${id}`);
  t.equal(purged.status, 200);
  t.equal(emulators.callCount('stytch', id), 1);
  t.same(stytchOf(await waiting), { outcome: 'ok', cache: 'miss' }, 'it asked after the purge');
  t.equal(emulators.callCount('stytch', id), 2);
  await first;
});

t.test('asks itself when Redis hangs while it waits', async (t) => {
  const server = await startRedisServer(t);
  const [here, there] = await openApps(t, server, { REDIS_TIMEOUT_MS: '50' });
  const body = { telemetry_id: 'fault-slow-1500-frozen', device_ids: {} };
  const first = here.decide(body);
  await until('it asks', () => emulators.callCount('stytch', body.telemetry_id) === 1);
  const waiting = there.decide(body);
  await untilItWaits(there);
  server.pause();
  await until('the other asks too', () => emulators.callCount('stytch', body.telemetry_id) === 2);
  t.same(stytchOf(await first), { outcome: 'ok', cache: 'miss' });
  t.same(stytchOf(await waiting), { outcome: 'ok', cache: 'miss' });
  server.resume();
});
