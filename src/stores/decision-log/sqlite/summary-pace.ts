import { setTimeout as delay } from 'node:timers/promises';

/** Between two summaries, as a multiple of what one took: they take a tenth of the reading thread. */
const PAUSE = 9;

/** Has summaries made one after the other, and leaves the thread that makes them to others most of the time. */
export class SummaryPace {
  readonly #makeOne: () => Promise<boolean>;
  #isUnderWay = false;
  #isStopped = false;

  /** `makeOne` resolves with true where there may be another one to make. */
  constructor(makeOne: () => Promise<boolean>) {
    this.#makeOne = makeOne;
  }

  /** Makes all that are missing, unless that is under way. Never rejects. */
  async makeAll(): Promise<void> {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    try {
      while (!this.#isStopped) {
        const startMs = performance.now();
        if (!(await this.#makeOne())) return;
        await delay((performance.now() - startMs) * PAUSE, undefined, { ref: false });
      }
    } catch {
      // Without a summary, as where the disk is full, questions take longer.
    } finally {
      this.#isUnderWay = false;
    }
  }

  stop(): void {
    this.#isStopped = true;
  }
}
