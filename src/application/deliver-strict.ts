import type { LogRecord } from '../domain/decision-record.ts';
import type { DecisionSink, DeliveryUsage, StrictDelivery } from './decision-log.ts';

export interface StrictDeliveryOptions {
  readonly sink: DecisionSink;
  /** How long an answer waits for its record to be durable. */
  readonly waitMs: number;
  /** Answers that may wait; more are refused at once. */
  readonly waitingMax: number;
}

const BATCH_MAX = 512;

interface Waiting {
  readonly record: LogRecord;
  /** Says whether the record is durable; only the first word counts. */
  readonly settle: (isKept: boolean) => void;
  isSettled: boolean;
}

/** Keeps answers back until their records are durable. What arrives while a batch is under way shares the next one, so that one write to a disk serves many. A record of an answer that was given up may be in the log all the same. */
export function createStrictDelivery(options: StrictDeliveryOptions): StrictDelivery {
  const { sink, waitMs, waitingMax } = options;
  const counts = { appended: 0, dropped: 0, failures: 0 };
  const waiting: Waiting[] = [];
  let inHand = 0;
  let batches = 0;
  let work: Promise<void> | null = null;
  const appendAll = async (): Promise<void> => {
    // Whatever the same turn of the event loop brings shares a batch.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH_MAX).filter(({ isSettled }) => !isSettled);
      if (batch.length === 0) continue;
      inHand = batch.length;
      batches += 1;
      const isKept = await sink.append({ number: batches, records: batch.map(({ record }) => record) });
      inHand = 0;
      if (isKept) counts.appended += batch.length;
      else counts.failures += 1;
      for (const { settle } of batch) settle(isKept);
    }
    work = null;
  };
  return {
    sink: sink.id,
    deliver: (record) => {
      if (waiting.length + inHand >= waitingMax) {
        counts.dropped += 1;
        return Promise.resolve(false);
      }
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const entry: Waiting = {
        record,
        isSettled: false,
        settle: (isKept) => {
          clearTimeout(timer);
          if (!isKept && !entry.isSettled) counts.dropped += 1;
          entry.isSettled = true;
          resolve(isKept);
        },
      };
      const timer = setTimeout(entry.settle, waitMs, false);
      waiting.push(entry);
      work ??= appendAll();
      return promise;
    },
    usage: (): DeliveryUsage => ({ sink: sink.id, ...counts, waiting: waiting.length + inHand }),
    close: async () => {
      await work;
    },
  };
}
