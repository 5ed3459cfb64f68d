import type { Logger } from 'pino';
import type { Clock } from '../application/clock.ts';
import type {
  DecisionLogReader,
  Delivery,
  DeliveryUsage,
  StrictDelivery,
} from '../application/decision-log/decision-log.ts';
import { createDirectDelivery, createLossyDelivery } from '../application/decision-log/deliver-lossy.ts';
import { createStrictDelivery } from '../application/decision-log/deliver-strict.ts';
import { createPolicyKeeper, type PolicyKeeper } from '../application/decision-log/policy-keeper.ts';
import type { PolicyTexts } from '../application/decision-log/policy-texts.ts';
import type { RecordDecisionOptions } from '../application/decision-log/record-decision.ts';
import type { RecordHashes } from '../application/decision-log/to-decision-record.ts';
import type { Config } from '../config/config.ts';
import { createDropLog } from '../observers/drop-log.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import type { OpenSink, SinkDefinition } from '../stores/decision-log/definition.ts';
import type { ConnectionHealth } from '../stores/redis/guard.ts';
import type { RedisTarget } from '../stores/redis/target.ts';
import type { IdHashes } from './id-hashes.ts';
import { openRedis } from './open-redis.ts';

interface DecisionLogOptions {
  readonly config: Config;
  /** The registry; the configuration says which of them are named. */
  readonly sinks: readonly SinkDefinition[];
  readonly hashes: IdHashes;
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
  /** The sink that is read, for threads that open it too. */
  readonly source: {
    readonly definition: SinkDefinition;
    readonly settings: Readonly<Record<string, unknown>>;
  };
  /** Under each hash key that is known: what is looked for is looked for under all. */
  readonly knownHashes: readonly RecordHashes[];
  /** Keeps the texts of policies in every sink that has them, and finds them in the one that is read. */
  readonly policies: PolicyKeeper & Pick<PolicyTexts, 'find'>;
  usage(): readonly DeliveryUsage[];
  /** True where the sink that is read takes records more slowly than they come: reads are refused then. */
  isBehind(): boolean;
  /** Of its connection to Redis; null without one. */
  health(): ConnectionHealth | null;
  /** Delivers what it can within seconds, then closes every sink. */
  close(): Promise<void>;
  /** Logs how many records wait, for a process that ends without closing the log. */
  abandon(): void;
}

/** A sink that is open, and what it is. */
interface DefinedSink extends OpenSink {
  readonly definition: SinkDefinition;
}

/**
 * Opens the log that the configuration asks for; null where it is off. Rejects when a sink cannot be opened.
 */
export async function openDecisionLog(options: DecisionLogOptions): Promise<DecisionLog | null> {
  const { logger } = options;
  const sinks: DefinedSink[] = [];
  for (const definition of sinksToOpen(options)) sinks.push(await openSink(options, definition));
  const [read] = sinks;
  if (read === undefined) return null;
  const { reader } = read;
  const { policies } = read;
  if (reader === null || policies === null)
    throw new TypeError(`the sink ${read.definition.id} cannot be read`);
  const keeper = createPolicyKeeper(sinks.flatMap((sink) => sink.policies ?? []));
  const drops = createDropLog(logger);
  const { strict, lossy } = createDeliveries(options, sinks, drops.onDrop);
  const deliveries = [...strict, ...lossy];
  const [hashes, ...others] = options.hashes.records;
  if (hashes === undefined) throw new Error('there is no hash key');
  return {
    strict,
    lossy,
    reader,
    source: { definition: read.definition, settings: settingsOf(options.config, read.definition.id) },
    policies: { keep: keeper.keep.bind(keeper), close: keeper.close.bind(keeper), find: policies.find },
    hashes,
    knownHashes: [hashes, ...others],
    formatTime: toRfc3339,
    engine: options.version,
    health: () => sinks.map((sink) => sink.health()).find((health) => health !== null) ?? null,
    usage: () => deliveries.map((delivery) => delivery.usage()),
    isBehind: () => lossy.some((delivery) => delivery.sink === read.definition.id && delivery.isBehind()),
    close: async () => {
      await Promise.all([keeper.close(), ...deliveries.map((delivery) => delivery.close())]);
      await Promise.all(sinks.map((sink) => sink.close()));
      drops.close();
    },
    abandon: () => {
      for (const { sink, waiting } of lossy.map((delivery) => delivery.usage()))
        if (waiting > 0) drops.onDrop(sink, waiting);
      drops.close();
    },
  };
}

/** Whether records of decisions go to the Redis of the configuration. */
export function namesRedis(config: Config, sinks: readonly SinkDefinition[]): boolean {
  return namedSinks(config, sinks).some(({ needsRedis }) => needsRedis);
}

function namedSinks(
  { decisionLog }: Pick<Config, 'decisionLog'>,
  sinks: readonly SinkDefinition[],
): readonly SinkDefinition[] {
  return sinks.filter(({ id }) => decisionLog.sinks.some((one) => one.id === id && one.isNamed));
}

/**
 * The named sinks, the one that is read first. A fallback that is not read would only cost its writes.
 */
function sinksToOpen({ config, sinks }: DecisionLogOptions): readonly SinkDefinition[] {
  const named = namedSinks(config, sinks);
  if (named.length === 0) return [];
  const readable = named.filter(({ isReadable }) => isReadable);
  const read =
    readable.find(({ isShared }) => isShared) ??
    readable.find(({ isFallback }) => !isFallback) ??
    sinks.find(({ isFallback }) => isFallback);
  const others = named.filter((sink) => sink !== read && !sink.isFallback);
  return read === undefined ? others : [read, ...others];
}

async function openSink(options: DecisionLogOptions, definition: SinkDefinition): Promise<DefinedSink> {
  const { config, target, logger, onRefused, ...context } = options;
  const { delivery, timeoutMs, countsKeptMs } = config.decisionLog;
  const { id } = definition;
  const open = await definition.open(settingsOf(config, id), {
    ...context,
    logger,
    isStrict: delivery === 'strict',
    removesOld: true,
    timeoutMs,
    countsKeptMs,
    openRedis: (name) => {
      if (target === null) throw new TypeError(`the sink ${id} does not say that it needs Redis`);
      const eventPrefix = `decision_log.${id}_`;
      return openRedis({ target, name, budgetMs: timeoutMs, logger, eventPrefix, onRefused });
    },
  });
  return { ...open, definition };
}

function settingsOf({ decisionLog }: Pick<Config, 'decisionLog'>, id: string) {
  return decisionLog.sinks.find((sink) => sink.id === id)?.settings ?? {};
}

/** How each sink gets its records. */
function createDeliveries(
  { config, clock, newId }: DecisionLogOptions,
  sinks: readonly DefinedSink[],
  onDrop: (sink: string, count: number) => void,
): { readonly strict: readonly StrictDelivery[]; readonly lossy: readonly Delivery[] } {
  const { delivery, timeoutMs: waitMs, bufferMax } = config.decisionLog;
  const strict: StrictDelivery[] = [];
  const lossy: Delivery[] = [];
  for (const { sink, definition } of sinks) {
    if (definition.isImmediate) lossy.push(createDirectDelivery(sink));
    else if (delivery === 'strict' && definition.isDurable)
      strict.push(createStrictDelivery({ sink, clock, waitMs, waitingMax: bufferMax }));
    else lossy.push(createLossyDelivery({ sink, bufferMax, clock, newId, formatTime: toRfc3339, onDrop }));
  }
  return { strict, lossy };
}
