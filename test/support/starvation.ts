import { readFileSync } from 'node:fs';

/** What the machine, and not the program under test, took from an answer. */
export interface StarvationWatch {
  /** Milliseconds between the two moments (`performance.now()`) in which this process did not look, or the other one was ready to run and got no processor. */
  lostMs(fromMs: number, toMs: number): number;
  stop(): void;
}

interface Tick {
  readonly atMs: number;
  readonly lostMs: number;
}

const TICK_MS = 2;

/** Watches the event loop of this process, and by the kernel's account (`/proc/<pid>/schedstat`, Linux) the main thread of another. What cannot be read counts as nothing lost. */
export function watchStarvation(pid: number): StarvationWatch {
  const ticks: Tick[] = [];
  let lastMs = performance.now();
  let lastWaitedMs = readWaitedMs(pid);
  const timer = setInterval(() => {
    const atMs = performance.now();
    const waitedMs = readWaitedMs(pid);
    const ownMs = Math.max(0, atMs - lastMs - 2 * TICK_MS);
    ticks.push({ atMs, lostMs: Math.max(ownMs, waitedMs - lastWaitedMs) });
    lastMs = atMs;
    lastWaitedMs = waitedMs;
  }, TICK_MS);
  return {
    lostMs: (fromMs, toMs) => {
      let lost = 0;
      for (const { atMs, lostMs } of ticks) if (atMs >= fromMs && atMs - lostMs <= toMs) lost += lostMs;
      return lost;
    },
    stop: () => clearInterval(timer),
  };
}

/** The second figure: nanoseconds for which the thread waited for a processor. */
function readWaitedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    // ENOENT: another system, or the process has ended.
    return 0;
  }
}
