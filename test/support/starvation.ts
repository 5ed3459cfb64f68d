import { readdirSync, readFileSync } from 'node:fs';

/** What the machine, and not the program under test, took from an answer. */
export interface StarvationWatch {
  /**
   * Milliseconds between the two moments (`performance.now()`) in which this process did not look, or the
   * other one was ready to run and got no processor.
   */
  lostMs(fromMs: number, toMs: number): number;
  stop(): void;
}

interface Tick {
  readonly atMs: number;
  readonly lostMs: number;
}

const TICK_MS = 4;

/**
 * Watches the event loop of this process, and by the kernel's account (`schedstat`, Linux) the threads of
 * another: its main thread stands still too while one that collects garbage for it waits for a processor.
 * Threads that wait at once are counted once. What cannot be read counts as nothing lost.
 */
export function watchStarvation(pid: number): StarvationWatch {
  const files = threadsOf(pid).map((thread) => `/proc/${pid}/task/${thread}/schedstat`);
  const ticks: Tick[] = [];
  let lastMs = performance.now();
  let lastWaitedMs = files.map(readWaitedMs);
  const timer = setInterval(() => {
    const atMs = performance.now();
    const waitedMs = files.map(readWaitedMs);
    const otherMs = Math.max(0, ...waitedMs.map((ms, thread) => ms - (lastWaitedMs[thread] ?? ms)));
    const ownMs = Math.max(0, atMs - lastMs - 2 * TICK_MS);
    ticks.push({ atMs, lostMs: Math.max(ownMs, otherMs) });
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

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // ENOENT: another system.
    return [];
  }
}

/** The second figure: nanoseconds for which the thread waited for a processor. */
function readWaitedMs(file: string): number {
  try {
    return Number(readFileSync(file, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    // ENOENT: the thread has ended.
    return 0;
  }
}
