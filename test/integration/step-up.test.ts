import t, { type Test } from 'tap';
import { askGateway } from '../support/ask-gateway.ts';
import { startRedisServer } from '../support/redis-server.ts';
import {
  createManualClock,
  createTestApp,
  KEYS,
  type ManualClock,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const redis = await startRedisServer(t);
/** Stytch recommends a CHALLENGE for it. */
const BODY = { telemetry_id: 'challenge', device_id: 'active', account_id: 'canary-account' };

interface Opened {
  readonly here: TestApp;
  readonly there: TestApp;
  readonly clock: ManualClock;
}

async function openMemory(t: Test): Promise<Opened> {
  const clock = createManualClock();
  const app = await createTestApp(t, { clock });
  return { here: app, there: app, clock };
}

/** Two replicas of one service on one Redis. */
async function openReplicas(t: Test): Promise<Opened> {
  await redis.restart();
  const emulators = await startEmulators(t);
  const clock = createManualClock();
  const env = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000', DECISION_LOG: 'redis' };
  const [here, there] = [
    await createTestApp(t, { emulators, env, clock }),
    await createTestApp(t, { emulators, env, clock }),
  ];
  await Promise.all([untilRedisIsUp(here), untilRedisIsUp(there)]);
  return { here, there, clock };
}

async function post(app: TestApp, url: string, body: object, key: string = KEYS.decide) {
  const answer = await app.decide(body, { url, key });
  return answer as unknown as {
    status: number;
    json: Record<string, unknown>;
    headers: Record<string, unknown>;
  };
}

/** Tells an outcome, once the decision is in the log. */
async function tell(app: TestApp, decisionId: string, body: object) {
  const url = `/v1/decisions/${decisionId}/outcome`;
  let answer = await post(app, url, body);
  await until('the decision is in the log', async () => {
    if (answer.status === 404) answer = await post(app, url, body);
    return answer.status !== 404;
  });
  return answer;
}

const verdictOf = async (app: TestApp, body: object) => (await app.decide(body)).json.decision;

/** Lets time pass. What a replica knows of lists is then old until it has asked again. */
async function pass(clock: ManualClock, app: TestApp, ms: number): Promise<void> {
  clock.advance(ms);
  const clean = { telemetry_id: 'allow', device_id: 'active' };
  await until('lists are known', async () => (await verdictOf(app, clean)) === 'ALLOW');
}

for (const [where, open] of [
  ['one process', openMemory],
  ['two replicas', openReplicas],
] as const) {
  t.test(`lets in who has passed the challenge, in ${where}`, async (t) => {
    const { here, there, clock } = await open(t);
    const challenged = await here.decide(BODY);
    t.match(challenged.json, {
      decision: 'CHALLENGE',
      challenge: {
        acr_values: [],
        max_age_seconds: 1800,
        report_to: `/v1/decisions/${challenged.json.decision_id}/outcome`,
      },
    });
    const told = { label: 'challenge_passed', method: 'otp', acr: 'urn:example:mfa' };
    t.equal((await tell(here, challenged.json.decision_id, told)).status, 200);
    await pass(clock, there, 60_000);
    const passed = await there.decide(BODY);
    t.match(passed.json, {
      decision: 'ALLOW',
      reasons: [
        {
          code: 'STYTCH_CHALLENGE',
          verdict: 'CHALLENGE',
          certain: true,
          satisfied: true,
          step_up: { age_seconds: 60, method: 'otp', acr: 'urn:example:mfa' },
        },
      ],
    });
    t.notOk('challenge' in passed.json);
    await pass(clock, there, 29 * 60_000 - 1_000);
    t.equal(await verdictOf(there, BODY), 'ALLOW');
    clock.advance(1_000);
    t.equal(await verdictOf(there, BODY), 'CHALLENGE', 'it is no longer young');
  });

  t.test(`satisfies the same telemetry id, device and account together, in ${where}`, async (t) => {
    const { here, there } = await open(t);
    const { status, json, headers } = await post(here, '/v1/step-ups', { ...BODY, method: 'hwk' });
    t.match(
      { status, json, headers },
      { status: 200, json: { method: 'hwk', acr: null }, headers: { 'cache-control': 'no-store' } },
    );
    t.equal(await verdictOf(there, BODY), 'ALLOW');
    t.equal(await verdictOf(there, { ...BODY, account_id: undefined }), 'CHALLENGE', 'without the account');
    t.equal(await verdictOf(there, { ...BODY, device_id: 'full' }), 'BLOCK', 'another device replays it');
    t.equal(await verdictOf(there, BODY), 'ALLOW');
    await there.decide({ ...BODY, account_id: 'another' });
    t.equal(await verdictOf(here, BODY), 'CHALLENGE', 'another account has ended it');
  });

  t.test(`ends with a failed challenge, a fraud and a purge, in ${where}`, async (t) => {
    const { here, there, clock } = await open(t);
    const { json } = await here.decide(BODY);
    const ends: readonly [string, () => Promise<{ readonly status: number }>][] = [
      ['challenge_failed', () => tell(here, json.decision_id, { label: 'challenge_failed' })],
      ['fraud', () => tell(here, json.decision_id, { label: 'fraud' })],
      ['purge', () => here.ask('DELETE', '/v1/evidence?device_id=active')],
      ['subject', () => here.ask('DELETE', '/v1/subjects?account_id=canary-account')],
    ];
    for (const [name, end] of ends) {
      await pass(clock, there, 6_000);
      t.equal((await post(here, '/v1/step-ups', BODY)).status, 200);
      t.equal(await verdictOf(there, BODY), 'ALLOW', name);
      t.equal((await end()).status, 200);
      t.equal(await verdictOf(there, BODY), 'CHALLENGE', name);
    }
  });

  t.test(`never gives back what a fraud or a purge has ended, in ${where}`, async (t) => {
    const { here, there, clock } = await open(t);
    const [first, second] = [await here.decide(BODY), await here.decide(BODY)];
    const passed = { label: 'challenge_passed' };
    const ends: readonly [string, () => Promise<{ readonly status: number }>][] = [
      ['fraud', () => tell(here, second.json.decision_id, { label: 'fraud' })],
      ['withdrawn', () => tell(here, second.json.decision_id, { label: 'withdrawn' })],
      ['purge', () => here.ask('DELETE', '/v1/evidence?device_id=active')],
      ['subject', () => here.ask('DELETE', '/v1/subjects?account_id=canary-account')],
    ];
    const told = { ...passed, at: new Date(clock.nowMs()).toISOString() };
    t.equal((await tell(here, first.json.decision_id, told)).status, 200);
    for (const [name, end] of ends) {
      const body = { ...BODY, at: new Date(clock.nowMs()).toISOString() };
      if (name !== 'withdrawn') {
        t.equal((await post(here, '/v1/step-ups', body)).status, 200);
        t.equal(await verdictOf(there, BODY), 'ALLOW', name);
      }
      await pass(clock, there, 1_000);
      t.equal((await end()).status, 200);
      await pass(clock, there, 10_000);
      for (const replica of [here, there]) {
        if (name !== 'withdrawn')
          t.match(await post(replica, '/v1/step-ups', body), { status: 409, json: { code: 'conflict' } });
        for (const again of [told, passed])
          t.equal((await tell(replica, first.json.decision_id, again)).status, 200);
        t.equal(await verdictOf(there, BODY), 'CHALLENGE', name);
      }
    }
    const later = { ...passed, at: new Date(clock.nowMs()).toISOString() };
    t.equal((await tell(there, first.json.decision_id, later)).status, 200);
    t.equal(await verdictOf(here, BODY), 'ALLOW', 'one that is passed afterwards counts');
  });

  t.test(`gives an outcome that is told again no new time, in ${where}`, async (t) => {
    const { here, there, clock } = await open(t);
    const { json } = await here.decide(BODY);
    for (const label of ['challenge_passed', 'fraud', 'challenge_passed', 'withdrawn', 'challenge_passed']) {
      t.equal((await tell(here, json.decision_id, { label })).status, 200);
      await pass(clock, there, 10_000);
    }
    t.equal(await verdictOf(there, BODY), 'CHALLENGE');
    const ask = { telemetryId: 'challenge' };
    const gateway = await askGateway(there, ask);
    const id = String(gateway.headers['x-risk-decision-id']);
    for (const label of ['challenge_passed', 'fraud', 'challenge_passed'])
      t.equal((await tell(here, id, { label })).status, 200);
    t.equal((await askGateway(there, ask)).status, 401, 'nor at a gateway');
  });

  t.test(`keeps void what was told with a time ahead, in ${where}`, async (t) => {
    const { here, there, clock } = await open(t);
    const { json } = await here.decide(BODY);
    const body = { ...BODY, at: new Date(clock.nowMs() + 120_000).toISOString() };
    t.equal((await post(here, '/v1/step-ups', body)).status, 200);
    t.equal(await verdictOf(there, BODY), 'ALLOW');
    t.equal((await tell(here, json.decision_id, { label: 'fraud' })).status, 200);
    for (const ms of [10_000, 60_000, 120_000]) {
      await pass(clock, there, ms);
      t.equal((await post(there, '/v1/step-ups', body)).status, 409);
      t.equal(await verdictOf(here, BODY), 'CHALLENGE');
    }
  });

  t.test(`lets in at a gateway, and does not repeat the answer from before, in ${where}`, async (t) => {
    const { here, there } = await open(t);
    const ask = { telemetryId: 'challenge' };
    const before = await askGateway(here, ask);
    t.equal(before.status, 401);
    t.match(before.headers['www-authenticate'], /insufficient_user_authentication.*max_age="1800"/);
    const id = String(before.headers['x-risk-decision-id']);
    t.equal((await tell(there, id, { label: 'challenge_passed' })).status, 200);
    const after = await askGateway(here, ask);
    t.equal(after.status, 200);
    t.not(after.headers['x-risk-decision-id'], id);
    t.match((await there.ask<object>('GET', `/v1/decisions/${id}`)).json, { decision: 'CHALLENGE' });
  });
}

t.test('never turns a BLOCK into anything milder', async (t) => {
  const { here } = await openMemory(t);
  const body = { ...BODY, telemetry_id: 'block' };
  t.equal((await post(here, '/v1/step-ups', body)).status, 200);
  const { json } = await here.decide(body);
  t.equal(json.decision, 'BLOCK');
});

t.test('makes a repeated outcome no younger, and a later failure last', async (t) => {
  const { here, clock } = await openMemory(t);
  const { json } = await here.decide(BODY);
  const passed = { label: 'challenge_passed' };
  await tell(here, json.decision_id, passed);
  clock.advance(20 * 60_000);
  await tell(here, json.decision_id, passed);
  clock.advance(15 * 60_000);
  t.equal(await verdictOf(here, BODY), 'CHALLENGE');
  await tell(here, json.decision_id, { label: 'challenge_failed' });
  const atMs = clock.nowMs() - 1_000;
  await tell(here, json.decision_id, { ...passed, at: new Date(atMs).toISOString() });
  t.equal(await verdictOf(here, BODY), 'CHALLENGE', 'it failed later');
});

t.test('refuses who may not tell it, and what cannot be told', async (t) => {
  const { here } = await openMemory(t);
  t.equal((await post(here, '/v1/step-ups', BODY, KEYS.read)).status, 403);
  t.equal((await post(here, '/v1/step-ups', BODY, KEYS.admin)).status, 403);
  for (const wrong of [
    { telemetry_id: '' },
    { telemetry_id: null },
    { telemetry_id: undefined },
    { method: 'one time password' },
    { method: '4111111111111111' },
    { acr: 'a"b' },
    { acr: 'somebody@example.com' },
    { acr: 'canary-account' },
    { at: '2999-01-01T00:00:00Z' },
    { device_ids: { prefactor: 'active' } },
    { label: 'challenge_passed' },
  ])
    t.match(
      await post(here, '/v1/step-ups', { ...BODY, ...wrong }),
      { status: 400, json: { code: 'invalid_request' } },
      JSON.stringify(wrong),
    );
  t.equal(await verdictOf(here, BODY), 'CHALLENGE');
});

t.test('satisfies nothing while Redis is lost, and tells callers that nothing is kept', async (t) => {
  const { here } = await openReplicas(t);
  t.equal((await post(here, '/v1/step-ups', BODY)).status, 200);
  t.equal(await verdictOf(here, BODY), 'ALLOW');
  await redis.stop();
  await until('Redis is down', async () => here.events().includes('redis.down'));
  const lost = await here.decide(BODY);
  t.match(lost.json, { decision: 'CHALLENGE', degraded: true });
  t.match(await post(here, '/v1/step-ups', BODY), { status: 503, json: { code: 'store_unavailable' } });
  await redis.start();
  await untilRedisIsUp(here);
  t.equal(await verdictOf(here, BODY), 'CHALLENGE', 'it came back empty');
});

t.test('keeps what was asked out of Redis, logs and records', async (t) => {
  const { here } = await openReplicas(t);
  const body = { telemetry_id: 'challenge-2', device_id: 'active', account_id: 'canary-account' };
  const seen = await redis.monitor(async () => {
    await post(here, '/v1/step-ups', { ...body, method: 'otp' });
    await here.decide(body);
  });
  t.match(seen, /step-ups/);
  const { text } = await here.ask<string>('GET', '/v1/decisions/export');
  for (const place of [seen, text, here.logText()]) t.notMatch(place, /canary-account|challenge-2/);
});
