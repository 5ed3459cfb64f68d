/** So often the clock below looks whether this process is served, while somebody waits. Milliseconds. */
const STEP_MS = 2;
/** A timer is never exact. */
const SLACK_MS = 1;
/**
 * A wait that is longer than it should be by so many times its length ends all the same: a process that
 * stands still all the time gets nowhere. A short wait ends after half of the usual deadline.
 */
const EXCESS_MAX = 8;
const EXCESS_MS_MIN = 500;

interface Wait {
  readonly dueServedMs: number;
  readonly endsAtMs: number;
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
    return this.#isRunning ? this.#servedMs + this.#stepMs() : this.#servedMs;
  }

  add(ms: number, callback: () => void): () => void {
    if (!this.#isRunning) this.#start();
    const endsAtMs = performance.now() + ms + Math.max(EXCESS_MAX * ms, EXCESS_MS_MIN);
    const wait = { dueServedMs: this.nowMs() + ms, endsAtMs, callback };
    this.#waits.add(wait);
    return () => void this.#waits.delete(wait);
  }

  #start(): void {
    this.#isRunning = true;
    this.#steppedAtMs = performance.now();
    setTimeout(this.#step, STEP_MS);
  }

  readonly #step = (): void => {
    this.#servedMs += this.#stepMs();
    this.#steppedAtMs = performance.now();
    this.#isRunning = this.#waits.size > 0;
    if (!this.#isRunning) return;
    setTimeout(this.#step, STEP_MS);
    const due = [...this.#waits].filter((wait) => this.#isDue(wait));
    // What lies in the sockets has its turn first, and may cancel some.
    if (due.length > 0) setImmediate(this.#end, due);
  };

  readonly #end = (due: readonly Wait[]): void => {
    for (const wait of due) if (this.#waits.delete(wait)) wait.callback();
  };

  #stepMs(): number {
    return Math.min(performance.now() - this.#steppedAtMs, STEP_MS + SLACK_MS);
  }

  #isDue({ dueServedMs, endsAtMs }: Wait): boolean {
    return dueServedMs <= this.#servedMs || endsAtMs <= this.#steppedAtMs;
  }
}

/** One for the thread, like its event loop. */
const clock = new ServedClock();

/** Milliseconds on a clock that stands while this process could take nothing, or while nobody waits for it. */
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
