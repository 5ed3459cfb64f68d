import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  allDecisionLogSettings,
  type DecisionLogConfig,
  readDecisionLog,
} from '../config/decision-log-settings.ts';
import { isRedisNamed, readRedis } from '../config/read-redis.ts';
import { REDIS_SETTINGS } from '../config/redis-settings.ts';
import { readSecretFiles } from '../config/secret-files.ts';
import { systemClock } from '../platform/clock.ts';
import { createLogger } from '../platform/logger.ts';
import type { Result } from '../platform/result.ts';
import type { OpenReader, OpenSink, SinkContext, SinkDefinition } from '../stores/decision-log/definition.ts';
import { SINKS } from '../stores/decision-log/registry.ts';
import { openRedis } from './open-redis.ts';
import { readSecret } from './read-configuration.ts';
import { checkTlsFiles, readRedisTarget } from './redis-target.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A sink, as the environment configures it, that a command works on without a service. */
export interface Engine {
  readonly definition: SinkDefinition;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Opens it to write to. Rejects where it cannot be opened, as when a service has it. */
  open(): Promise<OpenSink>;
  /** Opens it for reading alone, beside a service; null where it cannot be read. */
  openReader(): Promise<OpenReader | null>;
}

interface EngineOptions {
  /** The id of the sink; null chooses the one that a service would read. */
  readonly id: string | null;
  /** Takes lines about what becomes of connections. */
  readonly warn: (line: string) => void;
}

/** Nobody waits for a command as for an answer. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

/** The ids of sinks whose records outlive the process. */
export const LASTING_ENGINES: readonly string[] = SINKS.filter(({ isDurable }) => isDurable).map(
  ({ id }) => id,
);

/** Finds what the environment configures, or every mistake in it. Only variables of the log are read. */
export function findEngine(given: Environment, { id, warn }: EngineOptions): Result<Engine> {
  const settings = [...allDecisionLogSettings(SINKS), ...Object.values(REDIS_SETTINGS)];
  const wanted = id === null ? given : { ...given, DECISION_LOG: id, DECISION_LOG_DELIVERY: '' };
  const { env, mistakes: unread } = readSecretFiles(wanted, settings, readSecret);
  const mistakes = [...unread];
  const { config } = readDecisionLog(env, SINKS, isRedisNamed(env), mistakes);
  const definition = config === null ? undefined : chooseSink(config, id);
  const redis = definition?.needsRedis ? readRedis(env, mistakes) : null;
  mistakes.push(...checkTlsFiles(redis?.tls ?? null));
  if (config === null || mistakes.length > 0) return { ok: false, mistakes };
  if (definition === undefined) return { ok: false, mistakes: [NOTHING_LASTS] };
  const target = readRedisTarget(redis);
  const { logger } = createLogger('warn', { write: warn });
  const context: SinkContext = {
    isStrict: true,
    removesOld: false,
    timeoutMs: PATIENCE_MS,
    countsKeptMs: config.countsKeptMs,
    clock: systemClock,
    newId: randomUUIDv7,
    logger,
    openRedis: (name) => {
      if (target === null) throw new TypeError('the sink does not say that it needs Redis');
      const eventPrefix = `decision_log.${definition.id}_`;
      return openRedis({ target, name, budgetMs: PATIENCE_MS, logger, eventPrefix, onRefused: () => {} });
    },
    write: () => {},
  };
  const own = config.sinks.find((sink) => sink.id === definition.id)?.settings ?? {};
  const open = async () => untilConnected(await definition.open(own, context));
  return {
    ok: true,
    value: {
      definition,
      settings: own,
      open,
      openReader: async () => {
        const upkeep = await definition.loadUpkeep?.();
        if (upkeep !== undefined) return upkeep.openReader(own, context);
        const { reader, policies, close } = await open();
        return reader === null ? null : { reader, policies, close };
      },
    },
  };
}

/** A remote sink connects in the background. Rejects where it does not. */
async function untilConnected(sink: OpenSink): Promise<OpenSink> {
  const untilMs = systemClock.monotonicMs() + PATIENCE_MS;
  while ((sink.health()?.state ?? 'up') !== 'up') {
    if (systemClock.monotonicMs() > untilMs) {
      await sink.close();
      throw new Error('Redis does not answer');
    }
    await delay(POLL_MS);
  }
  return sink;
}

const NOTHING_LASTS =
  'no log is configured that outlives its process: set DATA_DIR or HISTORY_URL, DECISION_LOG=redis with REDIS_URL, or DECISION_LOG=file with DECISION_LOG_FILE';

/** As a service would: what is shared first. A file is no more than that, but it lasts. */
function chooseSink({ sinks }: DecisionLogConfig, id: string | null): SinkDefinition | undefined {
  if (id !== null) return SINKS.find((definition) => definition.id === id);
  const named = SINKS.filter(
    (sink) => sink.isDurable && sinks.some((one) => one.id === sink.id && one.isNamed),
  );
  return (
    named.find(({ isReadable, isShared }) => isReadable && isShared) ??
    named.find(({ isReadable }) => isReadable) ??
    named[0]
  );
}
