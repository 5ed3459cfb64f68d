/** A clock that is moved by hand through a time that is over. */
export interface PastClock {
  nowMs(): number;
  monotonicMs(): number;
  /** Moves it on; never back. */
  moveTo(unixMs: number): void;
  /** A UUIDv7 of its present time. */
  newId(): string;
}

/** Builds it; `random` gives numbers in [0, 1). */
export function createPastClock(startMs: number, random: () => number): PastClock {
  let nowMs = startMs;
  return {
    nowMs: () => Math.floor(nowMs),
    monotonicMs: () => nowMs - startMs,
    moveTo: (unixMs) => {
      nowMs = Math.max(nowMs, unixMs);
    },
    newId: () => {
      const time = Math.floor(nowMs).toString(16).padStart(12, '0');
      const digits = (count: number) =>
        Math.floor(random() * 16 ** count)
          .toString(16)
          .padStart(count, '0');
      const variant = (8 + Math.floor(random() * 4)).toString(16);
      const rest = `7${digits(3)}-${variant}${digits(3)}-${digits(6)}${digits(6)}`;
      return `${time.slice(0, 8)}-${time.slice(8)}-${rest}`;
    },
  };
}
