import type { CandidateStore } from '../application/candidates/candidate-store.ts';
import {
  type ChangeCandidates,
  createChangeCandidates,
} from '../application/candidates/change-candidates.ts';
import { createRecordEvent } from '../application/decision-log/record-event.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { PoliciesDependencies } from '../http/routes/policies.ts';
import { askWorker } from '../platform/ask-worker.ts';
import type { Result } from '../platform/result.ts';
import { createMemoryCandidateStore } from '../stores/candidates/memory-store.ts';
import { createRedisCandidateStore } from '../stores/candidates/redis-store.ts';
import type { CheckedFiles } from './check-file.ts';
import type { WorkerTextQuestion } from './check-text-worker.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { compileLater } from './follow-file.ts';
import { openRedis } from './open-redis.ts';
import type { RedisInUse } from './redis.ts';

/** Candidates that were registered over HTTP, by this replica or another. */
interface RegisteredCandidates {
  /** Those of files, which are given, and those that were registered and could be compiled. */
  candidates(): readonly CompiledPolicy[];
  /** What the routes use that show and change them. */
  routes(log: DecisionLog | null, inForce: () => CompiledPolicy): PoliciesDependencies;
  close(): Promise<void>;
}

/** As for a file that is checked. */
const LIMITS = { timeoutMs: 30_000, heapMbMax: 512 };
const MODULE = new URL('./check-text-worker.ts', import.meta.url);
/** Budget of commands; decisions never wait for them. */
const BUDGET_MS = 2_000;

/** Opens what keeps registered candidates: Redis, else this process. */
export function openRegisteredCandidates(
  context: AppContext,
  inUse: RedisInUse,
  inFiles: () => readonly CompiledPolicy[],
): RegisteredCandidates {
  const { logger, clock, newId } = context;
  const opened = openStore(context, inUse);
  const { store } = opened;
  const compiled = new Map<string, CompiledPolicy>();
  const compile = async (text: string): Promise<Result<CompiledPolicy>> => {
    const result = await compileText(text, context);
    if (result.ok) compiled.set(result.value.hash, result.value);
    return result;
  };
  let all: readonly CompiledPolicy[] = [];
  let files: readonly CompiledPolicy[] | null = null;
  const refresh = () => {
    files = inFiles();
    all = [...files, ...store.candidates().flatMap(({ hash }) => compiled.get(hash) ?? [])];
  };
  const follow = async () => {
    const kept = store.candidates();
    for (const { id, hash, text } of kept) {
      if (compiled.has(hash)) continue;
      const result = await compile(text);
      if (!result.ok)
        logger.error({ event: 'policy_candidate.refused', policy: id, hash, mistakes: result.mistakes });
    }
    const known = new Set(store.candidates().map(({ hash }) => hash));
    for (const hash of compiled.keys()) if (!known.has(hash)) compiled.delete(hash);
    refresh();
  };
  let following: Promise<void> = Promise.resolve();
  store.onChange(() => {
    following = following.then(follow);
  });
  const candidates = () => {
    if (files !== inFiles()) refresh();
    return all;
  };
  return {
    candidates,
    routes: (log, inForce) => {
      const record = log === null ? null : createRecordEvent({ ...log, clock, newId });
      const change = createChangeCandidates({ store, inForce, compile, clock, record });
      return { policy: inForce, candidates, store, change: settled(change, () => following) };
    },
    close: async () => {
      await opened.close();
      await following;
    },
  };
}

/** Its answers come when this replica judges by the change. */
function settled(change: ChangeCandidates, following: () => Promise<void>): ChangeCandidates {
  return {
    put: async (...given) => {
      const policy = await change.put(...given);
      await following();
      return policy;
    },
    remove: async (...given) => {
      const removed = await change.remove(...given);
      await following();
      return removed;
    },
  };
}

function openStore(
  { logger }: AppContext,
  inUse: RedisInUse,
): { readonly store: CandidateStore; close(): Promise<void> } {
  if (inUse.target === null) {
    const store = createMemoryCandidateStore();
    return { store, close: () => store.close() };
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
  const store = createRedisCandidateStore({
    redis,
    onEvent: ({ kind, ...fields }) =>
      logger.warn({ event: `candidates.${kind}`, ...fields }, 'Redis has lost the candidates'),
  });
  return {
    store,
    close: async () => {
      await store.close();
      await redis.close();
    },
  };
}

/** In a thread of its own, but for what can be done in pieces. */
async function compileText(text: string, { providers }: AppContext): Promise<Result<CompiledPolicy>> {
  const question: WorkerTextQuestion = { text, providerIds: providers.map(({ id }) => id) };
  try {
    const checked = await askWorker<Result<CheckedFiles['policy']>>(MODULE, question, LIMITS).answer;
    return checked.ok ? await compileLater(checked.value, providers) : checked;
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    return { ok: false, mistakes: [`cannot be checked (${String(code)})`] };
  }
}
