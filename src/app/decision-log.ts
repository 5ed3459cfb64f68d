import type { Logger } from 'pino';
import type {
  DecisionLogReader,
  DecisionSink,
  Delivery,
  DeliveryUsage,
  StrictDelivery,
} from '../application/decision-log/decision-log.ts';
import { createDirectDelivery, createLossyDelivery } from '../application/decision-log/deliver-lossy.ts';
import { createStrictDelivery } from '../application/decision-log/deliver-strict.ts';
import type { RecordDecisionOptions } from '../application/decision-log/record-decision.ts';
import type { RecordHashes } from '../application/decision-log/to-decision-record.ts';
import type { Clock } from '../application/ports.ts';
import type { Config } from '../config/config.ts';
import { createDropLog } from '../observers/drop-log.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import { openDecisionFile } from '../stores/decision-log/file/decision-file.ts';
import { createMemoryDecisionLog } from '../stores/decision-log/memory/decision-log.ts';
import { createRedisDecisionReader } from '../stores/decision-log/redis/decision-reader.ts';
import { createRedisDecisionSink } from '../stores/decision-log/redis/decision-sink.ts';
import { createDecisionStream } from '../stores/decision-log/stdout/decision-stream.ts';
import type { ConnectionHealth } from '../stores/redis/guard.ts';
import type { RedisTarget } from '../stores/redis/target.ts';
import { createRecordHashes } from './keyed-hashes.ts';
import { openRedis } from './open-redis.ts';

interface DecisionLogOptions {
  readonly config: Config;
  /** The Redis of the configuration; null without one. */
  readonly target: RedisTarget | null;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
  /** The version of riskgate. */
  readonly version: string;
  /** Takes text for standard output. */
  readonly write: (text: string) => void;
  /** Told when Redis refuses a command. */
  readonly onRefused: (code: string) => void;
}

/** The decision log of a service. */
export interface DecisionLog extends RecordDecisionOptions {
  readonly reader: DecisionLogReader;
  /** Under each hash key that is known: what is looked for is looked for under all. */
  readonly knownHashes: readonly RecordHashes[];
  usage(): readonly DeliveryUsage[];
  /** Of its connection to Redis; null without one. */
  health(): ConnectionHealth | null;
  /** Delivers what it can within seconds, then closes every sink. */
  close(): Promise<void>;
}

/** What the configured log is made of. */
interface Parts {
  readonly sinks: readonly DecisionSink[];
  readonly reader: DecisionLogReader;
  health(): ConnectionHealth | null;
  close(): Promise<void>;
}

/**
 * Opens the log that the configuration asks for; null where it is off. Rejects when its file cannot be
 * opened.
 */
export async function openDecisionLog(options: DecisionLogOptions): Promise<DecisionLog | null> {
  const { config, clock, newId, logger } = options;
  if (config.decisionLogSinks.length === 0) return null;
  const { sinks, reader, health, close } = await openParts(options);
  const drops = createDropLog(logger);
  const isStrict = config.decisionLogDelivery === 'strict';
  const strict: StrictDelivery[] = [];
  const lossy: Delivery[] = [];
  for (const sink of sinks) {
    const { decisionLogBufferMax: bufferMax, decisionLogTimeoutMs: waitMs } = config;
    if (sink.id === 'memory') lossy.push(createDirectDelivery(sink));
    else if (isStrict && sink.isDurable)
      strict.push(createStrictDelivery({ sink, clock, waitMs, waitingMax: bufferMax }));
    else
      lossy.push(
        createLossyDelivery({ sink, bufferMax, clock, newId, formatTime: toRfc3339, onDrop: drops.onDrop }),
      );
  }
  const deliveries = [...strict, ...lossy];
  const [hashes, ...others] = createRecordHashes(config.idHashKeys);
  if (hashes === undefined) throw new Error('there is no hash key');
  return {
    strict,
    lossy,
    reader,
    hashes,
    knownHashes: [hashes, ...others],
    formatTime: toRfc3339,
    engine: options.version,
    health,
    usage: () => deliveries.map((delivery) => delivery.usage()),
    close: async () => {
      await Promise.all(deliveries.map((delivery) => delivery.close()));
      await close();
      drops.close();
    },
  };
}

async function openParts(options: DecisionLogOptions): Promise<Parts> {
  const { config, target, write } = options;
  const wanted = new Set(config.decisionLogSinks);
  const main = wanted.has('redis') && target !== null ? openShared(options, target) : openMemory(options);
  const sinks = [...main.sinks];
  if (wanted.has('file') && config.decisionLogFile !== null)
    sinks.push(await openFile(options, config.decisionLogFile));
  if (wanted.has('stdout')) sinks.push(createDecisionStream(write));
  const close = async () => {
    await Promise.all(sinks.map((sink) => sink.close()));
    await main.close();
  };
  return { sinks, reader: main.reader, health: main.health, close };
}

function openMemory({ config, clock }: DecisionLogOptions): Parts {
  const { decisionLogMemoryRecords: recordsMax, decisionLogCountsKeptMs: countsKeptMs } = config;
  const log = createMemoryDecisionLog({ clock, recordsMax, countsKeptMs });
  return { sinks: [log], reader: log, health: () => null, close: async () => {} };
}

function openShared(options: DecisionLogOptions, target: RedisTarget): Parts {
  const { config, clock, newId, logger, onRefused } = options;
  const redis = openRedis({
    target,
    name: 'riskgate-decisions',
    budgetMs: config.decisionLogTimeoutMs,
    logger,
    eventPrefix: 'decision_log.redis_',
    onRefused,
  });
  const limits = {
    hourRecordsMax: config.decisionLogHourRecords,
    recordsKeptMs: config.decisionLogKeptMs,
    countsKeptMs: config.decisionLogCountsKeptMs,
  };
  const parts = { redis, clock, writer: newId(), ...limits };
  const reader = createRedisDecisionReader(parts);
  const close = async () => {
    reader.close();
    await redis.close();
  };
  return { sinks: [createRedisDecisionSink(parts)], reader, health: redis.health, close };
}

function openFile({ config, logger }: DecisionLogOptions, path: string): Promise<DecisionSink> {
  return openDecisionFile({
    path,
    isSynced: config.decisionLogDelivery === 'strict',
    onEvent: ({ kind, ...fields }) => {
      const line = { event: `decision_log.file_${kind}`, ...fields };
      if (kind === 'failed') logger.error(line, 'the decision log cannot be written');
      else if (kind === 'truncated')
        logger.error(line, 'the decision log was emptied in place: records may be lost, rotate by renaming');
      else if (kind === 'repaired') logger.warn(line, 'a torn end of the decision log was cut off');
      else logger.info(line);
    },
  });
}
