import {
  type FactsFilter,
  matchesFacts,
  type RecordFacts,
} from '../../../domain/decision-log/record-facts.ts';
import type { ReadPool } from './read-pool.ts';
import type { ShapeId } from './shape-ids.ts';

/** Texts that are parsed together: some milliseconds. */
const TOGETHER = 500;

interface ShapeRow {
  readonly id: ShapeId;
  readonly text: string;
  readonly since: number;
}

/** The facts behind shapes. A shape never stands for other facts, so that what is known stays known. */
export class KnownShapes {
  readonly #pool: ReadPool;
  readonly #facts = new Map<ShapeId, RecordFacts>();
  #last: Pick<ShapeRow, 'id' | 'since'> = { id: 0, since: 0 };
  #reading: Promise<void> = Promise.resolve();

  constructor(pool: ReadPool) {
    this.#pool = pool;
  }

  /** The shapes of all records that are there when it is called. Rejects with `store_unavailable`. */
  async all(): Promise<ReadonlyMap<ShapeId, RecordFacts>> {
    // Readings take turns: one that is under way may have begun too early.
    const read = () => this.#read();
    const reading = this.#reading.then(read, read);
    this.#reading = reading;
    await reading;
    return this.#facts;
  }

  /** Those that match a filter by facts; null where all do. Rejects with `store_unavailable`. */
  async matching(filter: FactsFilter): Promise<readonly ShapeId[] | null> {
    const all = await this.all();
    const found = [...all].filter(([, facts]) => matchesFacts(facts, filter)).map(([id]) => id);
    return found.length === all.size ? null : found;
  }

  /** Shapes come with the batch that has their first record, in the order of the log. */
  async #read(): Promise<void> {
    let rows: readonly ShapeRow[];
    do {
      rows = await this.#pool.rows<ShapeRow & Record<string, unknown>>(
        `SELECT id, text, since FROM riskgate.shapes WHERE (since, id) > ($1, $2) ORDER BY since, id LIMIT $3`,
        [this.#last.since, this.#last.id, TOGETHER],
      );
      for (const { id, text } of rows)
        if (!this.#facts.has(id)) this.#facts.set(id, JSON.parse(text) as RecordFacts);
      this.#last = rows.at(-1) ?? this.#last;
    } while (rows.length === TOGETHER);
  }
}
