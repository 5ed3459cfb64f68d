import t from 'tap';
import { type Fault, startFaultLoad } from '../support/redis-fault-load.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { until } from '../support/test-app.ts';

/** Of the service; the test keeps the default user for itself. */
const USER = ['--user', 'service', 'on', '>right', '~*', '&*', '+@all'];

const redis = await startRedisServer(t, { args: () => USER });
const load = await startFaultLoad(t, { REDIS_URL: `redis://service:right@127.0.0.1:${redis.port}` });

/** Resolves once /readyz names this problem. */
const named = (code: string) =>
  until(`${code} is named`, async () => (await load.ready()).redis_problem?.code === code);

const FAULTS: readonly Fault[] = [
  {
    name: 'read-only',
    begin: () => redis.command('REPLICAOF 127.0.0.1 1'),
    end: () => redis.command('REPLICAOF NO ONE'),
    during: () => named('READONLY'),
  },
  {
    name: 'out of memory',
    begin: () => redis.command('CONFIG SET maxmemory 1'),
    end: () => redis.command('CONFIG SET maxmemory 0'),
    during: () => named('OOM'),
  },
  {
    name: 'wrong password',
    begin: async () => {
      await redis.command('ACL SETUSER service resetpass >other');
      await redis.command('CLIENT KILL USER service');
    },
    end: () => redis.command('ACL SETUSER service resetpass >right'),
    during: () => named('WRONGPASS'),
  },
];

for (const fault of FAULTS) {
  t.test(`decides right and in time while Redis is ${fault.name}, and uses it again`, async (t) => {
    await load.run(t, fault);
  });
}
