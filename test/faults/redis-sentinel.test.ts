import t from 'tap';
import { startFaultLoad } from '../support/redis-fault-load.ts';
import { startRedisSentinels } from '../support/redis-sentinels.ts';
import { until } from '../support/test-app.ts';

const sentinels = await startRedisSentinels(t);
const { master, replica } = sentinels;
const load = await startFaultLoad(t, {
  REDIS_SENTINELS: sentinels.addresses,
  REDIS_MASTER: sentinels.masterName,
});
const untilMaster = (port: number) =>
  until('the sentinels have failed over', async () => (await sentinels.masterPort()) === port);

t.test('follows a master that is handed over while the old one lives on', async (t) => {
  await load.run(t, {
    name: 'sentinel: master handed over',
    begin: async () => t.match(await sentinels.failOver(), '+OK'),
    lastsMs: 1_000,
    during: () => untilMaster(replica.port),
    end: () => {},
  });
});

t.test('follows a failover of the sentinels, and forgets no binding by it', async (t) => {
  // The sentinels would tell it so themselves, some ten seconds later.
  await master.command(`REPLICAOF 127.0.0.1 ${replica.port}`);
  await until('the old master follows the new one', async () =>
    (await master.command('INFO replication')).includes('master_link_status:up'),
  );
  await load.run(t, {
    name: 'sentinel: master killed',
    begin: () => replica.stop(),
    lastsMs: 1_000,
    during: () => untilMaster(master.port),
    end: () => {},
  });
});
