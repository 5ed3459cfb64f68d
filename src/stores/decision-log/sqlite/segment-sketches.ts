import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DistinctSketch } from '../../../domain/decision-log/distinct-sketch.ts';
import { SUBJECT_PARTS } from '../../../domain/decision-log/subject-parts.ts';
import { eachPart, PART_NUMBERS } from './entry-subjects.ts';

const HOUR_MS = 3_600_000;
const PARTS: ReadonlySet<number> = new Set(SUBJECT_PARTS.map((part) => PART_NUMBERS[part]));

/** Keeps sketches of the different subjects of each hour, of the entries that stand in chunks. */
export class SketchWriter {
  readonly #subjects: StatementSync;
  readonly #find: StatementSync;
  readonly #put: StatementSync;

  constructor(db: DatabaseSync) {
    this.#subjects = db.prepare(
      'SELECT at, subject FROM entries WHERE seq >= ? AND seq <= ? AND subject IS NOT NULL',
    );
    this.#find = db.prepare('SELECT data FROM sketches WHERE start = ? AND part = ?');
    this.#put = db.prepare('INSERT OR REPLACE INTO sketches (start, part, data) VALUES (?, ?, ?)');
  }

  /** Adds the entries between two numbers, both included. */
  add(first: number, last: number): void {
    const hours = new Map<number, Map<number, DistinctSketch>>();
    for (const { at, subject } of this.#subjects.all(first, last)) {
      const startMs = Math.floor(Number(at) / HOUR_MS) * HOUR_MS;
      const parts = hours.get(startMs) ?? new Map<number, DistinctSketch>();
      hours.set(startMs, parts);
      eachPart(subject, (part, hash) => {
        if (!PARTS.has(part)) return;
        const sketch = parts.get(part) ?? this.#read(startMs, part);
        parts.set(part, sketch);
        sketch.add(hash);
      });
    }
    for (const [startMs, parts] of hours)
      for (const [part, sketch] of parts) this.#put.run(startMs, part, sketch.bytes());
  }

  #read(startMs: number, part: number): DistinctSketch {
    const sketch = new DistinctSketch();
    const data = this.#find.get(startMs, part)?.['data'];
    if (data instanceof Uint8Array) sketch.merge(data);
    return sketch;
  }
}
