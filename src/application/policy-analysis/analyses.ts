import type { Finding } from '../../domain/policy-analysis/finding.ts';
import type { Verdict } from '../../domain/verdict.ts';

/** What an analysis told of a policy; see analyzePolicy. */
export interface PolicyAnalysis {
  readonly findings: readonly Pick<Finding, 'kind' | 'severity' | 'rule' | 'message' | 'isUnproven'>[];
  /** How many combinations of evidence come to each verdict. */
  readonly verdicts: readonly { readonly verdict: Verdict; readonly combinations: number }[];
  /** What the values that were tried do not stand for. */
  readonly limits: readonly string[];
  readonly combinations: number;
  /** False where a bound was reached. */
  readonly isComplete: boolean;
}

/**
 * How the analysis of a policy stands. `running`: ask again. `failed`: it took too long, or too much memory; it is
 * not tried again by this process.
 */
export type AnalysisState =
  | { readonly kind: 'done'; readonly analysis: PolicyAnalysis }
  | { readonly kind: 'running' }
  | { readonly kind: 'failed' };

/** The analyses of one process: one at a time, each policy once. */
export interface Analyses {
  /** Begins the analysis of a text, unless it is there. Null where too many others wait. */
  stateOf(hash: string, text: string): AnalysisState | null;
}

interface AnalysesOptions {
  /** Analyzes a text in a thread of its own. Rejects where it cannot. */
  readonly run: (text: string) => Promise<PolicyAnalysis>;
  /** Told of one that failed, and why. */
  readonly onFailed: (error: unknown) => void;
}

/** Analyses that are remembered, the latest: some kilobytes each. */
const REMEMBERED_MAX = 64;
/** Policies that wait for their turn, or have it. */
const WAITING_MAX = 4;

/** Builds the analyses, none of which has begun. */
export function createAnalyses({ run, onFailed }: AnalysesOptions): Analyses {
  const ended = new Map<string, AnalysisState>();
  const waiting = new Set<string>();
  let turn: Promise<void> = Promise.resolve();
  const analyze = async (hash: string, text: string): Promise<void> => {
    try {
      ended.set(hash, { kind: 'done', analysis: await run(text) });
    } catch (error) {
      ended.set(hash, { kind: 'failed' });
      onFailed(error);
    }
    waiting.delete(hash);
    const [oldest] = ended.keys();
    if (ended.size > REMEMBERED_MAX && oldest !== undefined) ended.delete(oldest);
  };
  return {
    stateOf: (hash, text) => {
      const known = ended.get(hash);
      if (known !== undefined) return known;
      if (waiting.has(hash)) return { kind: 'running' };
      if (waiting.size >= WAITING_MAX) return null;
      waiting.add(hash);
      turn = turn.then(() => analyze(hash, text));
      return { kind: 'running' };
    },
  };
}
