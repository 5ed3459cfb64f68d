import type { DecisionSink, LogBatch } from '../../../application/decision-log/decision-log.ts';
import { createRecordTexts } from '../../../domain/decision-log/record-text.ts';
import { createRemoteWorker, type RemoteWorker } from '../../../platform/remote-worker.ts';
import type { KafkaTarget } from './kafka-target.ts';
import type { KafkaThread, WritingThread } from './kafka-worker.ts';
import { type RecordText, toRecordText } from './record-message.ts';
import type { WritingResult } from './writing.ts';

interface KafkaSinkOptions {
  readonly target: KafkaTarget;
  /** Whether answers wait: a record that no broker takes is then told, and not replaced by a gap. */
  readonly isStrict: boolean;
  /** The longest that an append takes. */
  readonly waitMs: number;
  readonly onEvent: (event: KafkaEvent) => void;
}

/** What an operator wants to read of a topic in a log. Codes are those of Kafka, of the system, or of TLS. */
export type KafkaEvent =
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'refused'; readonly code: string; readonly records: number }
  | { readonly kind: 'recovered' };

/** How long the thread may load the client and connect before that is a failure. */
const START_MS = 10_000;
/**
 * Under load V8 would keep 200 MB more of what records leave behind, for nothing. A bound to the whole heap is
 * left out: with any at all a record costs half as much again.
 */
const LIMITS = { newMbMax: 16 };
const WORKER = new URL('./kafka-worker.ts', import.meta.url);

/**
 * Writes records to a topic, in a thread of its own, which loads the client with the first batch. A batch is
 * kept when every replica in sync has it.
 */
export function createKafkaSink(options: KafkaSinkOptions): DecisionSink {
  return new ThreadedSink(options);
}

class ThreadedSink implements DecisionSink {
  readonly id = 'kafka';
  readonly isDurable = true;
  readonly isShared = true;
  readonly #options: KafkaSinkOptions;
  readonly #writer: RemoteWorker<WritingThread>;
  readonly #textOf = createRecordTexts();
  #underWay: Promise<unknown> = Promise.resolve();
  /** The last failure that was told; null while all is well. */
  #failing: string | null = null;
  /** The batch whose refused records were told. */
  #toldBatch: number | null = null;
  #isClosed = false;

  constructor(options: KafkaSinkOptions) {
    const { target, isStrict } = options;
    const thread: KafkaThread = { target, isReplacing: !isStrict };
    this.#options = options;
    this.#writer = createRemoteWorker<WritingThread>(WORKER, thread, LIMITS);
    // What is wrong is told at the start, and not with the first decision. A strict delivery asks by itself.
    if (!isStrict)
      void this.#write(0, [], START_MS).then(({ isKept, code }) => this.#note(isKept ? null : code));
  }

  append(batch: LogBatch): Promise<boolean> {
    const appended = this.#append(batch);
    this.#underWay = appended;
    return appended;
  }

  async close(): Promise<void> {
    await this.#underWay;
    this.#isClosed = true;
    await this.#writer.close();
  }

  async #append({ number, records }: LogBatch): Promise<boolean> {
    if (this.#isClosed) return false;
    const texts = records.map((record) => toRecordText(record, this.#textOf(record)));
    const { isKept, refused, code } = await this.#write(number, texts, this.#options.waitMs);
    if (refused > 0 && this.#toldBatch !== number) {
      this.#toldBatch = number;
      this.#options.onEvent({ kind: 'refused', code: code ?? 'ERROR', records: refused });
    }
    this.#note(isKept ? null : (code ?? 'ERROR'));
    return isKept && (refused === 0 || !this.#options.isStrict);
  }

  async #write(number: number, texts: readonly RecordText[], waitMs: number): Promise<WritingResult> {
    try {
      return await this.#writer.call('append', number, texts, waitMs);
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
      return { isKept: false, refused: 0, code: String(code) };
    }
  }

  #note(code: string | null): void {
    if (code !== null && code !== this.#failing) this.#options.onEvent({ kind: 'failed', code });
    if (code === null && this.#failing !== null) this.#options.onEvent({ kind: 'recovered' });
    this.#failing = code;
  }
}
