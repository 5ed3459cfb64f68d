import type { EvidenceSource, LookLimits, LookResult, ProviderQuery } from './evidence-source.ts';

/** Lookups that the decisions of one request share: each provider is asked once about an id. */
export interface SharedLooks {
  /** As the source's own `look`, or what came of the same question before. */
  look(source: EvidenceSource, query: ProviderQuery, limits: LookLimits): LookResult | Promise<LookResult>;
}

/**
 * Remembers nothing yet. It is for decisions with the same limits, and for no longer than their one deadline:
 * also what failed is not asked again.
 */
export function createSharedLooks(): SharedLooks {
  const known = new Map<EvidenceSource, Map<string, LookResult | Promise<LookResult>>>();
  return {
    look: (source, query, limits) => {
      const looks = known.get(source) ?? new Map<string, LookResult | Promise<LookResult>>();
      known.set(source, looks);
      const before = looks.get(query.id);
      if (before !== undefined) return before instanceof Promise ? before.then(toShared) : toShared(before);
      const look = source.look(query, limits);
      looks.set(query.id, look);
      // Whoever asks later need not wait for a turn. A source never rejects; one that does has said nothing.
      if (look instanceof Promise)
        look.then(
          (result) => void looks.set(query.id, result),
          () => void looks.delete(query.id),
        );
      return look;
    },
  };
}

/** The call was another decision's; what a cache knew is from there for all. */
function toShared({ evidence, origin }: LookResult): LookResult {
  return { evidence, origin: origin === 'miss' ? 'shared' : origin };
}
