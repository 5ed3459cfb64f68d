import type { GroupedCounts } from '../../domain/decision-log/grouped-counts.ts';

/** The 50th, 95th and 99th percentile in milliseconds; null where nothing was measured. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** The counts of one step, or of several. They are shared: do not change them. */
export interface CountedStep {
  readonly counts: GroupedCounts;
  /** Of decisions. */
  readonly latencyMs: Quantiles;
}

/** The counts of steps whose hours have not changed since they were counted. */
export interface StepMemory {
  find(stepMs: number, startMs: number, version: string): CountedStep | undefined;
  keep(stepMs: number, startMs: number, version: string, counted: CountedStep): void;
}

interface Remembered {
  readonly version: string;
  readonly counted: CountedStep;
}

/** Builds an empty memory for `countsMax` counts in total. The least recently used are dropped first. */
export function createStepMemory(countsMax: number): StepMemory {
  const remembered = new Map<string, Remembered>();
  let total = 0;
  const forget = (key: string, { counted }: Remembered): void => {
    remembered.delete(key);
    total -= costOf(counted);
  };
  return {
    find: (stepMs, startMs, version) => {
      const key = `${stepMs}@${startMs}`;
      const known = remembered.get(key);
      if (known?.version !== version) return undefined;
      remembered.delete(key);
      remembered.set(key, known);
      return known.counted;
    },
    keep: (stepMs, startMs, version, counted) => {
      const key = `${stepMs}@${startMs}`;
      const known = remembered.get(key);
      if (known !== undefined) forget(key, known);
      remembered.set(key, { version, counted });
      total += costOf(counted);
      for (const [oldest, entry] of remembered) {
        if (total <= countsMax) return;
        forget(oldest, entry);
      }
    },
  };
}

/** An empty step takes room too. */
function costOf({ counts }: CountedStep): number {
  return counts.size + 10;
}
