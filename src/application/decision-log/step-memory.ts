import type { GroupedCounts } from '../../domain/decision-log/grouped-counts.ts';

/** Milliseconds below which half, 95 and 99 of a hundred lie; null where nothing was measured. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** What was counted in one step, or in several. It is shared: nobody changes it. */
export interface CountedStep {
  readonly counts: GroupedCounts;
  /** Of decisions. */
  readonly latencyMs: Quantiles;
}

/** What was counted in steps whose hours have not changed since. */
export interface StepMemory {
  find(stepMs: number, startMs: number, version: string): CountedStep | undefined;
  keep(stepMs: number, startMs: number, version: string, counted: CountedStep): void;
}

interface Remembered {
  readonly version: string;
  readonly counted: CountedStep;
}

/** Builds an empty memory for `countsMax` counts altogether. What was used least lately makes room. */
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
