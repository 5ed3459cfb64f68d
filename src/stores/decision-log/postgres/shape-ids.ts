import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { DecisionRecord } from '../../../domain/decision-log/decision-record.ts';
import { shareFacts, toRecordFacts } from '../../../domain/decision-log/record-facts.ts';

/** Stands for the facts of a record: the beginning of their hash, the same for all writers. Above 0. */
export type ShapeId = number;

/** How many results of policies are remembered, and how many kinds of records with each. */
const RESULTS_MAX = 64;
const KINDS_MAX = 32;
/** Shapes of which it is remembered that the server knows them. */
const SHAPES_MAX = 10_000;
/** As many hexadecimal digits as an exact number holds. */
const DIGITS = 13;
const DAY_MS = 86_400_000;

/** Records that have their facts in common. */
interface Kind {
  readonly record: DecisionRecord;
  readonly id: ShapeId;
}

/** Gives records their shapes, and knows which of these the server has been told of. */
export class ShapeIds {
  readonly #kinds = new LRUCache<DecisionRecord['rules'], readonly Kind[]>({ max: RESULTS_MAX });
  /** The day on which this process last told the server of a shape. */
  readonly #told = new LRUCache<ShapeId, number>({ max: SHAPES_MAX });
  #untold = new Map<ShapeId, string>();

  /** Remembers the text where the server has not been told of it today. */
  of(record: DecisionRecord, today: number): ShapeId {
    const id = this.#alike(record) ?? this.#add(record);
    if (this.#told.get(id) !== today && !this.#untold.has(id))
      this.#untold.set(id, JSON.stringify(toRecordFacts(record)));
    return id;
  }

  #alike(record: DecisionRecord): ShapeId | undefined {
    return this.#kinds.get(record.rules)?.find((kind) => shareFacts(kind.record, record))?.id;
  }

  #add(record: DecisionRecord): ShapeId {
    const id = toShapeId(JSON.stringify(toRecordFacts(record)));
    const kinds = this.#kinds.get(record.rules) ?? [];
    this.#kinds.set(record.rules, [{ record, id }, ...kinds.slice(0, KINDS_MAX - 1)]);
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
