import {
  type Analyses,
  createAnalyses,
  type PolicyAnalysis,
} from '../application/policy-analysis/analyses.ts';
import { askWorker } from '../platform/ask-worker.ts';
import type { WorkerAnalysis } from './analyze-worker.ts';
import type { AppContext } from './context.ts';

const WORKER = new URL('./analyze-worker.ts', import.meta.url);
/** An analysis is bounded by itself: some ten seconds of one core for a hundred rules. */
const LIMITS = { timeoutMs: 120_000, heapMbMax: 512 };

/** Wires the analyses of policies. */
export function wireAnalyses({ logger }: Pick<AppContext, 'logger'>): Analyses {
  return createAnalyses({
    run: (text) => {
      const question: WorkerAnalysis = { text };
      return askWorker<PolicyAnalysis>(WORKER, question, LIMITS).answer;
    },
    onFailed: (error) => {
      const code: unknown = error instanceof Error ? (Reflect.get(error, 'code') ?? error.name) : 'ERROR';
      logger.warn({ event: 'policy.not_analyzed', code: String(code) }, 'a policy could not be analyzed');
    },
  });
}
