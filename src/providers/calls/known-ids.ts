/**
 * An id that the provider has answered for. The id itself is kept, in memory only, because it may be asked
 * again.
 */
export interface KnownId {
  readonly id: string;
  readonly source: string;
  readonly atMs: number;
  /**
   * Unix milliseconds after which the provider itself no longer guarantees the id; null when it gives no
   * time.
   */
  readonly validUntilMs: number | null;
}

/** A small list of ids that the provider knew recently. */
interface KnownIds {
  remember(known: KnownId): void;
  /** At most `count` ids that should still be known, from as many sources as there are, the latest first. */
  pick(nowMs: number, count: number): readonly KnownId[];
  /** The number of sources of the ids that should still be known. */
  sources(nowMs: number): number;
}

const IDS_MAX = 64;
/** One source must not fill the list. */
const IDS_OF_SOURCE_MAX = 5;
/**
 * Long enough for an hour with little traffic. An id that was known the day before may be gone for good
 * reasons.
 */
const AGE_MS_MAX = 3_600_000;
/** An id that is about to expire may be gone when it is asked again. */
const VALIDITY_MS_MIN = 5_000;

/** Builds an empty list. */
export function createKnownIds(): KnownIds {
  /** The latest last. */
  const knownById = new Map<string, KnownId>();
  const validLatestFirst = (nowMs: number) =>
    [...knownById.values()]
      .filter(
        ({ atMs, validUntilMs }) =>
          nowMs - atMs <= AGE_MS_MAX && (validUntilMs ?? Number.POSITIVE_INFINITY) - nowMs >= VALIDITY_MS_MIN,
      )
      .reverse();
  const makeRoom = (source: string): void => {
    let own = 0;
    let oldestOwn: KnownId | undefined;
    for (const known of knownById.values()) {
      if (known.source !== source) continue;
      oldestOwn ??= known;
      own += 1;
    }
    if (own >= IDS_OF_SOURCE_MAX && oldestOwn !== undefined) knownById.delete(oldestOwn.id);
    const [oldest] = knownById.keys();
    if (knownById.size >= IDS_MAX && oldest !== undefined) knownById.delete(oldest);
  };
  return {
    remember: (known) => {
      knownById.delete(known.id);
      makeRoom(known.source);
      knownById.set(known.id, known);
    },
    pick: (nowMs, count) => {
      const firstOfSource = new Map<string, KnownId>();
      const candidates = validLatestFirst(nowMs);
      for (const known of candidates)
        if (!firstOfSource.has(known.source)) firstOfSource.set(known.source, known);
      return [...new Set([...firstOfSource.values(), ...candidates])].slice(0, count);
    },
    sources: (nowMs) => new Set(validLatestFirst(nowMs).map(({ source }) => source)).size,
  };
}
