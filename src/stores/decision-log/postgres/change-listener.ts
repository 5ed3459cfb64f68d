import type { Connector } from './connect.ts';
import { Link } from './link.ts';

const CHANNEL = 'riskgate_history';

/** Tells when any replica has changed the history, for as long as somebody listens. */
export class ChangeListener {
  readonly #connector: Connector;
  readonly #listeners = new Set<() => void>();
  #link: Link | null = null;

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** Returns a function that unsubscribes. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#link ??= this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#link?.close();
    this.#link = null;
  }

  #open(): Link {
    const tell = () => {
      for (const listener of this.#listeners) listener();
    };
    return new Link({
      connect: () => this.#connector.connect('write'),
      prepare: async (client) => {
        client.on('notification', tell);
        await client.query(`LISTEN ${CHANNEL}`);
        // Something may have changed while nothing was heard.
        tell();
      },
      // Those who write and read say how the server is.
      onStateChange: () => {},
    });
  }
}
