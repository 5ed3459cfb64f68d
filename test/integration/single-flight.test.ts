import t, { type Test } from 'tap';
import type { Answer, DecisionBody } from '../support/answer.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { patienceOf } from '../support/start-service.ts';
import {
  createTestApp,
  type TestApp,
  type TestAppOptions,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

/** test/herds has the thousand. */
const CROWD = 100;
/** Ample, so that a crowd on a busy machine is not about time. */
const AMPLE = { ...patienceOf(10_000), REDIS_TIMEOUT_MS: '10000' };

const redis = await startRedisServer(t);

async function openMemory(t: Test, options: TestAppOptions = {}): Promise<TestApp> {
  return createTestApp(t, { ...options, env: { ...AMPLE, ...options.env } });
}

async function openRedis(t: Test): Promise<TestApp> {
  const app = await openMemory(t, { env: { REDIS_URL: redis.url } });
  await untilRedisIsUp(app);
  return app;
}

for (const [level, open] of [
  ['the in-process cache', openMemory],
  ['Redis', openRedis],
] as const) {
  t.test(`makes one call per provider for ${CROWD} identical cold requests, with ${level}`, async (t) => {
    const app = await open(t);
    const body = { telemetry_id: 'allow', device_id: 'active' };
    const answers = await Promise.all(Array.from({ length: CROWD }, () => app.decide(body)));
    t.same(app.emulators.callCounts(), { stytch: 1, mobilerun: 1, prefactor: 1 });
    t.same(
      countBy(answers, ({ status }) => String(status)),
      { 200: CROWD },
    );
    t.same(
      countBy(answers, ({ json }) => json.decision),
      { ALLOW: CROWD },
    );
    t.equal(new Set(answers.map(({ json }) => json.decision_id)).size, CROWD, 'each with its own id');
    t.equal(
      countBy(answers, ({ json }) => json.providers.stytch.cache)['miss'],
      1,
      'one of them made the call',
    );
  });
}

t.test('shares a call that fails, and answers all who waited alike', async (t) => {
  const app = await openMemory(t);
  const body = { telemetry_id: 'fault-500', device_id: 'active' };
  const answers = await Promise.all(Array.from({ length: 100 }, () => app.decide(body)));
  t.equal(app.emulators.callCount('stytch', 'fault-500'), 2, 'the call and its retry');
  t.same(
    countBy(answers, ({ json }) => json.decision),
    { CHALLENGE: 100 },
  );
});

t.test('keeps the calls of different ids, and of different providers for one id, apart', async (t) => {
  const app = await openMemory(t);
  const ids = Array.from({ length: 50 }, (_, index) => `fault-slow-20-${index}`);
  await Promise.all(ids.map((id) => app.decide({ telemetry_id: id, device_id: id })));
  t.same(app.emulators.callCounts(), { stytch: 50, mobilerun: 50, prefactor: 50 });
});

t.test('lets each caller wait as long as its own deadline allows', async (t) => {
  const app = await openMemory(t);
  const body = { telemetry_id: 'fault-slow-400', device_id: 'active' };
  const [hasty, patient] = await Promise.all([
    app.decide({ ...body, deadline_ms: 50 }),
    app.decide({ ...body, deadline_ms: 10_000 }),
  ]);
  t.match(hasty.json, {
    decision: 'CHALLENGE',
    degraded: true,
    providers: { stytch: { outcome: 'timeout' } },
  });
  t.match(patient.json, { decision: 'ALLOW', degraded: false, providers: { stytch: { outcome: 'ok' } } });
  t.equal(app.emulators.callCount('stytch', 'fault-slow-400'), 1);
});

t.test('keeps for later what arrives after the one deadline that asked for it', async (t) => {
  const app = await openMemory(t);
  const body = { telemetry_id: 'fault-slow-200', device_id: 'active' };
  t.equal((await app.decide({ ...body, deadline_ms: 50 })).json.providers.stytch.outcome, 'timeout');
  await until('the late answer is cached', async () => {
    const { json } = await app.decide({ ...body, deadline_ms: 50 });
    return json.providers.stytch.cache === 'hit';
  });
  t.equal(app.emulators.callCount('stytch', 'fault-slow-200'), 1);
});

t.test('asks again for everyone who wants no evidence of the past', async (t) => {
  const app = await openMemory(t);
  const body = { telemetry_id: 'fault-slow-100', device_id: 'active' };
  const first = app.decide(body);
  await until('the first call is under way', () => app.emulators.callCount('stytch', 'fault-slow-100') === 1);
  const { json } = await app.decide({ ...body, max_age_ms: 0 });
  t.equal(json.providers.stytch.cache, 'miss');
  t.equal(app.emulators.callCount('stytch', 'fault-slow-100'), 2);
  t.equal((await first).json.decision, 'ALLOW');
});

t.test('joins a call that began recently enough for the age a caller accepts', async (t) => {
  const app = await openMemory(t);
  const body = { telemetry_id: 'fault-slow-100', device_id: 'active' };
  const first = app.decide(body);
  await until('the first call is under way', () => app.emulators.callCount('stytch', 'fault-slow-100') === 1);
  const { json } = await app.decide({ ...body, max_age_ms: 60_000 });
  t.match(json.providers.stytch, { outcome: 'ok', cache: 'shared' });
  t.equal(app.emulators.callCount('stytch', 'fault-slow-100'), 1);
  await first;
});

function countBy(
  answers: readonly Answer<DecisionBody>[],
  toName: (answer: Answer<DecisionBody>) => string,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const name = toName(answer);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
