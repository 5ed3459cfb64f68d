import t from 'tap';
import { systemClock } from '../../src/platform/clock.ts';
import { createRedisDecisionReader } from '../../src/stores/decision-log/redis/decision-reader.ts';
import { createRedisDecisionSink } from '../../src/stores/decision-log/redis/decision-sink.ts';
import { openRedisHandle } from '../stores/redis/open-redis-handle.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { testDecisionLogReader } from './decision-log.ts';

const HOUR_MS = 3_600_000;
const cluster = await startRedisCluster(t);
let openings = 0;

t.test('the decision log in a cluster keeps the contract of readers', async (t) => {
  await testDecisionLogReader(t, {
    id: 'cluster',
    open: async (t) => {
      openings += 1;
      const redis = await openRedisHandle(t, {
        target: {
          topology: 'cluster',
          nodes: cluster.masters.map(({ port }) => ({ host: '127.0.0.1', port })),
          credentials: { username: null, password: null },
          tls: null,
          keyPrefix: `log-${openings}`,
        },
      });
      const limits = { hourRecordsMax: 100_000, recordsKeptMs: 2 * HOUR_MS, countsKeptMs: 48 * HOUR_MS };
      const options = { redis, clock: systemClock, writer: 'writer-1', ...limits };
      const reader = createRedisDecisionReader(options);
      t.teardown(() => reader.close());
      return { sink: createRedisDecisionSink(options), reader, nowMs: systemClock.nowMs };
    },
  });
});
