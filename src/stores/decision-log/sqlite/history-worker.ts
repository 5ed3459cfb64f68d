import { parentPort, workerData } from 'node:worker_threads';
import type {
  CountsOptions,
  GroupQuestion,
  LogPosition,
  QueryOptions,
} from '../../../application/decision-log/decision-log.ts';
import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import type { SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import { codeOf, serveCalls } from '../../../platform/remote-worker.ts';
import { countHistory } from './history-counts.ts';
import { countDistinct, describeSubject, groupSegments } from './history-groups.ts';
import { HistoryReader } from './history-reader.ts';
import { type HistoryOptions, HistoryWriter, type PackedBatch } from './history-writer.ts';
import type { WrittenLabel } from './label-queue.ts';
import type { LabelAttempt, LabelTask } from './label-writer.ts';
import { keepPolicyText, readPolicyText } from './policy-file.ts';
import { TallyMemory } from './tally-memory.ts';

/** What a thread does: one writes, so that no read keeps a record waiting, and one reads. */
export type HistoryThread =
  | { readonly kind: 'writer'; readonly options: HistoryOptions }
  | { readonly kind: 'reader'; readonly directory: string };

function writeHistory(options: HistoryOptions) {
  let opened: HistoryWriter | null = null;
  /** Opened by a call, whose answer then says why it cannot be. */
  const writer = () => {
    opened ??= new HistoryWriter(options);
    return opened;
  };
  return {
    append: (batch: PackedBatch, nowMs: number) => writer().appendPacked(batch, nowMs),
    labelAll: (tasks: readonly LabelTask[]) => writer().labelAll(tasks).map(toWritten),
    keepPolicy: (hash: string, text: string) => {
      // The directory is ours once the writer is open.
      writer();
      keepPolicyText(options.directory, hash, text);
    },
    tidy: (nowMs: number) => writer().tidy(nowMs),
    free: () => writer().free(),
    close: () => opened?.close(),
  };
}

/** An error itself cannot be cloned with its code. */
function toWritten(attempt: LabelAttempt): WrittenLabel {
  return attempt.kind === 'failed' ? { kind: 'failed', code: codeOf(attempt.error) } : attempt;
}

function readHistory(directory: string) {
  const reader = new HistoryReader(directory);
  const tallies = new TallyMemory();
  return {
    query: (filter: RecordFilter, options: QueryOptions) => reader.query(filter, options),
    find: (id: string) => reader.find(id),
    labelsAt: (positions: readonly LogPosition[]) => reader.labelsAt(positions),
    readAfter: (position: LogPosition | null, limit: number) => reader.readAfter(position, limit),
    newest: () => reader.newest(),
    counts: (options: CountsOptions) => countHistory(reader, options),
    group: (question: GroupQuestion) => groupSegments(reader.allBack(question.filter), question, tallies),
    distinct: (filter: RecordFilter) => countDistinct(reader.allBack(filter), filter),
    subject: (part: SubjectPartName, hash: string) => describeSubject(reader.allBack(), part, hash),
    policy: (hash: string) => readPolicyText(directory, hash),
    closeRemoved: () => reader.closeRemoved(),
    summarise: () => reader.summarise(),
    close: () => reader.close(),
  };
}

/** What the writing thread can be asked. */
export type WritingThread = ReturnType<typeof writeHistory>;
/** What the reading thread can be asked. */
export type ReadingThread = ReturnType<typeof readHistory>;

if (parentPort !== null) {
  // What sqlite-log.ts has sent; Node has no type for it.
  const thread = workerData as HistoryThread;
  if (thread.kind === 'writer') serveCalls(parentPort, writeHistory(thread.options));
  else serveCalls(parentPort, readHistory(thread.directory));
}
