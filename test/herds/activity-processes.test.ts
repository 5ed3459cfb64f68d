import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { askExplained, runAll, startReplicas } from '../support/start-replicas.ts';
import { until } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const CROWD = 1_000;

const POLICY = `policy: herd
otherwise: ALLOW
rules:
  - {id: many-accounts, when: activity.device.accounts_1h > 5, verdict: BLOCK, reason: MANY_ACCOUNTS}
  - {id: busy-device, when: activity.device.decisions_1h > 100000, verdict: BLOCK, reason: BUSY}
  - {id: blocked-device, when: activity.device.blocks_1h > 100000, verdict: BLOCK, reason: BLOCKED}
  - {id: busy-address, when: activity.ip.decisions_1h > 100000, verdict: BLOCK, reason: BUSY}
  - {id: busy-account, when: activity.account.decisions_1h > 100000, verdict: BLOCK, reason: BUSY}
`;

interface Told {
  readonly decision: string;
  readonly degraded: boolean;
  readonly explanation: { readonly signals: { readonly activity: { readonly ip?: object } } };
}

const redis = await startRedisServer(t);
const emulators = createEmulatorServer({ providers: VENDORS });
const upstream = await emulators.app.listen({ host: '127.0.0.1', port: 0 });
t.teardown(() => emulators.app.close());
const directory = mkdtempSync(join(tmpdir(), 'riskgate-herd-'));
t.teardown(() => rmSync(directory, { recursive: true }));
const POLICY_FILE = join(directory, 'policy.yaml');
writeFileSync(POLICY_FILE, POLICY);

const toBody = (account: number) => ({
  telemetry_id: `fault-slow-0-telemetry-${account}`,
  device_id: 'fault-slow-0-crowded',
  account_id: `acct_${account}`,
  ip: '203.0.113.7',
});

t.test(`lets five of ${CROWD} accounts through that come at once with one device`, async (t) => {
  const replicas = await startReplicas(t, { upstream, redisUrl: redis.url, env: { POLICY_FILE } });
  const jobs = Array.from({ length: CROWD }, (_, account) => {
    return () => askExplained<Told>(replicas[account % 2 === 0 ? 0 : 1].origin, toBody(account));
  });
  const answers = await runAll(jobs, CROWD);
  t.notOk(answers.some(({ degraded }) => degraded));
  t.equal(answers.filter(({ decision }) => decision === 'ALLOW').length, 5);
  t.equal(answers.filter(({ decision }) => decision === 'BLOCK').length, CROWD - 5);
  const [first, second] = replicas;
  const activityOf = async (origin: string, body: object) =>
    (await askExplained<Told>(origin, body)).explanation.signals.activity;
  let asked = 0;
  await until('all of them are counted, beside those that ask here', async () => {
    asked += 1;
    const { ip = {} } = await activityOf(second.origin, { ...toBody(-1), device_id: 'other' });
    return Reflect.get(ip, 'decisions_1h') >= CROWD + asked - 1;
  });
  t.match(await activityOf(first.origin, { ...toBody(7), ip: '192.0.2.1' }), {
    device: { accounts_1h: 64, decisions_1h: CROWD, blocks_1h: CROWD - 5 },
    account: { decisions_1h: 1 },
  });
});
