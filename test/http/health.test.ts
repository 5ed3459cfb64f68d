import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { patienceOf } from '../support/start-service.ts';
import { createTestApp, KEYS, startEmulators, until, untilRedisIsUp } from '../support/test-app.ts';

interface ReadyBody {
  readonly status: string;
  readonly redis: string;
  readonly receives_purges: boolean | null;
  readonly policy: { readonly id: string; readonly hash: string };
  readonly providers: readonly string[];
}

const emulators = await startEmulators(t);
const app = await createTestApp(t, { emulators });

t.test('answers health checks to everyone, and lets nobody store them', async (t) => {
  for (const url of ['/livez', '/readyz', '/version']) {
    const { status, headers } = await app.ask('GET', url, { key: null });
    t.equal(status, 200, url);
    t.match(headers['content-type'], /^application\/json/);
    t.equal(headers['cache-control'], 'no-store');
    t.ok(headers['x-request-id']);
    t.equal((await app.ask('HEAD', url, { key: null })).status, 200, `HEAD ${url}`);
  }
});

t.test('says what it is ready with', async (t) => {
  const { json } = await app.ask<ReadyBody>('GET', '/readyz');
  t.strictSame(json.status, 'ready');
  t.match(json.policy, { id: 'default', hash: /^sha256:[0-9a-f]{64}$/ });
  t.equal(json.redis, 'absent');
  t.equal(json.receives_purges, null, 'there is nobody to receive from');
  t.strictSame(json.providers, ['stytch', 'mobilerun', 'prefactor']);
  const fewer = await createTestApp(t, { emulators, disabled: ['mobilerun'] });
  t.strictSame((await fewer.ask<ReadyBody>('GET', '/readyz')).json.providers, ['stytch', 'prefactor']);
});

t.test('names its version', async (t) => {
  t.match((await app.ask('GET', '/version')).json, { name: 'riskgate', version: '0.0.0-test' });
});

t.test('is no longer ready while it drains, and still answers what arrives', async (t) => {
  const own = await createTestApp(t, { emulators });
  own.app.drain();
  const { status, json } = await own.ask<ReadyBody>('GET', '/readyz');
  t.equal(status, 503);
  t.equal(json.status, 'draining');
  t.equal((await own.ask('GET', '/livez')).status, 200);
  for (const url of ['/livez', '/readyz', '/v1/policy', '/nowhere'])
    t.equal((await own.ask('GET', url)).headers['connection'], 'close', url);
  const { status: decided } = await own.decide({ telemetry_id: 'allow', device_id: 'active' });
  t.ok(decided === 200 || decided === 503);
});

t.test('reports Redis, and is ready without it', async (t) => {
  const redis = await startRedisServer(t);
  const own = await createTestApp(t, { emulators, env: { REDIS_URL: redis.url } });
  await untilRedisIsUp(own);
  const ready = async () => (await own.ask<ReadyBody>('GET', '/readyz')).json;
  t.match(await ready(), { redis: 'up', receives_purges: true });
  // Commands go on; only the subscriber has lost its connection, and may not come back.
  await redis.command(['ACL', 'SETUSER', 'default', 'resetchannels']);
  await redis.command(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
  await until('the loss is reported', async () => (await ready()).receives_purges === false);
  t.match(await ready(), { status: 'ready', redis: 'up' });
  await redis.command(['ACL', 'SETUSER', 'default', 'allchannels']);
  await until('they are received again', async () => (await ready()).receives_purges === true);
  const redisState = async () => {
    const { status, json } = await own.ask<ReadyBody>('GET', '/readyz');
    t.equal(status, 200);
    t.equal(json.status, 'ready');
    return json.redis;
  };
  t.equal(await redisState(), 'up');
  await redis.stop();
  await until('the loss is reported', async () => (await redisState()) === 'down');
  await redis.start();
  await until('the return is reported', async () => (await redisState()) === 'up');
});

t.test('is ready although Redis was never there', async (t) => {
  const own = await createTestApp(t, { emulators, env: { REDIS_URL: 'redis://127.0.0.1:1' } });
  const { status, json } = await own.ask<ReadyBody>('GET', '/readyz');
  t.equal(status, 200);
  t.equal(json.redis, 'down');
  const { json: decided } = await own.decide({ telemetry_id: 'allow', device_id: 'active' });
  t.match(decided, { decision: 'CHALLENGE', degraded: true }, 'nobody can say whether the id is replayed');
});

t.test('finishes what is in flight before it closes, and then closes at once', async (t) => {
  const own = await createTestApp(t, { emulators, env: patienceOf(10_000) });
  const port = await own.listen();
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const answer = post(agent, port, { telemetry_id: 'fault-slow-1000-drained', device_id: 'active' });
  await until('the call is under way', () => emulators.callCount('stytch', 'fault-slow-1000-drained') === 1);
  own.app.drain();
  const closed = own.close().then(() => 'closed');
  const { response, text } = await answer;
  t.equal(response.statusCode, 200);
  t.match(JSON.parse(text), { decision: 'ALLOW' });
  t.equal(response.headers.connection, 'close', 'the client is told not to use the connection again');
  // Kept alive, the connection would hold the process for as long as the client likes.
  t.equal(await Promise.race([closed, delay(30_000, 'still open', { ref: false })]), 'closed');
  agent.destroy();
  await closed;
  await t.rejects(post(agent, port, {}), 'and then nobody listens');
});

async function post(
  agent: Agent,
  port: number,
  body: object,
): Promise<{ response: IncomingMessage; text: string }> {
  const headers = { 'x-api-key': KEYS.decide, 'content-type': 'application/json' };
  const options = { agent, port, host: '127.0.0.1', method: 'POST', path: '/v1/decide', headers };
  const sent = request(options).end(JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { response, text: Buffer.concat(await response.toArray()).toString() };
}
