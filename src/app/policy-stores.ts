import type { CandidateStore } from '../application/candidates/candidate-store.ts';
import type { PolicyStore } from '../application/policy-in-force/policy-store.ts';
import { createMemoryCandidateStore } from '../stores/candidates/memory-store.ts';
import { createRedisCandidateStore } from '../stores/candidates/redis-store.ts';
import { createMemoryPolicyStore } from '../stores/policy-in-force/memory-store.ts';
import { createRedisPolicyStore, type RedisPolicyEvent } from '../stores/policy-in-force/redis-store.ts';
import type { AppContext } from './context.ts';
import { openRedis } from './open-redis.ts';
import type { RedisInUse } from './redis.ts';

/** What replicas tell each other of policies: through Redis, or not at all. */
interface PolicyStores {
  readonly candidates: CandidateStore;
  readonly inForce: PolicyStore;
  close(): Promise<void>;
}

/** Budget of commands; decisions never wait for them. */
const BUDGET_MS = 2_000;

const MESSAGES: Readonly<Record<RedisPolicyEvent['kind'], string>> = {
  lost: 'Redis has forgotten which policy is in force',
  restored: 'Redis knows again which policy is in force',
  unreadable: 'Redis has what this version does not understand; what is in force stays',
};

/** Opens both stores on one connection. */
export function openPolicyStores({ logger }: AppContext, inUse: RedisInUse): PolicyStores {
  if (inUse.target === null) {
    const [candidates, inForce] = [createMemoryCandidateStore(), createMemoryPolicyStore()];
    return { candidates, inForce, close: () => closeAll(candidates, inForce) };
  }
  const redis = openRedis({
    target: inUse.target,
    name: 'riskgate-policies',
    budgetMs: BUDGET_MS,
    logger,
    eventPrefix: 'policies.redis_',
    onRefused: inUse.recheck,
  });
  inUse.watch(() => redis.health());
  const candidates = createRedisCandidateStore({
    redis,
    onEvent: ({ kind, ...fields }) =>
      logger.warn({ event: `candidates.${kind}`, ...fields }, 'Redis has lost the candidates'),
  });
  const inForce = createRedisPolicyStore({
    redis,
    onEvent: ({ kind, ...fields }) => {
      const level = kind === 'restored' ? 'info' : 'error';
      logger[level]({ event: `policy_in_force.${kind}`, ...fields }, MESSAGES[kind]);
    },
  });
  return {
    candidates,
    inForce,
    close: async () => {
      await closeAll(candidates, inForce);
      await redis.close();
    },
  };
}

async function closeAll(...stores: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(stores.map((store) => store.close()));
}
