import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RecordPlace } from '../../../domain/decision-log/record-place.ts';
import { OTHER_ACTION } from './entry-matches.ts';
import type { RecordEntry } from './record-entry.ts';
import { ColumnWriter } from './segment-columns.ts';
import { GAP_SHAPE } from './segment-file.ts';
import { TextNumbers } from './text-numbers.ts';

/** Actions of one segment that have a number: a caller may send another one with each request. */
const ACTIONS_MAX = 1_000;
const NO_ACTION = 0;

/** Writes what is searched and counted of the entries of one segment. */
export class EntryWriter {
  readonly #entry: StatementSync;
  readonly #subject: StatementSync;
  readonly #shapes: TextNumbers;
  readonly #places: TextNumbers;
  readonly #actions: TextNumbers;
  readonly #columns: ColumnWriter;
  readonly #hasNames: boolean;

  /** `hasNames`: places have the names of autonomous systems. */
  constructor(db: DatabaseSync, hasNames: boolean) {
    this.#entry = db.prepare(`INSERT INTO entries (seq, id, at, shape, place, action, latency, subject)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#subject = db.prepare('INSERT OR IGNORE INTO subjects (key, seq) VALUES (?, ?)');
    this.#shapes = new TextNumbers(db, 'shapes');
    this.#places = new TextNumbers(db, 'places');
    this.#actions = new TextNumbers(db, 'actions');
    this.#columns = new ColumnWriter(db);
    this.#hasNames = hasNames;
  }

  /** Gives the number of the entry's shape. */
  add(seq: number, entry: RecordEntry): number {
    const isDecision = entry.shape !== null;
    const shape = entry.shape === null ? GAP_SHAPE : this.#shapes.of(entry.shape);
    const place = isDecision ? this.#places.of(this.#placeText(entry.place)) : 0;
    const action = this.#actionOf(entry.action);
    const latency = entry.latencies[0]?.[1] ?? 0;
    this.#entry.run(seq, entry.id, entry.atMs, shape, place, action, latency, entry.subject);
    for (const key of entry.subjects) this.#subject.run(key, seq);
    return shape;
  }

  /** Call it after the last entry of a batch. */
  finish(lastSeq: number): void {
    this.#columns.write(lastSeq);
  }

  /** Call it when no more entries will come. */
  seal(lastSeq: number): void {
    this.#columns.writeRest(lastSeq);
  }

  #placeText({ country, asn, asnName }: RecordPlace): string {
    return JSON.stringify(this.#hasNames && asnName !== null ? [country, asn, asnName] : [country, asn]);
  }

  /** The first number is kept for the actions that have none of their own. */
  #actionOf(action: string | null): number {
    if (action === null) return NO_ACTION;
    const known = this.#actions.find(action);
    if (known !== null) return known + OTHER_ACTION;
    if (this.#actions.count() >= ACTIONS_MAX) return OTHER_ACTION;
    return this.#actions.of(action) + OTHER_ACTION;
  }
}
