import type { ActivityStore, Claim } from './activity-store.ts';

/** Claims what is counted once, by texts that only their keyed hashes are kept of. */
export interface Claims {
  /** In the order of the texts; null where it is not known which are claimed. */
  claim(texts: readonly string[]): Promise<readonly Claim[] | null>;
  /** Keeps claims for a day. */
  settle(texts: readonly string[]): Promise<void>;
  /** Gives claims up. */
  unclaim(texts: readonly string[]): Promise<void>;
}

/**
 * Builds them under several hash keys (32 hex digits each): two processes that have one of them in common
 * count nothing twice.
 */
export function createClaims(
  store: Pick<ActivityStore, 'claim' | 'settle' | 'unclaim'>,
  hashes: readonly ((text: string) => string)[],
): Claims {
  const namesOf = (texts: readonly string[]) => texts.flatMap((text) => hashes.map((hash) => hash(text)));
  /** What this call claimed under one key goes with what it found under another. */
  const align = async (names: readonly string[], found: readonly Claim[], whole: Claim): Promise<void> => {
    const own = names.filter((_, place) => found[place] === 'new');
    if (own.length === 0 || whole === 'new') return;
    await (whole === 'done' ? store.settle(own) : store.unclaim(own));
  };
  return {
    claim: async (texts) => {
      const claims = await store.claim(namesOf(texts));
      if (claims === null) return null;
      const told = texts.map(async (text, place): Promise<Claim> => {
        const found = claims.slice(place * hashes.length, (place + 1) * hashes.length);
        const whole = found.includes('done') ? 'done' : found.includes('open') ? 'open' : 'new';
        await align(namesOf([text]), found, whole);
        return whole;
      });
      return Promise.all(told);
    },
    settle: async (texts) => store.settle(namesOf(texts)),
    unclaim: async (texts) => store.unclaim(namesOf(texts)),
  };
}
