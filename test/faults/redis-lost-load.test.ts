import t from 'tap';
import { type Fault, startFaultLoad } from '../support/redis-fault-load.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const redis = await startRedisServer(t);
const proxy = await startTcpProxy(t, redis.port);
const load = await startFaultLoad(t, { REDIS_URL: `redis://127.0.0.1:${proxy.port}` });

const FAULTS: readonly Fault[] = [
  { name: 'killed', begin: () => redis.stop(), end: () => redis.start(), forgets: 'in the end' },
  {
    name: 'restarted empty',
    begin: () => redis.restart(),
    end: () => {},
    forgets: 'at once',
    lastsMs: 1_500,
  },
  { name: 'frozen', begin: () => redis.pause(), end: () => redis.resume() },
  { name: 'slow', begin: () => proxy.setDelayMs(200), end: () => proxy.setDelayMs(0) },
  {
    name: 'slow within the budget',
    begin: () => proxy.setDelayMs(12),
    end: () => proxy.setDelayMs(0),
    isServing: true,
  },
];

for (const fault of FAULTS) {
  t.test(`decides right and in time while Redis is ${fault.name}, and uses it again`, async (t) => {
    await load.run(t, fault);
  });
}
