import type { Logger } from 'pino';
import { createThrottle } from '../platform/throttle.ts';

/** Further drops are reported in one line per interval. */
const INTERVAL_MS = 60_000;

interface DropLog {
  readonly onDrop: (sink: string, count: number) => void;
  /** Logs what no line has told yet. */
  close(): void;
}

/**
 * Logs the records that a sink of the decision log lacks: the first at once, then their number once a minute.
 */
export function createDropLog(logger: Logger): DropLog {
  const throttle = createThrottle(INTERVAL_MS, () => performance.now());
  let timer: NodeJS.Timeout | null = null;
  const log = (sink: string, dropped: number) =>
    logger.error({ event: 'decision_log.dropped', sink, dropped }, 'the decision log lacks records');
  const close = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    for (const [sink, dropped] of throttle.takeRest()) log(sink, dropped);
  };
  return {
    onDrop: (sink, count) => {
      const dropped = throttle.note(sink, count);
      if (dropped > 0) log(sink, dropped);
      else timer ??= setTimeout(close, INTERVAL_MS).unref();
    },
    close,
  };
}
