import { Worker } from 'node:worker_threads';

interface AskOptions {
  readonly timeoutMs: number;
  /** Of the worker's heap. */
  readonly heapMbMax: number;
}

/** A question to a worker thread of its own. */
export interface WorkerQuestion<Answer> {
  /**
   * Rejects with an Error that has a `code` when the worker cannot be started, fails, is ended, or takes too
   * long.
   */
  readonly answer: Promise<Answer>;
  /** Ends the worker, if there is one. */
  end(): void;
}

/**
 * Starts `module` in a thread with `question` as its `workerData`, and takes its first message for the
 * answer.
 */
export function askWorker<Answer>(
  module: URL,
  question: unknown,
  { timeoutMs, heapMbMax }: AskOptions,
): WorkerQuestion<Answer> {
  let worker: Worker;
  try {
    worker = new Worker(module, {
      workerData: question,
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
    });
  } catch (error) {
    // ERR_WORKER_INIT_FAILED: the system has no thread left, or no memory for one.
    const failure = error instanceof Error ? error : new Error('no thread could be started');
    return { answer: Promise.reject(failure), end: () => {} };
  }
  worker.unref();
  let timer: NodeJS.Timeout | undefined;
  const answer = new Promise<Answer>((resolve, reject) => {
    const fail = (code: string) => reject(Object.assign(new Error('a worker gave no answer'), { code }));
    timer = setTimeout(fail, timeoutMs, 'TIMEOUT').unref();
    worker.once('message', resolve);
    worker.once('error', (error: unknown) =>
      fail(String((error instanceof Error && Reflect.get(error, 'code')) || 'ERROR')),
    );
    worker.once('exit', () => fail('EXIT'));
  });
  const end = () => void worker.terminate();
  const settle = () => {
    clearTimeout(timer);
    end();
  };
  answer.then(settle, settle);
  return { answer, end };
}
