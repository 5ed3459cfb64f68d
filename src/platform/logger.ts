import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';

/** Lines are written in blocks of this size, which costs half of writing each; a timer writes what is left. */
const BLOCK_BYTES = 8192;
const FLUSH_MS = 250;
/** What may wait for a reader that stalls or a disk that is full; beyond it lines are dropped, and the service goes on. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** How long the end of the process waits for the last lines. */
const LAST_LINES_MS = 1_000;

export interface LoggerHandle {
  readonly logger: Logger;
  /** Writes what is buffered, for at most a second. Call it before the process ends. Never rejects. */
  close(): Promise<void>;
}

/** A JSON logger on standard output, or on `stream`. Writing never keeps the service waiting. Errors are logged by name, code and stack frames without their message, which may quote an identifier. */
export function createLogger(level: string, stream?: DestinationStream): LoggerHandle {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: toErrorFields },
  };
  if (stream) return { logger: pino(options, stream), close: async () => {} };
  const sink = destination({
    dest: 1,
    // A synchronous write to a full pipe or disk would stop every decision.
    sync: false,
    minLength: BLOCK_BYTES,
    maxLength: WAITING_BYTES_MAX,
    periodicFlush: FLUSH_MS,
  });
  // A full disk or a closed pipe: there is nowhere to say so, and the lines stay buffered up to the bound.
  sink.on('error', () => {});
  return { logger: pino(options, sink), close: () => closeSink(sink) };
}

async function closeSink(sink: ReturnType<typeof destination>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LAST_LINES_MS);
  sink.once('close', resolve);
  sink.once('error', () => resolve());
  sink.end();
  await promise;
  clearTimeout(timer);
  // Otherwise pino would try once more at exit, synchronously and for ever.
  sink.destroy();
}

/** What may be said of an unexpected error. */
export function toErrorFields(error: unknown): { name: string; code: string | null; frames: string[] } {
  if (!(error instanceof Error)) return { name: typeof error, code: null, frames: [] };
  const code: unknown = Reflect.get(error, 'code');
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    code: typeof code === 'string' ? code : null,
    frames: frames.map((line) => line.trim()),
  };
}
