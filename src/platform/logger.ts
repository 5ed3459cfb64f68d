import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';

/** Lines are written in blocks of this size, which costs half of writing each; a timer writes what is left. */
const BLOCK_BYTES = 8192;
const FLUSH_MS = 250;

export interface LoggerHandle {
  readonly logger: Logger;
  /** Writes what is buffered. Call it before the process ends. */
  close(): void;
}

/** A JSON logger on standard output, or on `stream`. Errors are logged by name, code and stack frames without their message, which may quote an identifier. */
export function createLogger(level: string, stream?: DestinationStream): LoggerHandle {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: toErrorFields },
  };
  if (stream) return { logger: pino(options, stream), close: () => {} };
  const sink = destination({ dest: 1, sync: true, minLength: BLOCK_BYTES });
  const flush = () => sink.flushSync();
  const timer = setInterval(flush, FLUSH_MS);
  timer.unref();
  return {
    logger: pino(options, sink),
    close: () => {
      clearInterval(timer);
      flush();
    },
  };
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
