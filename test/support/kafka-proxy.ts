import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What stands before a broker, and can lose what the broker answers. */
export interface KafkaProxy {
  readonly port: number;
  /**
   * Passes the next `count` requests to write on, waits until the broker has answered each, and then ends its
   * connection without the answer. Resolves when the last is lost.
   */
  loseAnswers(count: number): Promise<void>;
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** The first fields of a request: its length, and what is asked for. */
const LENGTH_BYTES = 4;
const PRODUCE = 0;

/** Listens on a port of its own, and passes on to `target`. Ends with the test. */
export async function startKafkaProxy(t: Teardown, target: number): Promise<KafkaProxy> {
  let left = 0;
  let onLast = () => {};
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const broker = connect(target, '127.0.0.1');
    const end = () => {
      client.destroy();
      broker.destroy();
    };
    let isLosing = false;
    const requests = createRequestReader((api) => {
      if (api === PRODUCE && left > 0) isLosing = true;
    });
    client.on('data', (bytes) => {
      requests(bytes);
      broker.write(bytes);
    });
    broker.on('data', (bytes) => {
      if (!isLosing) {
        client.write(bytes);
        return;
      }
      end();
      left -= 1;
      if (left === 0) onLast();
    });
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('close', end).on('error', end);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    loseAnswers: (count) => {
      left = count;
      return new Promise((resolve) => {
        onLast = resolve;
      });
    },
  };
}

/** Tells of each request what it asks for, however its bytes are cut. */
function createRequestReader(onRequest: (api: number) => void): (bytes: Buffer) => void {
  let waiting = Buffer.alloc(0);
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes]);
    while (waiting.length >= LENGTH_BYTES + 2) {
      const length = LENGTH_BYTES + waiting.readInt32BE(0);
      if (waiting.length < length) return;
      onRequest(waiting.readInt16BE(LENGTH_BYTES));
      waiting = waiting.subarray(length);
    }
  };
}
