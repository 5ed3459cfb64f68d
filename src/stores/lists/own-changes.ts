import type { ListVersion } from './redis-lists.ts';

/** Changes that were read lately: a reply may be taken after the change was read back. */
const READ_MAX = 256;

/**
 * The changes that this replica has made and not yet read back: a master that fails takes them with it, where
 * its replica had not received them, and its history may go on without them.
 */
export class OwnChanges {
  readonly #waiting = new Map<number, string>();
  readonly #read = new Map<number, string>();
  #known = 0;
  #isLost = false;

  /** Notes a change that was made; the number 0 is none. */
  add({ number, name }: ListVersion): void {
    if (number === 0) return;
    // What has the number of another change is of another history.
    if (number <= this.#known) this.#isLost ||= this.#read.get(number) !== name;
    else {
      this.#isLost ||= this.#waiting.has(number);
      this.#waiting.set(number, name);
    }
  }

  /** The number of the latest of them; 0 without any. */
  latest(): number {
    return Math.max(0, ...this.#waiting.keys());
  }

  /** How many have not been read back. */
  unread(): number {
    return this.#waiting.size;
  }

  /** True where Redis cannot have all of them. */
  isLost(): boolean {
    return this.#isLost;
  }

  /** Notes a change that was read; false where it has the number of one of them, and is another. */
  noteRead({ number, name }: ListVersion): boolean {
    const own = this.#waiting.get(number);
    this.#waiting.delete(number);
    this.#read.set(number, name);
    this.#read.delete(number - READ_MAX);
    this.#known = number;
    return own === undefined || own === name;
  }

  /** Everything up to this change was read, or written back. */
  settle(number: number): void {
    for (const waiting of this.#waiting.keys()) if (waiting <= number) this.#waiting.delete(waiting);
    this.#read.clear();
    this.#known = 0;
    this.#isLost = false;
  }
}
