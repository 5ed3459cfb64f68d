import { availableParallelism } from 'node:os';
import { scanLog } from '../../app/scan-log.ts';
import { backtestDecisions } from '../../application/backtest/backtest-decisions.ts';
import { type BacktestTally, createTally } from '../../domain/backtest/tally.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { type CliContext, CommandFailure } from '../command.ts';
import { findEngineOf } from './engine-option.ts';
import { findPolicies } from './find-policies.ts';
import { openHistory } from './read-history.ts';

/** What was counted, and the lines of a file that were no records. */
interface Backtested {
  readonly tally: BacktestTally;
  readonly badLines: number;
}

/** Threads that share a history, at most: more wait for the same disk. */
const THREADS_MAX = 4;

/**
 * Judges the decisions of what the options name by a candidate: class by class where the log can do so, and one by
 * one otherwise. Rejects where it cannot be read.
 */
export async function backtestLog(
  candidate: CompiledPolicy,
  filter: RecordFilter,
  options: Readonly<Record<string, string | boolean | undefined>>,
  context: CliContext,
): Promise<Backtested> {
  const signal = context.interruption();
  if (options['file'] === undefined) {
    const { definition, settings } = await findEngineOf(context, options['engine']);
    const classes = (await definition.loadUpkeep?.())?.classes;
    if (classes !== undefined) {
      const parts = partsOf(() => classes.parts(settings, filter));
      const text = candidate.text ?? '';
      const question = { sink: definition.id, settings, parts, filter, candidate: text, policies: [text] };
      const threads = Math.min(THREADS_MAX, availableParallelism());
      const tally = await scanLog(question, { threads, signal, onProgress: () => {} });
      return { tally, badLines: 0 };
    }
  }
  const history = await openHistory(options, filter, context);
  try {
    const tally = createTally();
    const policyOf = findPolicies([], history.policies);
    const onProgress = () => signal.throwIfAborted();
    await backtestDecisions({ pages: history.pages, candidate, policyOf, onProgress }, tally);
    return { tally, badLines: history.badLines() };
  } finally {
    await history.close();
  }
}

function partsOf(find: () => readonly string[]): readonly string[] {
  try {
    return find();
  } catch (error) {
    throw new CommandFailure('cannot_open', error instanceof Error ? error.message : String(error));
  }
}
