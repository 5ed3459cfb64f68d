import { Worker } from 'node:worker_threads';
import { type BacktestTally, createTally, mergeTallies } from '../domain/backtest/tally.ts';
import type { WorkerBacktest, WorkerNotice } from './backtest-worker.ts';

/** How a log is scanned. */
interface ScanOptions {
  /** Threads that share the parts, at most. */
  readonly threads: number;
  readonly signal: AbortSignal;
  /** Told how many more entries were looked at. */
  readonly onProgress: (entries: number) => void;
}

const MODULE = new URL('./backtest-worker.ts', import.meta.url);
/** Of each thread: classes, forms and accounts. */
const HEAP_MB_MAX = 1_024;
/** Of what is new, which is nearly all: a larger part is collected less often. */
const NEW_MB_MAX = 128;

/**
 * Counts the decisions of a log class by class, in threads of their own. Rejects with an Error that has a `code`
 * where a part cannot be read, or a thread is lost; with the reason of the signal where that ends it.
 */
export async function scanLog(
  question: WorkerBacktest,
  { threads, signal, onProgress }: ScanOptions,
): Promise<BacktestTally> {
  const count = Math.max(1, Math.min(threads, question.parts.length));
  // Neighbours have as many decisions as each other.
  const shares = Array.from({ length: count }, (_, share) =>
    question.parts.filter((_part, place) => place % count === share),
  );
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  try {
    const tallies = await Promise.all(
      shares.map((parts) => runThread({ ...question, parts }, ended, onProgress)),
    );
    const tally = createTally();
    for (const one of tallies) mergeTallies(tally, one);
    return tally;
  } finally {
    // Where one fails the others have nothing left to do.
    stop.abort();
  }
}

async function runThread(
  question: WorkerBacktest,
  signal: AbortSignal,
  onProgress: ScanOptions['onProgress'],
): Promise<BacktestTally> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<BacktestTally>();
  const worker = new Worker(MODULE, {
    workerData: question,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX, maxYoungGenerationSizeMb: NEW_MB_MAX },
  });
  const end = () => reject(toError(signal.reason));
  signal.addEventListener('abort', end, { once: true });
  worker.on('message', (notice: WorkerNotice) => {
    if (notice.kind === 'progress') onProgress(notice.entries);
    else resolve(notice.tally);
  });
  worker.once('error', (error) => reject(withCode(error)));
  worker.once('exit', () => reject(withCode(new Error('a thread ended'))));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', end);
    void worker.terminate();
  }
}

/** A failure of SQLite, of the system, or of the thread. */
function withCode(error: unknown): Error {
  const code: unknown = error instanceof Error ? (Reflect.get(error, 'code') ?? 'ERROR') : 'ERROR';
  return Object.assign(new Error(`the log cannot be read (${String(code)})`), { code: String(code) });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
