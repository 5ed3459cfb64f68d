import type { PolicyTexts } from './policy-texts.ts';

/** Keeps policies in the background. */
export interface PolicyKeeper {
  /** Sees to it that the text is kept; tried until it is. */
  keep(hash: string, text: string): void;
  /** Ends after the attempt under way, and one more where something is not kept yet. Never rejects. */
  close(): Promise<void>;
}

/**
 * How often what is not kept yet is tried again, and the latest are kept again: a log may have lost them.
 */
const AGAIN_MS = 60_000;
/** The one in force, and more candidates than there can be. */
const LATEST_MAX = 16;

/** Builds what keeps texts in all of these places. */
export function createPolicyKeeper(
  places: readonly Pick<PolicyTexts, 'keep'>[],
  againMs: number = AGAIN_MS,
): PolicyKeeper {
  return new BackgroundKeeper(places, againMs);
}

class BackgroundKeeper implements PolicyKeeper {
  readonly #places: readonly Pick<PolicyTexts, 'keep'>[];
  readonly #waiting = new Map<string, string>();
  readonly #latest = new Map<string, string>();
  #working: Promise<void> | null = null;
  readonly #timer: NodeJS.Timeout;

  constructor(places: readonly Pick<PolicyTexts, 'keep'>[], againMs: number) {
    this.#places = places;
    this.#timer = setInterval(() => {
      for (const [hash, text] of this.#latest) this.#waiting.set(hash, text);
      this.#begin();
    }, againMs).unref();
  }

  keep(hash: string, text: string): void {
    this.#latest.delete(hash);
    this.#latest.set(hash, text);
    const [oldest] = this.#latest.keys();
    if (this.#latest.size > LATEST_MAX && oldest !== undefined) this.#latest.delete(oldest);
    this.#waiting.set(hash, text);
    this.#begin();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#working;
    this.#begin();
    await this.#working;
  }

  #begin(): void {
    if (this.#working !== null || this.#waiting.size === 0) return;
    this.#working = this.#keepAll().finally(() => {
      this.#working = null;
    });
  }

  async #keepAll(): Promise<void> {
    for (const [hash, text] of this.#waiting) {
      const isKept = await Promise.all(this.#places.map((place) => place.keep(hash, text)));
      if (isKept.every(Boolean)) this.#waiting.delete(hash);
    }
  }
}
