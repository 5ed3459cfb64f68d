/** So often the clock below looks whether this process is served, while somebody waits. Milliseconds. */
const STEP_MS = 2;
/** A timer is never exact. */
const SLACK_MS = 1;
/**
 * A process that stands still all the time must get somewhere: a wait takes no more than so many steps that
 * last too long. In each of them what has arrived is read.
 */
const HELD_STEPS_MAX = 8;

interface Wait {
  leftMs: number;
  /** The most that one step counts for it. */
  readonly stepMsMax: number;
  readonly callback: () => void;
}

/**
 * Counts the time in which this thread could have taken what arrived. It goes in small steps, and a step that
 * lasts longer counts as if it had not: the event loop was held, or the machine gave this process no turn.
 * It stands while nobody waits.
 */
class ServedClock {
  #servedMs = 0;
  #steppedAtMs = 0;
  #isRunning = false;
  readonly #waits = new Set<Wait>();

  nowMs(): number {
    if (!this.#isRunning) return this.#servedMs;
    return this.#servedMs + Math.min(this.#elapsedMs(), STEP_MS + SLACK_MS);
  }

  add(ms: number, callback: () => void): () => void {
    if (!this.#isRunning) this.#start();
    const stepMsMax = Math.max(STEP_MS + SLACK_MS, ms / HELD_STEPS_MAX);
    // The step that is under way began before this wait.
    const wait = { leftMs: ms + Math.min(this.#elapsedMs(), stepMsMax), stepMsMax, callback };
    this.#waits.add(wait);
    return () => void this.#waits.delete(wait);
  }

  #start(): void {
    this.#isRunning = true;
    this.#steppedAtMs = performance.now();
    setTimeout(this.#step, STEP_MS);
  }

  readonly #step = (): void => {
    const elapsedMs = this.#elapsedMs();
    this.#servedMs += Math.min(elapsedMs, STEP_MS + SLACK_MS);
    this.#steppedAtMs += elapsedMs;
    this.#isRunning = this.#waits.size > 0;
    if (!this.#isRunning) return;
    setTimeout(this.#step, STEP_MS);
    const due: Wait[] = [];
    for (const wait of this.#waits) {
      wait.leftMs -= Math.min(elapsedMs, wait.stepMsMax);
      if (wait.leftMs <= 0) due.push(wait);
    }
    // What lies in the sockets has its turn first, and may cancel some.
    if (due.length > 0) setImmediate(this.#end, due);
  };

  readonly #end = (due: readonly Wait[]): void => {
    for (const wait of due) if (this.#waits.delete(wait)) wait.callback();
  };

  #elapsedMs(): number {
    return performance.now() - this.#steppedAtMs;
  }
}

/** One for the thread, like its event loop. */
const clock = new ServedClock();

/**
 * Milliseconds on a clock that stands while this process could take nothing, or while nobody waits for it.
 */
export function servedMs(): number {
  return clock.nowMs();
}

/**
 * Calls back once `ms` have passed in which this process could have taken what arrived, and what lay waiting
 * in sockets has had its turn. Returns what cancels it.
 */
export function afterServedTime(ms: number, callback: () => void): () => void {
  return clock.add(ms, callback);
}
