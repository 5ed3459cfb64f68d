import t from 'tap';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { startFaultLoad } from '../support/redis-fault-load.ts';
import { isMaster, untilFollowed } from '../support/redis-replication.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/test-app.ts';

const cluster = await startRedisCluster(t);
const load = await startFaultLoad(t, { REDIS_CLUSTER: cluster.nodes });
/** What takes no part in the faults. */
const [, witness] = cluster.masters;
if (witness === undefined) throw new Error('there are three');
const untilServed = () => until('every slot is served', () => cluster.isOk(witness));

/** The two servers of one third of the slots, of which now one leads and now the other. */
function pairOf(place: number) {
  const [master, replica] = [cluster.masters[place], cluster.replicas[place]];
  if (master === undefined || replica === undefined) throw new Error('there are three of each');
  let leading: RedisServer = master;
  let following: RedisServer = replica;
  const servers = [master, replica];
  return {
    leading: () => leading,
    /** Both live, and one follows the other: where a fault is repeated, a master that was lost is the replica. */
    restore: async () => {
      for (const server of servers) {
        server.resume();
        if (server.pid === 0) await server.start();
      }
      await until('one of the two leads', async () => {
        const roles = await Promise.all(servers.map(isMaster));
        leading = servers[roles.indexOf(true)] ?? leading;
        following = servers[roles.indexOf(false)] ?? following;
        return leading !== following && roles.includes(true) && roles.includes(false);
      });
      await untilFollowed(leading, following);
      await untilServed();
    },
    untilFailedOver: async () => {
      await until('the replica has taken over', () => isMaster(following));
      await untilServed();
    },
  };
}

t.test('decides right and in time while a master of the cluster is killed', async (t) => {
  const pair = pairOf(0);
  await load.run(t, {
    name: 'cluster master killed',
    prepare: pair.restore,
    begin: async () => {
      t.equal(await isMaster(pair.leading()), true, 'it leads until it is killed');
      await pair.leading().stop();
    },
    lastsMs: 1_500,
    during: pair.untilFailedOver,
    end: () => {},
  });
});

t.test('decides right and in time while a master of the cluster is stopped without a word', async (t) => {
  const pair = pairOf(2);
  await load.run(t, {
    name: 'cluster master frozen',
    prepare: pair.restore,
    begin: async () => {
      t.equal(await isMaster(pair.leading()), true, 'it leads until it is stopped');
      pair.leading().pause();
    },
    lastsMs: 1_500,
    during: pair.untilFailedOver,
    end: () => {},
  });
});
