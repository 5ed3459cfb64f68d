import { backtestDecisions } from '../application/backtest/backtest-decisions.ts';
import {
  type BacktestJobs,
  createBacktestJobs,
  type RunBacktest,
} from '../application/backtest/backtest-jobs.ts';
import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import { readAllPages } from '../application/decision-log/read-pages.ts';
import { createTally } from '../domain/backtest/tally.ts';
import { idOf } from '../domain/decision-log/decision-record.ts';
import type { DecisionReads } from '../http/decision-log/decision-reads.ts';
import { askWorker } from '../platform/ask-worker.ts';
import type { Result } from '../platform/result.ts';
import type { CheckedFiles } from './check-file.ts';
import type { WorkerTextQuestion } from './check-text-worker.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { loadKept } from './kept-policies.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { scanLog } from './scan-log.ts';

interface BacktestParts {
  readonly log: DecisionLog;
  readonly policies: KnownPolicies;
  readonly reads: Pick<DecisionReads, 'bulk' | 'hashes'>;
}

/** What is said of the text of a policy. */
type CheckedText =
  | { readonly ok: true; readonly hash: string }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** Backtests beside a service, and the check of a candidate. */
interface Backtests {
  readonly jobs: BacktestJobs;
  /** Every mistake of a text, or its hash. A check that fails or takes too long is a mistake. */
  readonly check: (text: string) => Promise<CheckedText>;
  /** The hash keys of the records. */
  readonly hashes: DecisionReads['hashes'];
}

const CHECK = new URL('./check-text-worker.ts', import.meta.url);
/** As for a file that is checked. */
const CHECK_LIMITS = { timeoutMs: 30_000, heapMbMax: 512 };
const PAGE = 100;

/** Wires backtests. Only a thread of its own reads a history that is counted by classes. */
export function wireBacktests(
  { clock, newId, logger, providers }: AppContext,
  { log, policies, reads }: BacktestParts,
): Backtests {
  const run =
    log.source.definition.loadUpkeep === undefined
      ? toPagedRun({ bulk: reads.bulk, policies, providers })
      : toScanRun(log.source);
  const onFailed = (error: unknown) => {
    const code: unknown = error instanceof Error ? (Reflect.get(error, 'code') ?? error.name) : 'ERROR';
    logger.warn({ event: 'backtest.failed', code: String(code) }, 'a backtest could not be ended');
  };
  return {
    jobs: createBacktestJobs({ run, clock, newId, onFailed }),
    check: createCheck(providers.map(({ id }) => id)),
    hashes: reads.hashes,
  };
}

/** Counts a history class by class, in a thread. */
function toScanRun({ definition, settings }: DecisionLog['source']): RunBacktest {
  return async ({ policy, filter }, { signal, onProgress }) => {
    const upkeep = await definition.loadUpkeep?.();
    const parts = upkeep?.classes.parts(settings, filter) ?? [];
    const question = { sink: definition.id, settings, parts, filter, candidate: policy, policies: [policy] };
    return scanLog(question, { threads: 1, signal, onProgress });
  };
}

interface PagedParts extends Pick<BacktestParts, 'policies'>, Pick<AppContext, 'providers'> {
  readonly bulk: DecisionReads['bulk'];
}

/** Judges decisions one by one, in the turns of long answers. */
function toPagedRun({ bulk, policies, providers }: PagedParts): RunBacktest {
  return async ({ policy, hash, filter }, { signal, onProgress }) => {
    const candidate = (await loadKept(policy, hash, providers))?.compiled ?? null;
    if (candidate === null) throw new Error('the candidate was refused');
    const pages = (async function* () {
      for await (const entries of readAllPages(bulk, filter, PAGE)) {
        signal.throwIfAborted();
        const labels = await bulk.labelsOf(entries);
        yield entries.map(({ record }) => ({ record, labels: labels.get(idOf(record)) ?? [] }));
      }
    })();
    const policyOf = async (of: string) => {
      const own = (await policies.find(of))?.compiled ?? null;
      return own === null
        ? ({ ok: false, why: 'it is not known' } as const)
        : ({ ok: true, policy: own } as const);
    };
    const tally = createTally();
    await backtestDecisions({ pages, candidate, policyOf, onProgress }, tally);
    return tally;
  };
}

function createCheck(providerIds: readonly string[]): Backtests['check'] {
  return oneAtATime({ busy: 'Another candidate is being checked' }, async (text) => {
    try {
      const question: WorkerTextQuestion = { text, providerIds };
      const checked = await askWorker<Result<CheckedFiles['policy']>>(CHECK, question, CHECK_LIMITS).answer;
      return checked.ok ? { ok: true, hash: checked.value.hash } : checked;
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
      return { ok: false, mistakes: [`the policy cannot be checked (${String(code)})`] };
    }
  });
}
