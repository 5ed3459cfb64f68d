import { type GapRecord, type LogRecord, RECORD_VERSION } from '../../domain/decision-log/decision-record.ts';
import type { Clock } from '../clock.ts';
import type { DecisionSink, Delivery, DeliveryUsage, LogBatch } from './decision-log.ts';

interface LossyDeliveryOptions {
  readonly sink: DecisionSink;
  /** Records that may wait; more are dropped. At least 1. */
  readonly bufferMax: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** See RecordOptions. */
  readonly formatTime: (unixMs: number) => string;
  /** Called for every record that is dropped. */
  readonly onDrop: (sink: string, count: number) => void;
}

/**
 * How long a record waits for others to share its batch. Records are still visible within a second, and ten
 * batches a second cost little.
 */
const GATHER_MS = 100;
const BATCH_MAX = 256;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;
/** Where more than this share of the buffer waits, a sink is behind. */
const BEHIND_SHARE = 0.5;
/** How long the end of the process waits for the buffer to be delivered. */
const CLOSE_MS = 2_000;

/** A run of dropped records. */
interface Gap {
  readonly fromMs: number;
  untilMs: number;
  dropped: number;
}

/**
 * Delivers records in batches; answers never wait for it. A sink that fails is tried again with the same
 * batch. Records that do not fit in the buffer in the meantime are dropped, counted, and recorded as a gap in
 * their place.
 */
export function createLossyDelivery(options: LossyDeliveryOptions): Delivery {
  return new LossyDelivery(options);
}

/** Delivers every record at once, to a sink that appends synchronously. */
export function createDirectDelivery(sink: DecisionSink): Delivery {
  let appended = 0;
  return {
    sink: sink.id,
    deliver: (record) => {
      appended += 1;
      void sink.append({ number: appended, records: [record] });
    },
    usage: () => ({ sink: sink.id, appended, dropped: 0, failures: 0, waiting: 0 }),
    isBehind: () => false,
    close: async () => {},
  };
}

class LossyDelivery implements Delivery {
  readonly #options: LossyDeliveryOptions;
  readonly #usage = { appended: 0, dropped: 0, failures: 0 };
  #buffer: LogRecord[] = [];
  #gap: Gap | null = null;
  #batches = 0;
  #working: Promise<void> | null = null;
  #isFailing = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | null = null;

  constructor(options: LossyDeliveryOptions) {
    this.#options = options;
  }

  get sink(): string {
    return this.#options.sink.id;
  }

  deliver(record: LogRecord): void {
    if (this.#isClosed || this.#buffer.length >= this.#options.bufferMax) {
      this.#drop(1);
      return;
    }
    this.#enterGap();
    this.#buffer.push(record);
    if (this.#working !== null) return;
    if (this.#buffer.length >= BATCH_MAX) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), GATHER_MS);
  }

  usage(): DeliveryUsage {
    return { sink: this.sink, ...this.#usage, waiting: this.#buffer.length };
  }

  isBehind(): boolean {
    return !this.#isFailing && this.#buffer.length > BEHIND_SHARE * this.#options.bufferMax;
  }

  async close(): Promise<void> {
    const timer = setTimeout(() => this.#abandon(), CLOSE_MS);
    this.#begin();
    // A batch that waits for its next attempt is tried now.
    this.#wake?.();
    await this.#working;
    clearTimeout(timer);
    this.#abandon();
  }

  #drop(count: number): void {
    const nowMs = this.#options.clock.nowMs();
    this.#gap ??= { fromMs: nowMs, untilMs: nowMs, dropped: 0 };
    this.#gap.untilMs = nowMs;
    this.#gap.dropped += count;
    this.#usage.dropped += count;
    this.#options.onDrop(this.sink, count);
  }

  /** Puts the record of a gap where the records are missing: before the next record. */
  #enterGap(): void {
    if (this.#gap === null) return;
    const { newId, formatTime } = this.#options;
    const { fromMs, untilMs, dropped } = this.#gap;
    const gap: GapRecord = {
      version: RECORD_VERSION,
      kind: 'gap',
      gap_id: newId(),
      sink: this.sink,
      from: formatTime(fromMs),
      until: formatTime(untilMs),
      dropped,
    };
    this.#gap = null;
    this.#buffer.push(gap);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    while (this.#buffer.length > 0) {
      const records = this.#buffer.splice(0, BATCH_MAX);
      // A gap at the end of the buffer has room now.
      this.#enterGap();
      this.#batches += 1;
      await this.#append({ number: this.#batches, records });
    }
    this.#working = null;
  }

  async #append(batch: LogBatch): Promise<void> {
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)) {
      if (await this.#options.sink.append(batch)) {
        this.#usage.appended += batch.records.length;
        this.#isFailing = false;
        return;
      }
      this.#usage.failures += 1;
      this.#isFailing = true;
      if (this.#isClosed) {
        this.#drop(batch.records.filter(({ kind }) => kind !== 'gap').length);
        return;
      }
      await this.#pause(waitMs);
    }
  }

  #pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Drops what is left. This gap cannot be recorded; its count is logged. */
  #abandon(): void {
    this.#isClosed = true;
    const left = this.#buffer.filter(({ kind }) => kind !== 'gap').length;
    this.#buffer = [];
    if (left > 0) this.#drop(left);
    this.#wake?.();
  }
}
