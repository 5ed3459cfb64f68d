import type { Socket } from 'node:net';
import type { Connector } from './undici.ts';

/** Connections to one origin, the first of which can be opened before there is anything to send. */
interface AheadConnector {
  /** What a pool opens its connections with: one that was opened ahead is taken first. */
  readonly connect: Connector;
  /**
   * Opens one ahead, and sends nothing on it. Resolves once it is open, true, or `budgetMs` have passed or
   * it cannot be opened, false. Never rejects. One that comes later still waits to be taken.
   */
  openAhead(options: Parameters<Connector>[0], budgetMs: number): Promise<boolean>;
  /** Destroys those that wait. */
  close(): void;
}

/** Wraps a connector. A connection that is not taken within `idleMs`, or that its peer ends, is destroyed. */
export function createAheadConnector(connect: Connector, idleMs: number): AheadConnector {
  const waiting = createWaitingSockets(idleMs);
  /** Those who wait for one to open: a socket that is destroyed while it connects does not tell them. */
  const asking = new Set<(isOpen: boolean) => void>();
  let isClosed = false;
  return {
    connect: (options, callback) => {
      const socket = waiting.take();
      if (socket === null) return connect(options, callback);
      // Not at once, as no connector does; by then it may be gone.
      process.nextTick(() => {
        if (socket.destroyed) connect(options, callback);
        else callback(null, socket);
      });
    },
    openAhead: (options, budgetMs) =>
      new Promise((resolve) => {
        const answer = (isOpen: boolean): void => {
          clearTimeout(timer);
          asking.delete(answer);
          resolve(isOpen);
        };
        const timer = setTimeout(answer, budgetMs, false);
        asking.add(answer);
        connect(options, (error, socket) => {
          if (error === null && isClosed) socket.destroy();
          else if (error === null) waiting.add(socket);
          answer(error === null && !isClosed);
        });
      }),
    close: () => {
      isClosed = true;
      for (const answer of asking) answer(false);
      waiting.clear();
    },
  };
}

/** Open connections that nobody has taken yet. */
interface WaitingSockets {
  add(socket: Socket): void;
  take(): Socket | null;
  /** Destroys them. */
  clear(): void;
}

function createWaitingSockets(idleMs: number): WaitingSockets {
  /** What makes each stop waiting, so that another may have it. */
  const stops = new Map<Socket, () => void>();
  const take = (): Socket | null => {
    const [first] = stops;
    if (first === undefined) return null;
    const [socket, stop] = first;
    stop();
    return socket;
  };
  return {
    add: (socket) => {
      const discard = (): void => {
        stop();
        socket.destroy();
      };
      const timer = setTimeout(discard, idleMs).unref();
      const stop = (): void => {
        clearTimeout(timer);
        stops.delete(socket);
        socket.off('readable', discard).off('close', discard);
      };
      stops.set(socket, stop);
      // What is readable is the end, or an answer to nothing.
      socket.on('readable', discard).on('close', discard);
      // It is closed after an error, of which nobody else may be told yet.
      socket.on('error', () => {});
    },
    take,
    clear: () => {
      for (let socket = take(); socket !== null; socket = take()) socket.destroy();
    },
  };
}
