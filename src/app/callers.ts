import { createConcurrentRequests } from '../application/callers/concurrent-requests.ts';
import { createHoldToLimits, type HoldToLimits } from '../application/callers/hold-to-limits.ts';
import type { Keyring } from '../http/callers/api-keys.ts';
import { type AnswerOnce, createAnswerOnce } from '../http/callers/idempotency.ts';
import { createSessions, type Sessions } from '../http/callers/sessions.ts';
import { createTrafficLog } from '../http/callers/traffic-log.ts';
import type { TrafficObserver } from '../http/callers/traffic-observer.ts';
import type { SessionDependencies } from '../http/routes/session.ts';
import { createKeyedHash } from '../platform/keyed-hash.ts';
import { createCallerStores } from './caller-stores.ts';
import type { AppContext } from './context.ts';
import { longestAnswerMs } from './longest-answer.ts';
import { wireOpenId } from './open-id.ts';
import type { RedisInUse } from './redis.ts';

/** What holds callers to their limits, and answers their retries. */
interface Callers {
  readonly holdToLimits: HoldToLimits;
  readonly answerOnce: AnswerOnce;
  readonly traffic: TrafficObserver;
  /** Of people who use the dashboard; null where it is not served. */
  readonly sessions: Sessions | null;
  /** How they sign in; null likewise. */
  readonly signIn: SessionDependencies | null;
  close(): Promise<void>;
}

/** Opens the stores of callers, and builds what uses them. */
export function wireCallers(context: AppContext, redis: RedisInUse, keyring: () => Keyring): Callers {
  const { config, clock, newId, logger } = context;
  const { redisTimeoutMs, idHashKeys, idempotencyTtlMs, isDashboardServed } = config;
  const stores = createCallerStores({
    clock,
    logger,
    target: redis.target,
    redisTimeoutMs,
    onRefused: redis.recheck,
    hasSessions: isDashboardServed,
  });
  redis.watch(stores.health);
  const openId = wireOpenId(context);
  const sessions =
    stores.sessions &&
    createSessions({ store: stores.sessions, keyring, people: openId?.people ?? null, clock });
  const traffic = createTrafficLog(logger, clock);
  return {
    holdToLimits: createHoldToLimits(stores.requestCounter, createConcurrentRequests()),
    answerOnce: createAnswerOnce({
      store: stores.idempotency,
      hashes: idHashKeys.map((key) => createKeyedHash(key, 'idempotency', 0)),
      newId,
      ttlMs: idempotencyTtlMs,
      lockMs: longestAnswerMs(config),
      traffic,
    }),
    traffic,
    sessions,
    signIn: sessions && { sessions, openId: openId?.signInOver(sessions) ?? null },
    close: async () => {
      await Promise.all([stores.close(), openId?.close()]);
    },
  };
}
