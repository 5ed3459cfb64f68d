import { hash as digest } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { PolicyDifference } from '../http/schemas/policy-diff.ts';
import { askWorker } from '../platform/ask-worker.ts';
import type { AppContext } from './context.ts';
import type { WorkerDiffAnswer, WorkerDiffQuestion } from './diff-worker.ts';
import { oneAtATime } from './one-at-a-time.ts';

/** The analysis has a bound of its own, which takes about ten seconds of a core. */
const LIMITS = { timeoutMs: 60_000, heapMbMax: 512 };
const MODULE = new URL('./diff-worker.ts', import.meta.url);
/** Differences that are remembered: some tens of kilobytes each. */
const DIFFS_MAX = 50;

/** What is said where the comparison was given up. */
const GIVEN_UP: PolicyDifference = {
  table: null,
  classes: null,
  classes_total: null,
  limits: ['they could not be compared in time'],
};

/**
 * Compares two texts in a thread, one pair at a time, and remembers what came of it. Null where this version refuses
 * one of them. Rejects with `conflict` while another pair is compared.
 */
type DiffPolicies = (before: string, after: string) => Promise<PolicyDifference | null>;

/** Builds it. */
export function createDiffPolicies({ providers }: Pick<AppContext, 'providers'>): DiffPolicies {
  const known = new LRUCache<string, PolicyDifference>({ max: DIFFS_MAX });
  const providerIds = providers.map(({ id }) => id);
  const compare = oneAtATime(
    { busy: 'Two other policies are being compared', retryAfterSeconds: 1 },
    async (key: string, texts: readonly [string, string]) => {
      const question: WorkerDiffQuestion = { texts, providerIds };
      const told = await askWorker<WorkerDiffAnswer>(MODULE, question, LIMITS).answer.catch(() => GIVEN_UP);
      if (told !== null && told !== GIVEN_UP) known.set(key, told);
      return told;
    },
  );
  return async (before, after) => {
    const key = [before, after].map((text) => digest('sha256', text)).join();
    return known.get(key) ?? compare(key, [before, after]);
  };
}
