import t from 'tap';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { startFaultLoad } from '../support/redis-fault-load.ts';
import { until } from '../support/test-app.ts';

const cluster = await startRedisCluster(t);
const load = await startFaultLoad(t, { REDIS_CLUSTER: cluster.nodes });
const [first, second, third] = cluster.masters;
if (first === undefined || second === undefined || third === undefined) throw new Error('there are three');
const untilServed = () => until('every slot is served again', () => cluster.isOk(second));

t.test('decides right and in time while a master of the cluster is killed', async (t) => {
  await load.run(t, {
    name: 'cluster master killed',
    begin: () => first.stop(),
    lastsMs: 1_500,
    during: untilServed,
    end: () => {},
  });
});

t.test('decides right and in time while a master of the cluster is stopped without a word', async (t) => {
  await load.run(t, {
    name: 'cluster master frozen',
    begin: () => third.pause(),
    lastsMs: 1_500,
    during: untilServed,
    end: () => {},
  });
  third.resume();
});
