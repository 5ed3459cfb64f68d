import type { DecisionSink, LogBatch } from '../../../src/application/decision-log/decision-log.ts';

/** A sink that answers as the test says, and shows what it was given. */
export interface WatchedSink extends DecisionSink {
  readonly batches: LogBatch[];
}

/** `answer` says of each attempt whether the batch is kept. */
export function createWatchedSink(
  answer: (attempt: number) => boolean | Promise<boolean> = () => true,
  isShared = true,
): WatchedSink {
  const batches: LogBatch[] = [];
  return {
    id: 'redis',
    isDurable: true,
    isShared,
    batches,
    append: (batch) => {
      batches.push(batch);
      return answer(batches.length);
    },
    close: async () => {},
  };
}
