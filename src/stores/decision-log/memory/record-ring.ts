import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  LogEntry,
  LogPage,
  LogPosition,
  LogSlice,
  QueryOptions,
} from '../../../application/decision-log/decision-log.ts';
import { idOf, type LogRecord } from '../../../domain/decision-log/decision-record.ts';
import {
  type LabelInForce,
  matchesFilter,
  type RecordFilter,
} from '../../../domain/decision-log/record-filter.ts';

/** Records that are looked through in one turn of the event loop: a few milliseconds. */
const SCAN_MAX = 5_000;
const SEQUENCE_DIGITS = 14;
const EPOCH_BYTES = 4;

/**
 * The latest records, by a sequence that starts again with each process: positions of another one are known
 * by its start, and by chance, since replicas may start together.
 */
export class RecordRing {
  readonly #records: LogRecord[] = [];
  readonly #max: number;
  readonly #epoch: string;
  /** The sequence of the next record; that of the first is 1. */
  #next = 1;

  constructor(max: number, startMs: number) {
    this.#max = max;
    this.#epoch = startMs.toString(36).padStart(9, '0') + randomBytes(EPOCH_BYTES).toString('hex');
  }

  /** Returns the record whose place was taken. */
  push(record: LogRecord): LogRecord | undefined {
    const place = this.#next % this.#max;
    const replaced = this.#records[place];
    this.#records[place] = record;
    this.#next += 1;
    return replaced;
  }

  newest(): LogPosition | null {
    return this.#next === 1 ? null : this.#positionOf(this.#next - 1);
  }

  /**
   * Newest first: what is asked for by its id is mostly new. An index by id would cost each append up to 1
   * µs.
   */
  async find(id: string): Promise<LogEntry | null> {
    for (let sequence = this.#next - 1; sequence >= this.#first(); await nextTurn()) {
      const end = Math.max(this.#first(), sequence - SCAN_MAX + 1);
      for (; sequence >= end; sequence -= 1)
        if (idOf(this.#at(sequence)) === id) return this.#entry(sequence);
    }
    return null;
  }

  query(
    filter: RecordFilter,
    { before, limit }: QueryOptions,
    labelOf: (id: string) => LabelInForce,
  ): LogPage {
    const entries: LogEntry[] = [];
    const first = this.#first();
    const start = before === null ? this.#next : Math.min(this.#sequenceOf(before) ?? 0, this.#next);
    const end = Math.max(first, start - SCAN_MAX);
    for (let sequence = start - 1; sequence >= end; sequence -= 1) {
      const record = this.#at(sequence);
      if (!matchesFilter(record, filter, labelOf(idOf(record)))) continue;
      entries.push(this.#entry(sequence));
      if (entries.length === limit)
        return { entries, next: sequence > first ? this.#positionOf(sequence) : null };
    }
    return { entries, next: end > first ? this.#positionOf(end) : null };
  }

  readAfter(position: LogPosition | null, limit: number): LogSlice {
    const first = this.#first();
    const after = position === null ? first - 1 : this.#sequenceOf(position);
    const isGap = after === null || after < first - 1 || after >= this.#next;
    const start = isGap ? first : after + 1;
    const end = Math.min(start + limit, this.#next);
    const entries = Array.from({ length: end - start }, (_, place) => this.#entry(start + place));
    return { entries, position: entries.at(-1)?.position ?? (isGap ? this.newest() : position), isGap };
  }

  #first(): number {
    return Math.max(1, this.#next - this.#max);
  }

  #at(sequence: number): LogRecord {
    const record = this.#records[sequence % this.#max];
    if (record === undefined) throw new RangeError('no record has this sequence');
    return record;
  }

  #entry(sequence: number): LogEntry {
    return { position: this.#positionOf(sequence), record: this.#at(sequence) };
  }

  #positionOf(sequence: number): LogPosition {
    return `${this.#epoch}-${String(sequence).padStart(SEQUENCE_DIGITS, '0')}`;
  }

  /** Null for what is no position of this process. */
  #sequenceOf(position: LogPosition): number | null {
    const [epoch, digits = ''] = position.split('-');
    return epoch === this.#epoch && /^\d+$/.test(digits) ? Number(digits) : null;
  }
}
