import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A loopback proxy that can be slow, silent, cut, or lead elsewhere. */
export interface TcpProxy {
  readonly port: number;
  /** How many connections it accepted so far. */
  connections(): number;
  /** From now on every chunk from the target waits so long. */
  setDelayMs(delayMs: number): void;
  /** Destroys all connections; new ones are destroyed as well until `mend`. */
  cut(): void;
  mend(): void;
  /** New connections lead to this port; those that stand lead where they led, as when a name moves on. */
  retarget(port: number): void;
  /** Those that stand carry nothing any more, and do not end: the peer is gone without a word. */
  silence(): void;
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** Starts a proxy in front of a loopback port; it ends with the test. */
export async function startTcpProxy(t: Teardown, targetPort: number): Promise<TcpProxy> {
  const proxy = new DelayingProxy(targetPort);
  t.teardown(() => proxy.close());
  await proxy.listen();
  return proxy;
}

class DelayingProxy implements TcpProxy {
  #targetPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;
  #delayMs = 0;
  #isCut = false;
  /** Connections before this one are silent. */
  #firstHeard = 0;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#accept(client));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is not listening');
    return address.port;
  }

  connections(): number {
    return this.#connections;
  }

  setDelayMs(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  retarget(port: number): void {
    this.#targetPort = port;
  }

  silence(): void {
    this.#firstHeard = this.#connections + 1;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.#connections += 1;
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const number = this.#connections;
    const isSilent = () => number < this.#firstHeard;
    const target = new Socket();
    client.on('data', (chunk) => {
      if (!isSilent()) target.write(chunk);
    });
    let written = Promise.resolve();
    target.on('data', (chunk) => {
      const due = delay(this.#delayMs);
      // Chained, so that chunks keep their order when the delay changes.
      written = Promise.all([written, due]).then(() => {
        if (!isSilent()) client.write(chunk);
      });
    });
    this.#join(client, () => target.destroy());
    // What the target said last is handed on before its end is.
    this.#join(target, () => void written.then(() => client.destroySoon()));
    target.connect(this.#targetPort, '127.0.0.1');
  }

  /** When one side ends, so does the other. */
  #join(socket: Socket, endOther: () => void): void {
    this.#sockets.add(socket);
    // A reset is an end like any other here.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      endOther();
    });
  }
}
