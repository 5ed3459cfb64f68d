import { type MessagePort, Worker } from 'node:worker_threads';

/**
 * What a worker thread can be asked: methods whose arguments and results can be cloned, and `close`, which is
 * asked last.
 */
type Methods = Readonly<Record<string, (...args: never[]) => unknown>> & { readonly close: () => unknown };

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** `code` says how a call failed. */
type Reply = { readonly id: number } & ({ readonly result: unknown } | { readonly code: string });

/** A worker thread that answers calls, one after the other. */
export interface RemoteWorker<Api extends Methods> {
  /**
   * Resolves with what the method returns. Rejects with an Error that has a `code`: that of the error which
   * the method threw, or `WORKER_LOST` when the thread ended. The next call then starts another thread.
   */
  call<Name extends keyof Api & string>(
    method: Name,
    ...args: Parameters<Api[Name]>
  ): Promise<Awaited<ReturnType<Api[Name]>>>;
  /** Ends the thread, if there is one, after the calls under way. Never rejects. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** What bounds a thread. */
interface ThreadLimits {
  /** MiB of long-lived objects, beyond which the thread ends; without it, what Node allows. */
  readonly heapMbMax?: number;
  /** MiB of objects that are new: more are collected less often. */
  readonly newMbMax?: number;
}

/**
 * Builds a client of `module`, which is started with `data` by the first call and answers by `serveCalls`.
 */
export function createRemoteWorker<Api extends Methods>(
  module: URL,
  data: unknown,
  limits: ThreadLimits = {},
): RemoteWorker<Api> {
  return new Remote<Api>(module, data, limits);
}

class Remote<Api extends Methods> implements RemoteWorker<Api> {
  readonly #module: URL;
  readonly #data: unknown;
  readonly #limits: ThreadLimits;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #calls = 0;

  constructor(module: URL, data: unknown, limits: ThreadLimits) {
    this.#module = module;
    this.#data = data;
    this.#limits = limits;
  }

  call<Name extends keyof Api & string>(
    method: Name,
    ...args: Parameters<Api[Name]>
  ): Promise<Awaited<ReturnType<Api[Name]>>> {
    // What comes back is what the method returned: `serveCalls` has the same type.
    return this.#send(method, args) as Promise<Awaited<ReturnType<Api[Name]>>>;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    // Calls are answered in their order. A thread that is lost meanwhile has nothing left to close.
    await this.#send('close', []).catch(() => {});
    this.#worker = null;
    await worker.terminate();
  }

  #send(method: string, args: readonly unknown[]): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#calls += 1;
    const call: Call = { id: this.#calls, method, args };
    this.#pending.set(call.id, { resolve, reject });
    try {
      this.#worker ??= this.#start();
      this.#worker.ref();
      this.#worker.postMessage(call);
    } catch (error) {
      // No thread is left, or no memory for one.
      this.#settle(call.id, (pending) => pending.reject(toError(codeOf(error))));
    }
    return promise;
  }

  #start(): Worker {
    const { heapMbMax, newMbMax } = this.#limits;
    const resourceLimits = {
      ...(heapMbMax === undefined ? {} : { maxOldGenerationSizeMb: heapMbMax }),
      ...(newMbMax === undefined ? {} : { maxYoungGenerationSizeMb: newMbMax }),
    };
    const worker = new Worker(this.#module, { workerData: this.#data, resourceLimits });
    worker.on('message', (reply: Reply) => {
      this.#settle(reply.id, ({ resolve, reject }) =>
        'result' in reply ? resolve(reply.result) : reject(toError(reply.code)),
      );
    });
    // An error ends the thread.
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      for (const id of this.#pending.keys()) this.#settle(id, ({ reject }) => reject(toError('WORKER_LOST')));
    });
    return worker;
  }

  #settle(id: number, end: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending !== undefined) end(pending);
    if (this.#pending.size === 0) this.#worker?.unref();
  }
}

/**
 * Answers the calls of a client, in the thread that it has started. A method that returns bytes gives them
 * away, with their buffer where they fill it.
 */
export function serveCalls<Api extends Methods>(port: MessagePort, api: Api): void {
  const answer = async ({ id, method, args }: Call): Promise<Reply> => {
    try {
      // The client's type has checked the name and the arguments.
      return { id, result: await (api[method] as (...args: readonly unknown[]) => unknown)(...args) };
    } catch (error) {
      return { id, code: codeOf(error) };
    }
  };
  port.on(
    'message',
    (call: Call) => void answer(call).then((reply) => port.postMessage(reply, buffersOf(reply))),
  );
}

/** Bytes that fill their buffer are handed over: a copy of megabytes would cost both threads. */
function buffersOf(reply: Reply): ArrayBuffer[] {
  if (!('result' in reply) || !(reply.result instanceof Uint8Array)) return [];
  const { buffer, byteLength } = reply.result;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

function toError(code: string): Error {
  return Object.assign(new Error('a call of a worker thread failed'), { code });
}

/**
 * The code of what a method threw, as a client gets it. Of node:sqlite, the number that SQLite gives: it says more
 * than Node's own code.
 */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'ERROR';
  const sqlite: unknown = Reflect.get(error, 'errcode');
  if (typeof sqlite === 'number') return `SQLITE_${sqlite}`;
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : error.name;
}
