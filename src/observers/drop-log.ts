import type { Logger } from 'pino';

/** One line says how many were dropped in this time. */
const INTERVAL_MS = 60_000;

export interface DropLog {
  readonly onDrop: (sink: string, count: number) => void;
  /** Says what has not been said yet. */
  close(): void;
}

/** Logs records that a sink of the decision log lacks: the first at once, and then once a minute how many there were. */
export function createDropLog(logger: Logger): DropLog {
  const unsaid = new Map<string, number>();
  let timer: NodeJS.Timeout | null = null;
  const say = () => {
    for (const [sink, dropped] of unsaid)
      logger.error({ event: 'decision_log.dropped', sink, dropped }, 'the decision log lacks records');
    const hasSaid = unsaid.size > 0;
    unsaid.clear();
    timer = hasSaid ? setTimeout(say, INTERVAL_MS).unref() : null;
  };
  return {
    onDrop: (sink, count) => {
      unsaid.set(sink, (unsaid.get(sink) ?? 0) + count);
      if (timer === null) say();
    },
    close: () => {
      if (timer !== null) clearTimeout(timer);
      say();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
