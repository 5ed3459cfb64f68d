/** What has become of a batch. */
export interface WritingResult {
  /** True when every replica in sync has all that was not refused; false when that is not known. */
  readonly isKept: boolean;
  /** How many messages no broker will take. */
  readonly refused: number;
  /** The latest that went wrong; null when nothing has. */
  readonly code: string | null;
}

/** A batch on its way to the topic, for as long as that takes. */
export class Writing {
  readonly name: string;
  refused = 0;
  code: string | null = null;
  #isKept = false;
  #ended: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(name: string) {
    this.name = name;
  }

  /** `write` resolves with whether all is kept, and never rejects. */
  start(write: (writing: this) => Promise<boolean>): this {
    this.#ended = write(this).then((isKept) => {
      this.#isKept = isKept;
    });
    return this;
  }

  result(): WritingResult {
    const { refused, code } = this;
    return { isKept: this.#isKept, refused, code: this.#isKept ? code : (code ?? 'TIMEOUT') };
  }

  /** Whether it ends before a time of `performance.now()`. */
  async endsBefore(timeMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, Math.max(0, timeMs - performance.now()), false);
    void this.#ended.then(() => resolve(true));
    const hasEnded = await promise;
    clearTimeout(timer);
    return hasEnded;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends a pause. */
  wake(): void {
    this.#wake();
  }
}
