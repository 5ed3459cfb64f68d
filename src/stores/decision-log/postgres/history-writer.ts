import type { Client } from 'pg';
import type { Clock } from '../../../application/clock.ts';
import type { LogBatch } from '../../../application/decision-log/decision-log.ts';
import { createRecordTexts } from '../../../domain/decision-log/record-text.ts';
import { codeOf, limit } from './connect.ts';
import { type EncodedBatch, encodeBatch, toTextArray } from './entry-rows.ts';
import type { Link } from './link.ts';
import { dayOf, type ShapeId, type ShapeIds } from './shape-ids.ts';

interface HistoryWriterOptions {
  /** To a server that takes writes and has the tables. */
  readonly link: Link;
  /** Those of each connection of the link: another one may lead to another server, which has been told of none. */
  readonly shapes: WeakMap<Client, ShapeIds>;
  readonly clock: Clock;
  /** Names this process: no other writer may ever have the same. */
  readonly writer: string;
  /** Whether a batch counts as kept only when the server has it on its disk. */
  readonly isSynced: boolean;
  /** How long an append may take. */
  readonly appendMs: number;
  /** A partition that would grow larger covers less time. */
  readonly spanBytesMax: number;
}

const PARAMETERS = 31;
const APPEND = `SELECT riskgate.append_batch(${Array.from({ length: PARAMETERS }, (_, place) => `$${place + 1}`).join(', ')})`;

/** Appends batches, one at a time. */
export class HistoryWriter {
  readonly #options: HistoryWriterOptions;
  readonly #textOf = createRecordTexts();

  constructor(options: HistoryWriterOptions) {
    this.#options = options;
  }

  /** Null when the batch is kept, else why that is not known. Never rejects. */
  async append({ number, records }: LogBatch): Promise<string | null> {
    const { link, shapes, clock, appendMs } = this.#options;
    const untilMs = clock.monotonicMs() + appendMs;
    const client = await link.client(appendMs);
    const known = client === null ? undefined : shapes.get(client);
    if (client === null || known === undefined) return codeOf(null);
    const today = dayOf(clock.nowMs());
    const batch = encodeBatch(records, {
      textOf: this.#textOf,
      shapeOf: (record) => known.of(record, today),
    });
    try {
      await client.query({
        name: 'append',
        text: APPEND,
        values: this.#toValues(number, batch, known.untold(), today),
        ...limit(Math.max(1, untilMs - clock.monotonicMs())),
      });
      known.noteTold(today);
      return null;
    } catch (error) {
      const code = codeOf(error);
      // Whatever went wrong, another connection knows nothing of it, and may lead to a server that works.
      link.drop(client, code);
      return code;
    }
  }

  #toValues(
    number: number,
    { rows, counts, asnNames }: EncodedBatch,
    untold: ReadonlyMap<ShapeId, string>,
    today: number,
  ): unknown[] {
    const { writer, isSynced, spanBytesMax } = this.#options;
    const shapes = [`{${[...untold.keys()].join()}}`, toTextArray([...untold.values()])];
    return [writer, number, isSynced, spanBytesMax, ...rows, ...shapes, today, ...counts, asnNames];
  }
}
