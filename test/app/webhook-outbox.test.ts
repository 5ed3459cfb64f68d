import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import {
  createDirectory,
  createTestApp,
  portOf,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const emulators = await startEmulators(t);

/** A receiver, whose answers are made by `answer`, and the file that names it. */
async function openReceiver(t: Test, answer: (response: ServerResponse) => void) {
  const ids: string[] = [];
  const server = createServer((request, response) => {
    ids.push(String(request.headers['webhook-id']));
    request.resume().on('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const directory = createDirectory(t);
  writeFileSync(join(directory, 'secret'), `whsec_${randomBytes(32).toString('base64')}`);
  const target = `{url: 'http://127.0.0.1:${portOf(server.address())}/', secret_file: ${join(directory, 'secret')}}`;
  const WEBHOOKS_FILE = join(directory, 'webhooks.yaml');
  writeFileSync(WEBHOOKS_FILE, `targets: {soc: ${target}}\n`);
  return { ids, env: { WEBHOOKS_FILE, WEBHOOKS_PRIVATE: 'on' } };
}

/** Nothing is told of decisions whose record is still on its way. */
async function decideAndRecord(app: TestApp, subject: object): Promise<void> {
  const { decision_id: id } = (await app.decide(subject)).json;
  await until('it is recorded', async () => (await app.ask('GET', `/v1/decisions/${id}`)).status === 200);
}

t.test('a message that is under way when the service ends is sent by the next one', async (t) => {
  let isAnswering = false;
  const { ids, env } = await openReceiver(t, (response) => {
    if (isAnswering) response.writeHead(204).end();
  });
  const DATA_DIR = createDirectory(t);
  const first = await createTestApp(t, { emulators, env: { ...env, DATA_DIR } });
  await decideAndRecord(first, { telemetry_id: 'allow', device_id: 'active', account_id: 'acct_kept' });
  t.equal((await first.ask('DELETE', '/v1/evidence?device_id=active')).status, 200);
  await until('it is under way', () => ids.length === 1);
  await first.close();
  isAnswering = true;
  const second = await createTestApp(t, { emulators, env: { ...env, DATA_DIR } });
  await until('it was sent again', () => ids.length === 2);
  t.equal(ids[0], ids[1], 'with its id');
  await until('it is delivered', async () => {
    const { text } = await second.ask('GET', '/metrics');
    return text.includes('riskgate_webhooks_total{target="soc",result="delivered"} 1');
  });
  t.notOk([...first.events(), ...second.events()].includes('webhook.not_kept'));
  t.notMatch(first.logText(), /acct_kept/);
});

t.test('says where what waits is kept nowhere, and serves all the same', async (t) => {
  const { env } = await openReceiver(t, (response) => response.writeHead(204).end());
  const nowhere = await createTestApp(t, { emulators, env });
  t.match(
    nowhere.logs.filter(({ event }) => event === 'webhook.not_kept'),
    [{ why: 'no_place' }],
  );
  const DATA_DIR = createDirectory(t);
  writeFileSync(join(DATA_DIR, 'webhooks.sqlite'), 'no file of SQLite at all '.repeat(200));
  const damaged = await createTestApp(t, { emulators, env: { ...env, DATA_DIR } });
  t.match(
    damaged.logs.filter(({ event }) => event === 'webhook.not_kept'),
    [{ why: 'ERR_SQLITE_ERROR' }],
  );
  const { status } = await damaged.decide({ telemetry_id: 'allow', device_id: 'active' });
  t.equal(status, 200);
  const without = await createTestApp(t, { emulators });
  t.notOk(without.events().includes('webhook.not_kept'), 'nothing is said where no receiver is named');
});

t.test('keeps it in Redis where there is one', async (t) => {
  const redis = await startRedisServer(t);
  const { ids, env } = await openReceiver(t, () => {});
  const app = await createTestApp(t, { emulators, env: { ...env, REDIS_URL: redis.url } });
  await untilRedisIsUp(app);
  await decideAndRecord(app, { telemetry_id: 'allow-2', device_id: 'active' });
  await app.ask('DELETE', '/v1/evidence?telemetry_id=allow-2');
  await until('it is under way', () => ids.length === 1);
  await until('it is kept', async () => {
    return (await redis.command('KEYS *webhooks-soc*')).includes('messages');
  });
});
