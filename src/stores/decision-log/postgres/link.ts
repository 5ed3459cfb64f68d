import type { Client } from 'pg';
import { codeOf, disconnect } from './connect.ts';

interface LinkOptions {
  readonly connect: () => Promise<Client>;
  /** What a new connection does before it is used. */
  readonly prepare: (client: Client) => Promise<void>;
  /** Called once per change, and once for the first state that is known. The code says why it is down. */
  readonly onStateChange: (code: string | null) => void;
}

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2_000;

/** One connection, which is made in the background and made again whenever it is lost. */
export class Link {
  /** Resolves when the first attempt has come to an end, good or bad. */
  readonly opened: Promise<void>;
  readonly #options: LinkOptions;
  #client: Client | null = null;
  #waiting: (() => void)[] = [];
  #state: string | null | undefined;
  #retryMs = RETRY_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.opened = this.#connect();
  }

  /** The connection; null where there is none within so long. Never rejects. */
  async client(waitMs: number): Promise<Client | null> {
    if (this.#client !== null || this.#isClosed) return this.#client;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#client;
  }

  /** Ends a connection that is of no use any more, and makes another. The code says why. */
  drop(client: Client, code: string): void {
    if (this.#client !== client) return;
    this.#client = null;
    disconnect(client);
    this.#retryLater(code);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#client !== null) disconnect(this.#client);
    this.#client = null;
    this.#wake();
  }

  async #connect(): Promise<void> {
    let client: Client | null = null;
    try {
      client = await this.#options.connect();
      await this.#options.prepare(client);
    } catch (error) {
      if (client !== null) disconnect(client);
      this.#retryLater(codeOf(error));
      return;
    }
    if (this.#isClosed) {
      disconnect(client);
      return;
    }
    const connected = client;
    connected.once('end', () => this.drop(connected, codeOf(null)));
    this.#client = connected;
    this.#retryMs = RETRY_MS_MIN;
    this.#note(null);
    this.#wake();
  }

  #retryLater(code: string): void {
    if (this.#isClosed) return;
    this.#note(code);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), this.#retryMs).unref();
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
  }

  #note(code: string | null): void {
    const isChange = this.#state === undefined || (this.#state === null) !== (code === null);
    this.#state = code;
    if (isChange) this.#options.onStateChange(code);
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
