import type { ContradictionInput } from '../../domain/contradictions/contradiction.ts';
import type { ToldContradictions } from '../../domain/contradictions/find-contradictions.ts';

/** What each provider said whose evidence is compared. */
export type Sides = ContradictionInput['evidence'];

/** What a request was read by. */
interface RequestKey {
  readonly userAgent: string | undefined;
  /** Null where it cannot be read. */
  readonly ip: string | undefined | null;
  /** Of the places of addresses. */
  readonly edition: number;
}

/** What was told of this evidence and this request, and what the request was read as. */
interface KnownContradictions extends RequestKey {
  readonly sides: Sides;
  readonly request: ContradictionInput['request'];
  readonly told: ToldContradictions;
}

/**
 * Remembers what was told, by the identity of the evidence: the latest for each piece of evidence that comes
 * first, and as long as that is kept.
 */
export function createEvidenceMemo() {
  const known = new WeakMap<object, KnownContradictions>();
  return {
    find: (sides: Sides, userAgent: RequestKey['userAgent'], ip: RequestKey['ip'], edition: number) => {
      const found = known.get(keyOf(sides) ?? NOBODY);
      if (found === undefined || found.userAgent !== userAgent || found.ip !== ip) return null;
      return found.edition === edition && isSame(found.sides, sides) ? found : null;
    },
    keep: (contradictions: KnownContradictions) => {
      const key = keyOf(contradictions.sides);
      if (key !== null) known.set(key, contradictions);
    },
  };
}

const NOBODY = {};

function isSame(left: Sides, right: Sides): boolean {
  return (
    left.stytch === right.stytch && left.mobilerun === right.mobilerun && left.prefactor === right.prefactor
  );
}

function keyOf({ stytch, mobilerun, prefactor }: Sides): object | null {
  if (typeof stytch === 'object') return stytch;
  if (typeof mobilerun === 'object') return mobilerun;
  return typeof prefactor === 'object' ? prefactor : null;
}
