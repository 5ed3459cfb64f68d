/**
 * Remembers in bounded memory which keys were dropped before their time: it may say so of a key that was not,
 * and never fails to say so of one that was.
 */
interface ForgottenKeys {
  /** Notes a key that should have been kept until `untilMs`. All times are milliseconds of one clock. */
  add(key: string, untilMs: number, nowMs: number): void;
  /**
   * True for every key that was added and has not run out, and for a few others: about one in a hundred at
   * 800,000 keys, more beyond.
   */
  mayHave(key: string, nowMs: number): boolean;
  isEmpty(nowMs: number): boolean;
}

/** 2^23 bits, 1 MiB. */
const BITS = 8_388_608;
/** Keys after which a younger filter takes over, once the older one has run out. */
const KEYS_MAX = 800_000;
/** Four groups of six hex digits of a key; more than BITS, and cut to it. */
const GROUP_CHARS = 6;
const GROUPS = 4;

/**
 * Builds an empty memory for keys that are keyed hashes of at least 24 hex digits. It is two Bloom filters
 * that take turns: 2 MiB, taken when the first key comes.
 */
export function createForgottenKeys(): ForgottenKeys {
  let [younger, older] = [new Filter(), new Filter()];
  const isAwake = (nowMs: number): boolean => younger.isAlive(nowMs) || older.isAlive(nowMs);
  return {
    add: (key, untilMs, nowMs) => {
      if (!younger.isAlive(nowMs)) younger.clear();
      else if (younger.size >= KEYS_MAX && !older.isAlive(nowMs)) {
        [younger, older] = [older, younger];
        younger.clear();
      }
      younger.add(key, untilMs);
    },
    mayHave: (key, nowMs) =>
      isAwake(nowMs) &&
      ((younger.isAlive(nowMs) && younger.has(key)) || (older.isAlive(nowMs) && older.has(key))),
    isEmpty: (nowMs) => !isAwake(nowMs),
  };
}

class Filter {
  #bits: Uint8Array | null = null;
  #untilMs = 0;
  size = 0;

  isAlive(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }

  clear(): void {
    this.#bits?.fill(0);
    this.#untilMs = 0;
    this.size = 0;
  }

  add(key: string, untilMs: number): void {
    this.#bits ??= new Uint8Array(BITS / 8);
    for (let group = 0; group < GROUPS; group += 1) {
      const bit = toBit(key, group);
      this.#bits[bit >> 3] = (this.#bits[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
    this.#untilMs = Math.max(this.#untilMs, untilMs);
    this.size += 1;
  }

  has(key: string): boolean {
    for (let group = 0; group < GROUPS; group += 1) {
      const bit = toBit(key, group);
      if (((this.#bits?.[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }
}

function toBit(key: string, group: number): number {
  return Number.parseInt(key.slice(group * GROUP_CHARS, (group + 1) * GROUP_CHARS), 16) % BITS;
}
