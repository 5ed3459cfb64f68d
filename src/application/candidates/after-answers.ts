import type { Clock } from '../clock.ts';

/** How long the event loop is held in one turn; one piece of work can take longer. */
const TURN_MS = 2;
/** What is done is forgotten when it is so much, also where the queue is never empty. */
const DONE_MAX = 1_024;

/** Work that is done after answers have left, in its order. */
export interface AfterAnswers {
  /** Takes work; false where too much waits already. */
  add(work: () => undefined | Promise<void>): boolean;
  /** How much waits or is under way. */
  waiting(): number;
  /** Does all that can be done at once. */
  flush(): void;
  /** Does everything, and ends when it is done. Never rejects. */
  drain(): Promise<void>;
}

/** Builds the queue: at most `waitingMax` pieces of work wait, or are under way. */
export function createAfterAnswers(options: {
  readonly waitingMax: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Told of work that throws or rejects, which nobody waits for. */
  readonly onError: (error: unknown) => void;
}): AfterAnswers {
  return new AnswerQueue(options);
}

type Work = () => undefined | Promise<void>;

class AnswerQueue implements AfterAnswers {
  readonly #waitingMax: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #onError: (error: unknown) => void;
  #queue: Work[] = [];
  /** The next one to be done. */
  #place = 0;
  readonly #underWay = new Set<Promise<void>>();
  #isScheduled = false;

  constructor({ waitingMax, clock, onError }: Parameters<typeof createAfterAnswers>[0]) {
    this.#waitingMax = waitingMax;
    this.#onError = onError;
    this.#clock = clock;
  }

  add(work: Work): boolean {
    if (this.waiting() >= this.#waitingMax) return false;
    this.#queue.push(work);
    this.#schedule();
    return true;
  }

  waiting(): number {
    return this.#queue.length - this.#place + this.#underWay.size;
  }

  flush(): void {
    this.#work(Number.POSITIVE_INFINITY);
  }

  async drain(): Promise<void> {
    while (this.waiting() > 0) {
      this.flush();
      await Promise.all(this.#underWay);
    }
  }

  /** Answers that are ready are written before the next turn. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#work(this.#clock.monotonicMs() + TURN_MS);
      if (this.#place < this.#queue.length) this.#schedule();
    });
  }

  #work(untilMs: number): void {
    while (this.#place < this.#queue.length) {
      const work = this.#queue[this.#place];
      this.#place += 1;
      if (work !== undefined) this.#run(work);
      if (this.#clock.monotonicMs() >= untilMs) break;
    }
    if (this.#place < this.#queue.length && this.#place < DONE_MAX) return;
    this.#queue = this.#queue.slice(this.#place);
    this.#place = 0;
  }

  #run(work: Work): void {
    try {
      const working = work()?.catch(this.#onError);
      if (working === undefined) return;
      this.#underWay.add(working);
      void working.finally(() => this.#underWay.delete(working));
    } catch (error) {
      this.#onError(error);
    }
  }
}
