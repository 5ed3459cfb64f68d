import type { Client, QueryResultRow } from 'pg';
import { RiskgateError } from '../../../domain/errors.ts';
import { type Connector, codeOf, disconnect, limit } from './connect.ts';

/** Questions that are asked at a time, each on a connection of its own. */
const CONNECTIONS_MAX = 4;
/** Questions that wait for one of them. */
const WAITING_MAX = 100;
/** After so long the server gives a question up, and we give up the server a little later. */
const STATEMENT_MS = 5_000;
const QUERY_MS = STATEMENT_MS + 1_000;
/** Grouping keeps its rows in memory, some hundred thousand at most. */
const SESSION = `SET statement_timeout = ${STATEMENT_MS}; SET work_mem = '64MB'`;
/** A connection that is not used for so long is closed. */
const IDLE_MS = 60_000;

/** Asks the server on a few connections. */
export class ReadPool {
  readonly #connector: Connector;
  readonly #opened: Promise<unknown>;
  readonly #idle: { readonly client: Client; readonly timer: NodeJS.Timeout }[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #isClosed = false;

  /** Asks nothing before `opened`: the tables of a new server may not be there. */
  constructor(connector: Connector, opened: Promise<unknown>) {
    this.#connector = connector;
    this.#opened = opened;
  }

  /** The rows that answer a question. Rejects with `store_unavailable` in whatever way that fails. */
  async rows<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    await this.#opened;
    await this.#takeTurn();
    let client: Client | null = null;
    try {
      client = this.#takeIdle() ?? (await this.#open());
      const { rows } = await client.query<Row>({ text, values: [...values], ...limit(QUERY_MS) });
      this.#keep(client);
      return rows;
    } catch (error) {
      // The next question finds out by itself whether the server, or another one, is there.
      if (client !== null) disconnect(client);
      throw unavailable(codeOf(error));
    } finally {
      this.#busy -= 1;
      this.#waiting.shift()?.();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (let client = this.#takeIdle(); client !== null; client = this.#takeIdle()) disconnect(client);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #takeTurn(): Promise<void> {
    if (this.#busy >= CONNECTIONS_MAX) {
      if (this.#waiting.length >= WAITING_MAX) throw unavailable('TOO_MANY_READS');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#isClosed) throw unavailable('CLOSED');
    this.#busy += 1;
  }

  #takeIdle(): Client | null {
    const idle = this.#idle.pop();
    if (idle === undefined) return null;
    clearTimeout(idle.timer);
    return idle.client;
  }

  async #open(): Promise<Client> {
    const client = await this.#connector.connect('read');
    client.once('end', () => this.#forget(client));
    await client.query({ text: SESSION, ...limit(QUERY_MS) });
    return client;
  }

  #keep(client: Client): void {
    if (this.#isClosed) {
      disconnect(client);
      return;
    }
    const timer = setTimeout(() => {
      this.#forget(client);
      disconnect(client);
    }, IDLE_MS).unref();
    this.#idle.push({ client, timer });
  }

  #forget(client: Client): void {
    const place = this.#idle.findIndex((idle) => idle.client === client);
    if (place < 0) return;
    clearTimeout(this.#idle[place]?.timer);
    this.#idle.splice(place, 1);
  }
}

function unavailable(code: string): RiskgateError {
  return new RiskgateError('store_unavailable', `The history cannot be read: ${code}.`);
}
