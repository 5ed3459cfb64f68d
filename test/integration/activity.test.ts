import t, { type Test } from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { patienceOf } from '../support/start-service.ts';
import {
  createDirectory,
  createManualClock,
  createTestApp,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const PATIENT = { ...patienceOf(10_000), REDIS_TIMEOUT_MS: '10000' };
const HOUR_MS = 3_600_000;

const POLICY = `policy: watchful
events: [coupon_used]
otherwise: ALLOW
rules:
  - {id: many-accounts, when: activity.device.accounts_1h > 5, verdict: BLOCK, reason: MANY_ACCOUNTS}
  - {id: busy, when: activity.ip.decisions_10m > 1000, verdict: BLOCK, reason: BUSY}
  - {id: guessing, when: activity.account.login_failed_10m >= 3, verdict: CHALLENGE, reason: GUESSING}
  - {id: coupons, when: activity.device.coupon_used_24h >= 2, verdict: CHALLENGE, reason: COUPONS}
  - {id: countries, when: activity.account.countries_24h > 8, verdict: BLOCK, reason: COUNTRIES}
  - {id: visitor, when: activity.visitor.accounts_1h > 60, verdict: BLOCK, reason: VISITOR}
`;

const emulators = await startEmulators(t);
const redis = await startRedisServer(t);
let serial = 0;

/** A good id that nothing has used yet. */
function fresh(what: string): string {
  serial += 1;
  return `fault-slow-0-${what}-${serial}`;
}

function subjectOf(changes: object = {}) {
  return {
    telemetry_id: fresh('telemetry'),
    device_id: 'fault-slow-0-shared',
    account_id: 'acct_1',
    ip: '203.0.113.7',
    ...changes,
  };
}

interface Explained {
  readonly explanation: { readonly signals: { readonly activity: Record<string, unknown> | null } };
}

async function explain(app: TestApp, subject: object): Promise<Record<string, unknown> | null> {
  const { json } = await app.decide(subject, { url: '/v1/decide?explain=full' });
  return (json as unknown as Explained).explanation.signals.activity;
}

const stores = {
  memory: (t: Test, clock = createManualClock(1_800_000_000_000)) =>
    createTestApp(t, { emulators, policy: POLICY, env: PATIENT, clock }),
  redis: async (t: Test, clock = createManualClock(1_800_000_000_000)) => {
    serial += 1;
    const env = { ...PATIENT, REDIS_URL: redis.url, REDIS_KEY_PREFIX: `activity-${serial}` };
    const app = await createTestApp(t, { emulators, policy: POLICY, env, clock });
    await untilRedisIsUp(app);
    return app;
  },
} as const;

for (const [id, open] of Object.entries(stores)) {
  t.test(`with ${id}: lets exactly five of the accounts of one device through`, async (t) => {
    const app = await open(t);
    const device_id = fresh('device');
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, number) =>
        app.decide(subjectOf({ device_id, account_id: `acct_${number}`, ip: '192.0.2.1' })),
      ),
    );
    const passed = answers.filter(({ json }) => json.decision === 'ALLOW');
    t.equal(passed.length, 5);
    t.ok(answers.every(({ json }) => !json.degraded));
    const after = await explain(app, subjectOf({ device_id, account_id: 'acct_0', ip: '192.0.2.1' }));
    t.match(after, { device: { accounts_1h: 40 }, ip: { decisions_10m: 40 } });
  });

  t.test(`with ${id}: counts events, each once`, async (t) => {
    const clock = createManualClock(1_800_000_000_000);
    const app = await open(t, clock);
    const { telemetry_id: _, ...ids } = subjectOf({
      account_id: fresh('account'),
      device_id: fresh('device'),
    });
    const tell = async (...events: object[]) =>
      (await app.decide({ events }, { url: '/v1/events' })).json as unknown;
    const failed = (event_id: string) => ({ event_id, event: 'login_failed', ...ids });
    t.same(await tell(failed('1'), failed('2'), failed('2')), { counted: 2, repeated: 1 });
    t.equal((await app.decide(subjectOf(ids))).json.decision, 'ALLOW');
    t.same(await tell(failed('1'), failed('3')), { counted: 1, repeated: 1 });
    t.match((await app.decide(subjectOf(ids))).json, {
      decision: 'CHALLENGE',
      reasons: [{ code: 'GUESSING' }],
    });
    clock.advance(HOUR_MS);
    t.equal((await app.decide(subjectOf(ids))).json.decision, 'ALLOW');
    await tell(
      { event_id: '4', event: 'coupon_used', ...ids },
      { event_id: '5', event: 'coupon_used', ...ids },
    );
    t.match((await app.decide(subjectOf(ids))).json, { reasons: [{ code: 'COUPONS' }] });
  });
}

t.test('counts no request that was refused', async (t) => {
  const limits = { requests: 3, window_seconds: 3600 };
  const file = writeApiKeys(createDirectory(t), [
    { id: 'limited', key: 'limited', limits },
    { id: 'free', key: 'free' },
  ]);
  const env = { ...PATIENT, API_KEYS_FILE: file, MAX_IN_FLIGHT: '1', DECISION_DEADLINE_MS: '1000' };
  const app = await createTestApp(t, { emulators, policy: POLICY, env });
  const device_id = fresh('device');
  const ask = (account: number, options: object) =>
    app.refused(subjectOf({ device_id, account_id: `acct_${account}` }), options);
  for (let account = 0; account < 3; account += 1)
    t.equal((await ask(account, { key: 'limited' })).status, 200);
  t.equal((await ask(3, { key: 'limited' })).status, 429);
  t.equal((await ask(4, { key: 'of nobody' })).status, 401);
  t.equal((await ask(5, { key: null })).status, 401);
  const late = { key: 'free', headers: { 'x-request-deadline': 'soon' } };
  t.equal((await ask(6, late)).status, 400);
  const elsewhere = { device_id: fresh('device'), account_id: 'acct_x', ip: '192.0.2.9' };
  const held = app.decide(subjectOf({ ...elsewhere, telemetry_id: 'fault-hang' }), { key: 'free' });
  await until('it is in flight', () => emulators.callCount('stytch', 'fault-hang') === 1);
  t.equal((await ask(7, { key: 'free' })).status, 503);
  await held;
  const { json } = await app.decide(subjectOf({ device_id, account_id: 'acct_0' }), {
    url: '/v1/decide?explain=full',
    key: 'free',
  });
  t.match((json as unknown as Explained).explanation.signals.activity, {
    device: { accounts_1h: 3 },
    ip: { decisions_10m: 3 },
  });
});
