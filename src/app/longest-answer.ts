import type { Config } from '../config/config.ts';

/** The parts of the configuration that say how long an answer takes. */
type AnswerTimes = Pick<Config, 'decisionDeadlineMs'> & {
  readonly decisionLog: Pick<Config['decisionLog'], 'timeoutMs'>;
};

/** Longer than what comes after a decision and its record: storing the answer, and a busy process. */
const MARGIN_MS = 5_000;

/**
 * Milliseconds within which every decision is made, recorded and answered: its deadline, what its record may
 * take beside that, and a margin. What must outlast a decision is held for so long at least.
 */
export function longestAnswerMs({ decisionDeadlineMs, decisionLog }: AnswerTimes): number {
  return decisionDeadlineMs + decisionLog.timeoutMs + MARGIN_MS;
}
