import t from 'tap';
import { startFaultLoad } from '../support/redis-fault-load.ts';
import { untilFollowed } from '../support/redis-replication.ts';
import { startRedisSentinels } from '../support/redis-sentinels.ts';
import { until } from '../support/test-app.ts';

const sentinels = await startRedisSentinels(t);
const servers = [sentinels.master, sentinels.replica] as const;
const load = await startFaultLoad(t, {
  REDIS_SENTINELS: sentinels.addresses,
  REDIS_MASTER: sentinels.masterName,
});

let [leading, following] = servers;

/**
 * Finds the master, and lets the other one follow it: the sentinels would tell it so themselves, some ten seconds
 * later. What a master that took over without it has not got is lost, and no fault of the service.
 */
async function pair(): Promise<void> {
  const port = await sentinels.masterPort();
  [leading, following] = port === servers[0].port ? servers : [servers[1], servers[0]];
  if (following.pid === 0) await following.start();
  await following.command(`REPLICAOF 127.0.0.1 ${leading.port}`);
  await untilFollowed(leading, following);
}

const untilMaster = (port: number) =>
  until('the sentinels have failed over', async () => (await sentinels.masterPort()) === port);

t.test('follows a master that is handed over while the old one lives on', async (t) => {
  await load.run(t, {
    name: 'sentinel: master handed over',
    prepare: pair,
    begin: async () => {
      await untilFollowed(leading, following);
      // Not while they are still at the last time.
      await until('it is handed over', async () => (await sentinels.failOver()).startsWith('+OK'));
    },
    lastsMs: 1_000,
    during: () => untilMaster(following.port),
    end: () => {},
  });
});

t.test('follows a failover of the sentinels, and forgets no binding by it', async (t) => {
  await load.run(t, {
    name: 'sentinel: master killed',
    prepare: pair,
    begin: async () => {
      await untilFollowed(leading, following);
      await leading.stop();
    },
    lastsMs: 1_000,
    during: () => untilMaster(following.port),
    end: () => {},
  });
});
