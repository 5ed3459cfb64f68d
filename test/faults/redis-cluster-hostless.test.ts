import t from 'tap';
import { createRedisConnection } from '../../src/stores/redis/create-connection.ts';
import type { ClusterTarget } from '../../src/stores/redis/target.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { createTestApp, until } from '../support/test-app.ts';

/** Nodes behind one address, with a port each: they know of no host by which we reach them. */
const cluster = await startRedisCluster(t, ['--cluster-preferred-endpoint-type', 'unknown-endpoint']);
const [first] = cluster.masters;
if (first === undefined) throw new Error('there are three');
const address = { host: '127.0.0.1', port: first.port };
const TARGET: ClusterTarget = {
  topology: 'cluster',
  nodes: [address],
  credentials: { username: null, password: null },
  tls: null,
  keyPrefix: 'test',
};

t.test('the nodes announce no host', async (t) => {
  t.notMatch(await first.command('CLUSTER SLOTS'), /^\$9\r\n127\.0\.0\.1\r\n:/m);
});

t.test('uses a cluster whose nodes announce no host, by one of them', async (t) => {
  const app = await createTestApp(t, {
    env: { REDIS_CLUSTER: `127.0.0.1:${first.port}`, DECISION_LOG: 'redis', DECISION_LOG_DELIVERY: 'strict' },
  });
  await until('custody is known', async () => {
    const { json } = await app.decide({ telemetry_id: 'allow', device_id: 'active' });
    return json.decision === 'ALLOW';
  });
  const { json } = await app.ask<{ redis: string; redis_problem: unknown }>('GET', '/readyz');
  t.match(json, { redis: 'up', redis_problem: null });
});

t.test('follows a redirection without a host', async (t) => {
  const connection = createRedisConnection(TARGET, 'test');
  t.teardown(() => connection.close());
  await until('it is ready', () => connection.isReady());
  const keys = Array.from({ length: 30 }, (_, place) => `key-${place}`);
  await Promise.all(keys.map((key) => connection.redis.set(key, key)));
  // Every master hands over to its replica: what ioredis knows of the slots is out of date.
  for (const replica of cluster.replicas) await replica.command('CLUSTER FAILOVER');
  for (const replica of cluster.replicas) {
    await until('it has taken over', async () => (await replica.command('ROLE')).includes('master'));
  }
  await until('the new masters agree', async () => {
    const states = await Promise.all(cluster.replicas.map((server) => cluster.isOk(server)));
    return states.every(Boolean);
  });
  // A few are lost with the connections that ioredis closes when it learns of the new masters.
  await until('every key is read where it is now', async () => {
    const read = await Promise.allSettled(keys.map((key) => connection.redis.get(key)));
    const isRead = read.every((one, place) => one.status === 'fulfilled' && one.value === keys[place]);
    // As its guard does: ioredis follows no redirection of a batch that holds several slots.
    if (!isRead) connection.renew('MOVED');
    return isRead;
  });
  t.pass('from the new masters');
});
