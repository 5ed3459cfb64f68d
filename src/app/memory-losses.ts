import type { Logger } from 'pino';

/** What can be lost: who used telemetry ids first, and activity. */
const MEMORIES = ['custody', 'activity'] as const;

type Memory = (typeof MEMORIES)[number];

/** How often this process has found out that a memory is lost, since its start. */
export interface MemoryLoss {
  readonly memory: Memory;
  readonly count: number;
}

/** Says that a memory in Redis is lost, once for each loss, and counts it. */
interface MemoryLosses {
  readonly onLost: Readonly<Record<Memory, () => void>>;
  /** One entry for each memory. */
  counts(): readonly MemoryLoss[];
}

/** Begins at no loss. */
export function createMemoryLosses(logger: Pick<Logger, 'error'>): MemoryLosses {
  const counts: Record<Memory, number> = { custody: 0, activity: 0 };
  return {
    onLost: {
      custody: () => {
        counts.custody += 1;
        logger.error({ event: 'custody.lost' }, 'Redis has forgotten who used telemetry ids first');
      },
      activity: () => {
        counts.activity += 1;
        logger.error({ event: 'activity.lost' }, 'activity that Redis could not take is lost');
      },
    },
    counts: () => MEMORIES.map((memory) => ({ memory, count: counts[memory] })),
  };
}
