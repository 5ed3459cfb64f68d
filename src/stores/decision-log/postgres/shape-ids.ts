import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { DecisionRecord } from '../../../domain/decision-log/decision-record.ts';
import { toRecordFacts } from '../../../domain/decision-log/record-facts.ts';

/** Stands for the facts of a record: the beginning of their hash, the same for all writers. Above 0. */
export type ShapeId = number;

/** Texts of shapes that are remembered, with about a kilobyte each. */
const SHAPES_MAX = 5_000;
/** As many hexadecimal digits as an exact number holds. */
const DIGITS = 13;
const DAY_MS = 86_400_000;

/** Gives records their shapes, and knows which of these the server has been told of. */
export class ShapeIds {
  readonly #ids = new LRUCache<string, ShapeId>({ max: SHAPES_MAX });
  /** The day on which this process last told the server of a shape. */
  readonly #told = new LRUCache<ShapeId, number>({ max: SHAPES_MAX });
  #untold = new Map<ShapeId, string>();

  /** Remembers the text where the server has not been told of it today. */
  of(record: DecisionRecord, today: number): ShapeId {
    const text = JSON.stringify(toRecordFacts(record));
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = toShapeId(text);
      this.#ids.set(text, id);
    }
    if (this.#told.get(id) !== today) this.#untold.set(id, text);
    return id;
  }

  /** What the next batch tells the server. */
  untold(): ReadonlyMap<ShapeId, string> {
    return this.#untold;
  }

  /** The server knows these now. */
  noteTold(today: number): void {
    for (const id of this.#untold.keys()) this.#told.set(id, today);
    this.#untold = new Map();
  }

  /** Another server, or one that has lost something, knows none of them. */
  forgetTold(): void {
    this.#told.clear();
    this.#untold = new Map();
  }
}

/** Days since 1970. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

function toShapeId(text: string): ShapeId {
  return Number.parseInt(hash('sha256', text).slice(0, DIGITS), 16) + 1;
}
