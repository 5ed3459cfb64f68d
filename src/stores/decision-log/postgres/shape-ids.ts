import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Client } from 'pg';
import type { DecisionRecord } from '../../../domain/decision-log/decision-record.ts';
import { shareFacts, toRecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { limit } from './connect.ts';

/**
 * Stands for the facts of a record: the beginning of a hash of the secret of the database and their text, the same for
 * all its writers. Without the secret, who has a say in what facts are could prepare two with one id by some 2²⁶ tries.
 */
export type ShapeId = number;

/** How many results of policies are remembered, and how many kinds of records with each. */
const RESULTS_MAX = 64;
const KINDS_MAX = 32;
/** Shapes of which it is remembered that the server knows them. */
const SHAPES_MAX = 10_000;
/** As many hexadecimal digits as an exact number holds, and what is above all that earlier versions gave. */
const DIGITS = 13;
const BASE = 16 ** DIGITS + 1;
const DAY_MS = 86_400_000;
const SECRET = 'SELECT secret FROM riskgate.shape_secret';
const SECRET_MS = 2_000;
/** What an error is called where the row is gone: nothing is written with ids that could be prepared. */
const NO_SECRET_CODE = 'NO_SHAPE_SECRET';

/** Records that have their facts in common. */
interface Kind {
  readonly record: DecisionRecord;
  readonly id: ShapeId;
}

/** Gives records their shapes, and knows which of these a server has been told of. */
export class ShapeIds {
  readonly #secret: string;
  readonly #kinds = new LRUCache<DecisionRecord['rules'], readonly Kind[]>({ max: RESULTS_MAX });
  /** The day on which this process last told the server of a shape. */
  readonly #told = new LRUCache<ShapeId, number>({ max: SHAPES_MAX });
  #untold = new Map<ShapeId, string>();

  constructor(secret: string) {
    this.#secret = secret;
  }

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
    const id = toShapeId(this.#secret, JSON.stringify(toRecordFacts(record)));
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
}

/** The secret of a database that has the tables. Rejects with an Error that has a `code`. */
export async function readShapeSecret(client: Client): Promise<string> {
  const { rows } = await client.query<{ secret: string }>({ text: SECRET, ...limit(SECRET_MS) });
  const [row] = rows;
  if (row !== undefined) return row.secret;
  throw Object.assign(new Error('the database has no secret of shapes'), { code: NO_SECRET_CODE });
}

/** Days since 1970. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

function toShapeId(secret: string, text: string): ShapeId {
  return BASE + Number.parseInt(hash('sha256', secret + text).slice(0, DIGITS), 16);
}
