import type { LogRecord } from '../../domain/decision-log/decision-record.ts';
import type { Clock } from '../clock.ts';
import type { DecisionSink, DeliveryUsage, LogBatch, SinkHealth, StrictDelivery } from './decision-log.ts';

interface StrictDeliveryOptions {
  readonly sink: DecisionSink;
  readonly clock: Clock;
  /** How long an answer waits for its record to be durable. */
  readonly waitMs: number;
  /** Answers that may wait; further ones are refused at once. */
  readonly waitingMax: number;
}

const BATCH_MAX = 512;
/**
 * How often a failing sink is tried when there are no requests: a load balancer that took this process out
 * does not send any.
 */
const TRY_MS = 500;
/**
 * How long a sink of this process alone may fail before the process is unready: longer than a short stall of
 * the disk, so that readiness does not flap.
 */
const UNREADY_AFTER_MS = 10_000;

interface Waiting {
  readonly record: LogRecord;
  /** Tells whether the record is durable; only the first call counts. */
  readonly settle: (isKept: boolean) => void;
  isSettled: boolean;
}

/**
 * Holds answers until their records are durable. Records that arrive while a batch is under way share the
 * next one, so that one write to a disk serves many. The record of an answer that was given up may still
 * reach the log. The sink is tried at once with an empty batch, and while it fails with the last batch that
 * it did not accept: only a real write shows whether it works again.
 */
export function createStrictDelivery(options: StrictDeliveryOptions): StrictDelivery {
  return new DurableDelivery(options);
}

class DurableDelivery implements StrictDelivery {
  readonly sink: string;
  readonly #options: StrictDeliveryOptions;
  readonly #counts = { appended: 0, dropped: 0, failures: 0 };
  readonly #waiting: Waiting[] = [];
  #inHand = 0;
  #batches = 0;
  #work: Promise<void> | null = null;
  /** The batch that the sink did not accept; null where none is known to be missing. */
  #failed: LogBatch | null = null;
  #failingSinceMs: number | null = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: StrictDeliveryOptions) {
    this.sink = options.sink.id;
    this.#options = options;
    this.#work = this.#run(true);
  }

  deliver(record: LogRecord): Promise<boolean> {
    const { waitMs, waitingMax } = this.#options;
    if (this.#waiting.length + this.#inHand >= waitingMax) {
      this.#counts.dropped += 1;
      return Promise.resolve(false);
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const entry: Waiting = {
      record,
      isSettled: false,
      settle: (isKept) => {
        clearTimeout(timer);
        if (!isKept && !entry.isSettled) this.#counts.dropped += 1;
        entry.isSettled = true;
        resolve(isKept);
      },
    };
    const giveUp = () => {
      this.#note(false);
      entry.settle(false);
    };
    const timer = setTimeout(giveUp, waitMs);
    this.#waiting.push(entry);
    this.#work ??= this.#run(false);
    return promise;
  }

  usage(): DeliveryUsage {
    return { sink: this.sink, ...this.#counts, waiting: this.#waiting.length + this.#inHand };
  }

  health(): SinkHealth {
    const sinceMs = this.#failingSinceMs;
    if (sinceMs === null) return 'taking';
    const { clock, sink } = this.#options;
    const hasBegun = sinceMs !== Number.NEGATIVE_INFINITY;
    if (hasBegun && (sink.isShared || clock.monotonicMs() - sinceMs < UNREADY_AFTER_MS)) return 'failing';
    return 'unready';
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#work;
  }

  async #run(isTrial: boolean): Promise<void> {
    // Records of the same turn of the event loop share a batch.
    await new Promise(setImmediate);
    if (isTrial && this.#waiting.length === 0) await this.#try();
    while (this.#waiting.length > 0) await this.#appendNext();
    this.#work = null;
    if (this.#failingSinceMs === null || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#work ??= this.#run(true);
    }, TRY_MS).unref();
  }

  async #try(): Promise<void> {
    const { clock, waitMs } = this.#options;
    const startMs = clock.monotonicMs();
    const isKept = await this.#append(this.#failed ?? this.#toBatch([]));
    this.#note(isKept && clock.monotonicMs() - startMs <= waitMs);
  }

  async #appendNext(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH_MAX).filter(({ isSettled }) => !isSettled);
    if (batch.length === 0) return;
    this.#inHand = batch.length;
    const isKept = await this.#append(this.#toBatch(batch.map(({ record }) => record)));
    this.#inHand = 0;
    if (!isKept) this.#counts.failures += 1;
    // A record that became durable after its answer was given up does not count as in time.
    this.#note(isKept && batch.some(({ isSettled }) => !isSettled));
    for (const { settle } of batch) settle(isKept);
  }

  async #append(batch: LogBatch): Promise<boolean> {
    const isKept = await this.#options.sink.append(batch);
    this.#failed = isKept ? null : batch;
    if (isKept) this.#counts.appended += batch.records.length;
    return isKept;
  }

  #toBatch(records: readonly LogRecord[]): LogBatch {
    this.#batches += 1;
    return { number: this.#batches, records };
  }

  #note(isTaking: boolean): void {
    if (isTaking) this.#failingSinceMs = null;
    else this.#failingSinceMs ??= this.#options.clock.monotonicMs();
  }
}
