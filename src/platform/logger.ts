import { type DestinationStream, destination, type Level, type LogFn, type Logger, pino } from 'pino';
import { toRfc3339 } from './rfc3339.ts';

/**
 * Lines are written in blocks of this size, which costs half of writing each; a timer writes what is left.
 */
const BLOCK_CHARS = 8192;
const FLUSH_MS = 250;
/**
 * What may wait for a reader that stalls or a disk that is full; beyond it lines are dropped, and the service
 * goes on.
 */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** The text of a line about an error that has no other. */
const UNEXPECTED = 'an unexpected error';
/** How long the end of the process waits for the last lines. */
const LAST_LINES_MS = 1_000;

interface LoggerHandle {
  readonly logger: Logger;
  /** Writes whole lines of another make among those of the logger. */
  readonly write: (text: string) => void;
  /** Writes what is buffered, for at most a second. Call it before the process ends, as often as
   * there is reason to. Never rejects. */
  close(): Promise<void>;
}

/**
 * A JSON logger on standard output, or on `stream`. Writing never keeps the service waiting. Errors are
 * logged by name, code and stack frames without their message, which may quote an identifier.
 */
export function createLogger(level: string, stream?: DestinationStream): LoggerHandle {
  const options = {
    level,
    base: null,
    timestamp: toTimeMember,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: toErrorFields },
    hooks: { logMethod: withoutErrorText },
  };
  if (stream)
    return { logger: pino(options, stream), write: (text) => stream.write(text), close: async () => {} };
  const sink = destination({
    dest: 1,
    // A synchronous write to a full pipe or disk would stop every decision.
    sync: false,
    maxLength: WAITING_BYTES_MAX,
  });
  // A full disk or a closed pipe: there is nowhere to say so, and the lines stay buffered up to the bound.
  sink.on('error', () => {});
  let closing: Promise<void> | undefined;
  const block = gatherLines((text) => sink.write(text));
  return {
    logger: pino(options, block),
    write: block.write,
    close: () => {
      block.close();
      closing ??= closeSink(sink);
      return closing;
    },
  };
}

/**
 * Writes lines of one level, in their order among those of the logger, from JSON members that are text
 * already. The logger must be one of `createLogger`, without bindings. Writes nothing where the level is not
 * logged.
 */
export function createLineWriter(logger: Logger, level: Level): (members: string) => void {
  if (!logger.isLevelEnabled(level)) return () => {};
  const { [pino.symbols.streamSym]: stream } = logger as Logger & {
    [pino.symbols.streamSym]: DestinationStream;
  };
  const head = `{"level":"${level}"`;
  return (members) => stream.write(`${head}${toTimeMember()},${members}}\n`);
}

function toTimeMember(): string {
  return `,"time":"${toRfc3339(Date.now())}"`;
}

/**
 * Hands lines on in blocks: 3.5 µs of CPU a line, against 5.7 with the sink's own `minLength`, which measures
 * all that waits at each line.
 */
function gatherLines(hand: (text: string) => void): DestinationStream & { close(): void } {
  let held = '';
  const flush = () => {
    const text = held;
    held = '';
    if (text !== '') hand(text);
  };
  const timer = setInterval(flush, FLUSH_MS);
  timer.unref();
  return {
    write: (line) => {
      held += line;
      if (held.length >= BLOCK_CHARS) flush();
    },
    close: () => {
      clearInterval(timer);
      flush();
    },
  };
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

/** Gives a line about an error a text of its own: where it has none, pino takes that of the error. */
function withoutErrorText(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [fields, text] = args;
  if (fields instanceof Error) method.call(this, { err: fields }, text ?? UNEXPECTED);
  else if (text === undefined && typeof fields === 'object' && fields !== null && 'err' in fields)
    method.call(this, fields, UNEXPECTED);
  else method.apply(this, args);
}

/** What may be said of an unexpected error. */
function toErrorFields(error: unknown): { name: string; code: string | null; frames: string[] } {
  if (!(error instanceof Error)) return { name: typeof error, code: null, frames: [] };
  const code: unknown = Reflect.get(error, 'code');
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    name: error.name,
    code: typeof code === 'string' ? code : null,
    frames: frames.map((line) => line.trim()),
  };
}
