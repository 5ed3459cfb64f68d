import type { Contradiction, Side } from '../../domain/contradictions/contradiction.ts';
import type { ToldFindings } from '../../domain/contradictions/find-contradictions.ts';
import type { AddressPlace, UserAgentNames } from '../../domain/contradictions/reference-data.ts';

/** What a request was read by. */
interface RequestKey {
  readonly userAgent: string | undefined;
  /** Null where it cannot be read. */
  readonly ip: string | undefined | null;
  /** Of the places of addresses. */
  readonly edition: number;
}

/** What was found of evidence and request alone, and what the request was read as. */
export interface KnownFindings extends ToldFindings, RequestKey {
  readonly sides: readonly Side[];
  readonly names: UserAgentNames | null | undefined;
  readonly place: AddressPlace | null | undefined;
}

/** True for what depends on evidence and the request alone. */
export function isLasting({ reads }: Contradiction): boolean {
  return !reads.includes('memory') && !reads.includes('time');
}

/**
 * Remembers what was found, by the identity of the evidence: the latest for each piece of evidence that comes
 * first, and as long as that is kept.
 */
export function createEvidenceMemo() {
  const known = new WeakMap<object, KnownFindings>();
  return {
    find: (sides: readonly Side[], { userAgent, ip, edition }: RequestKey) => {
      const found = known.get(keyOf(sides) ?? NOBODY);
      if (found === undefined || found.userAgent !== userAgent || found.ip !== ip) return null;
      if (found.edition !== edition) return null;
      for (let place = 0; place < sides.length; place += 1)
        if (found.sides[place] !== sides[place]) return null;
      return found;
    },
    keep: (findings: KnownFindings) => {
      const key = keyOf(findings.sides);
      if (key !== null) known.set(key, findings);
    },
  };
}

const NOBODY = {};

function keyOf(sides: readonly Side[]): object | null {
  for (const side of sides) if (typeof side === 'object') return side;
  return null;
}
