import type { Logger } from 'pino';
import { createLogger } from '../../src/platform/logger.ts';

/** A log, and what was written to it. */
export interface LineLog {
  readonly logger: Logger;
  text(): string;
  lines(): readonly LogLine[];
}

/** One line of a log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string };

/** Keeps lines from `info` on. */
export function createLineLog(): LineLog {
  const written: string[] = [];
  const { logger } = createLogger('info', { write: (text) => void written.push(text) });
  const text = () => written.join('');
  const lines = () =>
    text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  return { logger, text, lines };
}
