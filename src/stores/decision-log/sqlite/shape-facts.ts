import { LRUCache } from 'lru-cache';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { KEY_BYTES } from './text-numbers.ts';

/** A shape by its number, and the hash of its text in hex digits. */
export type ShapeKey = readonly [id: number, key: string];

/** The shapes of one segment. */
interface ShapeSource {
  /** Those above a number, in their order. */
  keysAbove(id: number): readonly ShapeKey[];
  /** The keys of all from 1 on, one after the other, where they are at hand in one piece. */
  allKeys(): Buffer | null;
  /** Undefined where there is none. */
  textOf(id: number): { readonly key: string; readonly text: string } | undefined;
}

/**
 * Facts that are remembered, about 1 KB each: those of open segments are in memory anyway. Days have most of theirs in
 * common, and a text is longer than its hash.
 */
const FACTS_MAX = 30_000;
const knownFacts = new LRUCache<string, RecordFacts>({ max: FACTS_MAX });

/** The facts of the shapes of one segment; only what is new is read. Equal facts are one object in all segments. */
export class ShapeFacts {
  readonly #source: ShapeSource;
  readonly #facts = new Map<number, RecordFacts>();
  /** Those that were asked for alone. */
  readonly #some = new Map<number, RecordFacts>();
  #last = 0;

  constructor(source: ShapeSource) {
    this.#source = source;
  }

  read(): ReadonlyMap<number, RecordFacts> {
    const all = this.#last === 0 ? this.#source.allKeys() : null;
    if (all !== null)
      for (let at = 0; at < all.length; at += KEY_BYTES)
        this.#add([at / KEY_BYTES + 1, all.toString('hex', at, at + KEY_BYTES)]);
    for (const shape of this.#source.keysAbove(this.#last)) this.#add(shape);
    return this.#facts;
  }

  /** What one number stands for, without reading what the others do. */
  one(id: number): RecordFacts | undefined {
    const known = this.#facts.get(id) ?? this.#some.get(id);
    if (known !== undefined) return known;
    const found = this.#source.textOf(id);
    if (found === undefined) return undefined;
    const facts = factsOf(found.key, () => found.text);
    this.#some.set(id, facts);
    return facts;
  }

  #add([id, key]: ShapeKey): void {
    const facts = factsOf(key, () => this.#source.textOf(id)?.text ?? missing());
    this.#facts.set(id, facts);
    this.#last = id;
  }
}

function factsOf(key: string, read: () => string): RecordFacts {
  let facts = knownFacts.get(key);
  if (facts === undefined) {
    facts = JSON.parse(read()) as RecordFacts;
    knownFacts.set(key, facts);
  }
  return facts;
}

function missing(): never {
  throw Object.assign(new Error('a shape without its text'), { code: 'DAMAGED' });
}
