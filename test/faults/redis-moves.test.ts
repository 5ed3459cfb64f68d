import t, { type Test } from 'tap';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { createTestApp, startEmulators, type TestApp, until } from '../support/test-app.ts';

interface ReadyBody {
  readonly redis: string;
  readonly redis_problem: { readonly code: string } | null;
  readonly receives_purges: boolean | null;
}

interface Pair {
  readonly app: TestApp;
  readonly proxy: TcpProxy;
  readonly old: RedisServer;
  readonly next: RedisServer;
  /** What /readyz says. */
  ready(): Promise<ReadyBody>;
  /** Asks about an id that nobody asked about before. */
  ask(): Promise<unknown>;
}

const emulators = await startEmulators(t);
let asked = 0;

/** An app with all that it keeps in Redis, behind a name that leads to the old one of two servers. */
async function openPair(t: Test): Promise<Pair> {
  const [old, next] = [await startRedisServer(t), await startRedisServer(t)];
  await next.command(`REPLICAOF 127.0.0.1 ${old.port}`);
  await until('the next one follows', async () =>
    (await next.command('INFO replication')).includes('master_link_status:up'),
  );
  const proxy = await startTcpProxy(t, old.port);
  const app = await createTestApp(t, {
    emulators,
    env: {
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      DECISION_LOG: 'redis',
      DECISION_LOG_DELIVERY: 'strict',
      REDIS_TIMEOUT_MS: '100',
    },
  });
  const ready = async () => (await app.ask<ReadyBody>('GET', '/readyz')).json;
  const ask = async () => {
    asked += 1;
    const { status, json } = await app.decide({ telemetry_id: `allow-${asked}`, device_id: 'active' });
    return status === 200 ? json.decision : status;
  };
  await until('Redis is used', async () => (await ready()).redis === 'up' && (await ask()) === 'ALLOW');
  await until('the next one has it all', async () => {
    const [held, copied] = [await old.command('DBSIZE'), await next.command('DBSIZE')];
    return held === copied;
  });
  return { app, proxy, old, next, ready, ask };
}

/** The next one takes over, and the old one lives on as its replica; our connections stay where they are. */
async function failOver({ old, next }: Pair): Promise<void> {
  await next.command('REPLICAOF NO ONE');
  await old.command(`REPLICAOF 127.0.0.1 ${next.port}`);
}

/** Every connection of the service is used, and leads to this server. */
async function expectAllAt(t: Test, { app, ready, ask }: Pair, server: RedisServer): Promise<void> {
  await until('custody is known again', async () => (await ask()) === 'ALLOW');
  await until('it says so', async () => {
    const { redis, redis_problem: problem, receives_purges: receives } = await ready();
    return redis === 'up' && problem === null && receives === true;
  });
  const keyed = { headers: { 'idempotency-key': `key-${asked}` } };
  const body = { telemetry_id: `allow-key-${asked}`, device_id: 'active' };
  const replayed = async () => {
    const first = await app.decide(body, keyed);
    const second = await app.decide(body, keyed);
    return first.status === 200 && first.json.decision_id === second.json.decision_id;
  };
  await until('retries are recognised', replayed);
  const keys = await server.command('KEYS *');
  for (const part of ['custody:', 'evidence:', 'idempotency:', ':records']) t.match(keys, part, part);
  for (const name of ['evidence', 'purges', 'callers', 'decisions']) {
    await until(`${name} is connected there`, async () =>
      (await server.command('CLIENT LIST')).includes(`name=riskgate-${name}`),
    );
  }
  await until('purges are received there', async () =>
    (await server.command('PUBSUB NUMSUB riskgate:v1:purge')).includes(':1'),
  );
}

t.test('follows a name that moves to another server while the old one lives on as a replica', async (t) => {
  const pair = await openPair(t);
  await failOver(pair);
  pair.proxy.retarget(pair.next.port);
  await expectAllAt(t, pair, pair.next);
  await until('nobody is left at the old one', async () => {
    return !(await pair.old.command('CLIENT LIST')).includes('name=riskgate');
  });
});

t.test('follows a name that moves some time after the old server became a replica', async (t) => {
  const pair = await openPair(t);
  // It is down for another reason first, and stays so when that is over.
  pair.proxy.setDelayMs(300);
  await until('it is late', async () => (await pair.ready()).redis === 'down');
  await failOver(pair);
  pair.proxy.setDelayMs(0);
  await until('it is named in the log', () => pair.app.events().includes('redis.misconfigured'));
  const { redis, redis_problem: problem } = await pair.ready();
  t.equal(redis, 'down');
  t.match(problem, { code: 'READONLY' });
  pair.proxy.retarget(pair.next.port);
  await expectAllAt(t, pair, pair.next);
  await until('it is over in the log too', () => pair.app.events().includes('redis.mended'));
});

t.test('follows a name that moves on from a server that asks for more replicas', async (t) => {
  const pair = await openPair(t);
  // How an old primary is kept from taking writes when it is cut off.
  await pair.next.command('REPLICAOF NO ONE');
  await pair.old.command('CONFIG SET min-replicas-to-write 1');
  await until('writes are refused', async () => (await pair.ask()) !== 'ALLOW');
  pair.proxy.retarget(pair.next.port);
  await expectAllAt(t, pair, pair.next);
});

t.test('follows a name that moves on from a server that is gone without a word', async (t) => {
  const pair = await openPair(t);
  await pair.next.command('REPLICAOF NO ONE');
  pair.proxy.silence();
  pair.proxy.retarget(pair.next.port);
  await expectAllAt(t, pair, pair.next);
});

t.test('follows a name whose new server has another set of clients to know', async (t) => {
  const pair = await openPair(t);
  // The old one does not follow the next one, so that purges at that one do not reach it.
  await pair.next.command('REPLICAOF NO ONE');
  pair.proxy.retarget(pair.next.port);
  const lines = (await pair.old.command('CLIENT LIST')).split(/\r?\n/);
  const evidence = lines.find((line) => line.includes('name=riskgate-evidence'));
  await pair.old.command(`CLIENT KILL ID ${/\bid=(\d+)/.exec(evidence ?? '')?.[1]}`);
  await until('purges are received where they are made', async () => {
    return (await pair.next.command('PUBSUB NUMSUB riskgate:v1:purge')).includes(':1');
  });
});
