import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { createDirectory, createTestApp, KEYS, portOf, startEmulators, until } from '../support/test-app.ts';

/** Often, so that nobody waits. */
const EVERY_MS = 100;
const emulators = await startEmulators(t);
const RULES = {
  blocks: { when: 'block_rate', above: 0.5, window: '10m', minimum: 4, severity: 'critical' },
  spikes: { when: 'rule_spike' },
  lists: { when: 'list_changed', window: '10m', list: 'blocked' },
  policy: { when: 'policy_refused', description: 'the policy on disk is not in force' },
};

interface AlertsBody {
  readonly read_at: string | null;
  readonly alerts: readonly {
    readonly name: string;
    readonly state: string;
    readonly fired_at: string | null;
  }[];
}

interface Message {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly alert: string };
}

/** A receiver of webhooks that refuses the first attempts. */
async function startReceiver(t: Test, directory: string, failures: number) {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const received: Message[] = [];
  const refused: string[] = [];
  let left = failures;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const id = String(request.headers['webhook-id']);
      left -= 1;
      if (left >= 0) refused.push(id);
      else {
        const headers = request.headers as Record<string, string>;
        received.push({ id, ...(new Webhook(secret).verify(body, headers) as Omit<Message, 'id'>) });
      }
      response.writeHead(left >= 0 ? 500 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  writeFileSync(join(directory, 'secret'), secret);
  const url = `http://127.0.0.1:${portOf(server.address())}/`;
  const file = join(directory, 'webhooks.yaml');
  const events = '[alert.firing, alert.resolved]';
  writeFileSync(
    file,
    `targets: {soc: {url: '${url}', secret_file: ${join(directory, 'secret')}, events: ${events}}}\n`,
  );
  return { received, refused, env: { WEBHOOKS_FILE: file, WEBHOOKS_PRIVATE: 'on' } };
}

function openFile(t: Test, rules: object) {
  const directory = createDirectory(t);
  const file = join(directory, 'alerts.yaml');
  const write = (alerts: object) => writeFileSync(file, JSON.stringify({ alerts }));
  write(rules);
  return { directory, file, write };
}

const statesOf = (body: AlertsBody) =>
  Object.fromEntries(body.alerts.map(({ name, state }) => [name, state]));

t.test('shows alerts, tells of them when a receiver has recovered, and follows its file', async (t) => {
  const { directory, file, write } = openFile(t, RULES);
  const { received, refused, env } = await startReceiver(t, directory, 1);
  const app = await createTestApp(t, {
    emulators,
    alertsEveryMs: EVERY_MS,
    env: { ...env, ALERTS_FILE: file },
  });
  const ask = async () => (await app.ask<AlertsBody>('GET', '/v1/alerts')).json;
  const untilState = (name: string, state: string) =>
    until(`${name} is ${state}`, async () => statesOf(await ask())[name] === state);
  await until('they are read', async () => (await ask()).read_at !== null);
  const first = await ask();
  t.same(statesOf(first), { blocks: 'too_few', spikes: 'unknown', lists: 'ok', policy: 'ok' });
  t.match(first.alerts[1], { why: 'no_history', value: null, threshold: 3 });
  t.match(first.alerts[3], { description: 'the policy on disk is not in force', threshold: null });
  t.equal((await app.ask('GET', '/v1/alerts', { key: KEYS.decide })).status, 403);

  for (let serial = 0; serial < 4; serial += 1)
    await app.decide({ telemetry_id: `forged-${serial}`, device_id: 'active' });
  await untilState('blocks', 'firing');
  const firing = (await ask()).alerts[0];
  t.match(firing, { severity: 'critical', value: 1, n: 4, threshold: 0.5, fired_at: /^\d{4}-/ });
  await until('the receiver has recovered', () => received.length > 0);
  t.match(received[0], { type: 'alert.firing', data: { alert: 'blocks', severity: 'critical', value: 1 } });
  t.same(refused, [received[0]?.id], 'the attempt that failed was of the same message');
  t.match(
    app.logs.find(({ event }) => event === 'alert.firing'),
    { alert: 'blocks', when: 'block_rate' },
  );

  for (let serial = 0; serial < 5; serial += 1)
    await app.decide({ telemetry_id: `allow-alerts-${serial}`, device_id: 'active' });
  await untilState('blocks', 'ok');
  await until('it is told', () => received.length > 1);
  t.match(received[1], { type: 'alert.resolved', data: { alert: 'blocks', fired_at: /^\d{4}-/ } });

  writeFileSync(file, 'alerts:\n  blocks: {when: block_rate, above: 2, window: 10m}\n');
  await until('it is refused', () => app.events().includes('alerts.refused'));
  const { mistakes } = app.logs.find(({ event }) => event === 'alerts.refused') ?? {};
  t.match(mistakes, [/alerts\.yaml:2:\d+: .*share below 1/]);
  t.equal((await ask()).alerts.length, 4, 'the last good one stays');
  t.notOk(app.events().includes('alerts.unknown_name'), 'all names are those of the policy');
  write({
    blocks: { ...RULES.blocks, minimum: 1_000 },
    lists: { ...RULES.lists, list: 'blokced' },
    spikes: { ...RULES.spikes, rule: 'no-such-rule' },
  });
  const unknown = () => app.logs.filter(({ event }) => event === 'alerts.unknown_name');
  await until('unknown names are told', () => unknown().length > 0);
  t.match(unknown(), [
    { alert: 'lists', list: 'blokced' },
    { alert: 'spikes', rule: 'no-such-rule' },
  ]);
  await untilState('lists', 'ok');
  t.equal(unknown().length, 2, 'once');
  write({ blocks: { ...RULES.blocks, minimum: 1_000 } });
  await until('it is in force', async () => (await ask()).alerts.length === 1);
  await untilState('blocks', 'too_few');
  t.match((await app.ask('GET', '/metrics', { key: null })).text, /riskgate_alerts\{state="too_few"\} 1/);
});

t.test('tells once from two replicas', async (t) => {
  const redis = await startRedisServer(t);
  const { directory, file } = openFile(t, { blocks: RULES.blocks });
  const { received, env } = await startReceiver(t, directory, 0);
  const all = { ...env, ALERTS_FILE: file, REDIS_URL: redis.url, DECISION_LOG: 'redis' };
  const one = await createTestApp(t, { emulators, alertsEveryMs: EVERY_MS, env: all });
  const other = await createTestApp(t, { emulators, alertsEveryMs: EVERY_MS, env: all });
  for (const { events } of [one, other])
    await until('redis is up', () => events().includes('alerts.redis_up'));
  for (let serial = 0; serial < 4; serial += 1)
    await one.decide({ telemetry_id: `forged-${serial}`, device_id: 'active' });
  for (const { events } of [one, other])
    await until('it fires on both', () => events().includes('alert.firing'));
  await until('it is told', () => received.length > 0);
  t.match(received, [{ type: 'alert.firing', data: { alert: 'blocks', n: 4 } }]);
  t.equal(received.length, 1);
});

t.test('has none without a file', async (t) => {
  const app = await createTestApp(t, { emulators });
  t.same((await app.ask('GET', '/v1/alerts')).json, { read_at: null, alerts: [] });
});
