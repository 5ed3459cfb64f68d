import { parentPort, workerData } from 'node:worker_threads';
import { judgeRecord } from '../domain/backtest/judge-record.ts';
import { toRecordClasses } from '../domain/backtest/record-classes.ts';
import { type BacktestTally, createTally } from '../domain/backtest/tally.ts';
import type { RecordFilter } from '../domain/decision-log/record-filter.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { PROVIDERS } from '../providers/registry.ts';
import { SINKS } from '../stores/decision-log/registry.ts';
import { compilePolicyText } from './check-file.ts';

/** What a thread is asked: some parts of a log. */
export interface WorkerBacktest {
  /** The id of the sink. */
  readonly sink: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly parts: readonly string[];
  readonly filter: RecordFilter;
  /** The text of the candidate. */
  readonly candidate: string;
  /** Texts of policies beside those that the log keeps. */
  readonly policies: readonly string[];
}

/** What it says: how many entries were looked at since it said so before, and in the end what it counted. */
export type WorkerNotice =
  | { readonly kind: 'progress'; readonly entries: number }
  | { readonly kind: 'done'; readonly tally: BacktestTally };

/** Entries between two words about how far it is. */
const ENTRIES_BETWEEN = 10_000;

/** Runs it in this thread. Rejects where the log cannot be read, or the candidate is no policy. */
async function run(question: WorkerBacktest, tell: (notice: WorkerNotice) => void): Promise<void> {
  const { sink, settings, parts, filter, candidate: text } = question;
  const classes = (await SINKS.find(({ id }) => id === sink)?.loadUpkeep?.())?.classes;
  const candidate = compile(text);
  if (classes === undefined || candidate === null) throw new TypeError('what cannot be backtested');
  const known = new Map(question.policies.map((one) => compile(one)).map((one) => [one?.hash, one]));
  const policyOf = (hash: string): CompiledPolicy | null => {
    const found = known.get(hash);
    if (found !== undefined) return found;
    const kept = classes.policyText(settings, hash);
    const compiled = kept === null ? null : compile(kept);
    known.set(hash, compiled);
    return compiled;
  };
  const tally = createTally();
  const judge = (record: Parameters<typeof judgeRecord>[1]) =>
    judgeRecord(candidate, record, policyOf(record.policy.hash));
  let entries = 0;
  const scan = classes.scan(settings, parts, { classes: toRecordClasses(candidate), filter, judge }, tally);
  for (const count of scan) {
    entries += count;
    if (entries < ENTRIES_BETWEEN) continue;
    tell({ kind: 'progress', entries });
    entries = 0;
  }
  tell({ kind: 'progress', entries });
  tell({ kind: 'done', tally });
}

function compile(text: string): CompiledPolicy | null {
  const compiled = compilePolicyText(text, PROVIDERS, null);
  return compiled.ok ? compiled.value : null;
}

// What scan-log.ts has sent; Node has no type for it.
await run(workerData as WorkerBacktest, (notice) => parentPort?.postMessage(notice));
