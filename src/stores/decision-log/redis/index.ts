import { integer } from '../../../platform/setting.ts';
import { defineSink } from '../definition.ts';
import { createRedisDecisionReader } from './decision-reader.ts';
import { createRedisDecisionSink } from './decision-sink.ts';
import { createRedisPolicyTexts } from './policy-texts.ts';

/** The Redis that all replicas share, on a connection of its own. */
export const redis = defineSink({
  id: 'redis',
  variables: {
    hourRecordsMax: {
      env: 'DECISION_LOG_REDIS_RECORDS_PER_HOUR',
      schema: integer(100, 100_000_000),
      default: '100000',
      description: 'With Redis: the latest records of every hour that are kept, about 3 KiB each.',
    },
    recordsKeptMs: {
      env: 'DECISION_LOG_RETENTION_HOURS',
      schema: integer(1, 8_760).transform((hours) => hours * 3_600_000),
      default: '24',
      description: 'With Redis: how long records are kept.',
    },
  },
  isDurable: true,
  isShared: true,
  isReadable: true,
  isFallback: false,
  isImmediate: false,
  needsRedis: true,
  check: () => [],
  open: (limits, { openRedis, clock, newId, countsKeptMs }) => {
    const handle = openRedis('riskgate-decisions');
    const options = { redis: handle, clock, writer: newId(), countsKeptMs, ...limits };
    const reader = createRedisDecisionReader(options);
    const sink = createRedisDecisionSink(options);
    const close = async () => {
      await sink.close();
      reader.close();
      await handle.close();
    };
    return { sink, reader, policies: createRedisPolicyTexts(handle), health: handle.health, close };
  },
});
