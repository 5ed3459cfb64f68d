import t, { type Test } from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { patienceOf } from '../support/start-service.ts';
import {
  createManualClock,
  createTestApp,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const [OLD, YOUNG] = ['an-older-key-of-32-characters-000', 'a-younger-key-of-32-characters-00'];

const POLICY = `policy: watchful
otherwise: ALLOW
rules:
  - {id: frauds, when: activity.account.fraud_labels_30d > 9, verdict: BLOCK, reason: FRAUDS}
  - {id: failures, when: activity.account.challenges_failed_1h > 9, verdict: BLOCK, reason: FAILURES}
  - {id: known, when: activity.account.known_device && activity.account.decisions_1h > 99, verdict: BLOCK, reason: KNOWN}
  - {id: visitor, when: activity.visitor.decisions_1h > 99, verdict: BLOCK, reason: VISITOR}
  - {id: hardware, when: activity.hardware.devices_30d > 9, verdict: BLOCK, reason: HARDWARE}
`;
const SUBJECT = { device_id: 'active', account_id: 'acct_1' };

const emulators = await startEmulators(t);
const redis = await startRedisServer(t);
const clock = createManualClock(1_800_000_000_000);
let serial = 0;

async function open(t: Test, keys: readonly string[]) {
  const env = {
    ...patienceOf(10_000),
    REDIS_TIMEOUT_MS: '10000',
    REDIS_URL: redis.url,
    ID_HASH_KEY: '',
    ID_HASH_KEYS: keys.join(','),
  };
  const app = await createTestApp(t, { emulators, policy: POLICY, env, clock });
  await untilRedisIsUp(app);
  return app;
}

async function decide(app: TestApp) {
  serial += 1;
  const body = { ...SUBJECT, telemetry_id: `fault-slow-0-telemetry-${serial}` };
  const { json } = await app.decide(body, { url: '/v1/decide?explain=full' });
  const { explanation } = json as unknown as {
    explanation: { signals: { activity: { account: object; visitor: object; hardware: object } } };
  };
  return { id: json.decision_id, degraded: json.degraded, ...explanation.signals.activity };
}

async function label(t: Test, app: TestApp, id: string, label: string): Promise<void> {
  const { status } = await app.decide({ label }, { url: `/v1/decisions/${id}/outcome` });
  t.equal(status, 200);
}

t.test('loses no label and no decision while the hash key is changed', async (t) => {
  const before = await open(t, [OLD]);
  const first = await decide(before);
  t.match(first, { degraded: false, account: { fraud_labels_30d: 0, known_device: false, decisions_1h: 0 } });
  await until('the decision is counted', async () => {
    const { account } = await decide(before);
    return Reflect.get(account, 'known_device') === true;
  });
  await label(t, before, first.id, 'fraud');

  const during = await open(t, [YOUNG, OLD]);
  const second = await decide(during);
  t.match(second, { account: { fraud_labels_30d: 1, known_device: false } });
  t.ok(Number(Reflect.get(second.account, 'decisions_1h')) >= 2);
  t.ok(Number(Reflect.get(second.visitor, 'decisions_1h')) >= 2, 'evidence names the visitor under both');
  t.match(second, { degraded: false, hardware: { devices_30d: 1 } });
  await label(t, during, second.id, 'fraud');
  await label(t, during, second.id, 'challenge_failed');
  const third = await decide(during);
  t.match(third, { account: { fraud_labels_30d: 2, challenges_failed_1h: 1, known_device: false } });
  // A replica that still has the old key in force reads the same.
  t.match(await decide(await open(t, [OLD, YOUNG])), {
    account: { fraud_labels_30d: 2, challenges_failed_1h: 1 },
  });
});
