import type {
  Contradiction,
  ContradictionInput,
  Finding,
} from '../../domain/contradictions/contradiction.ts';
import type { ToldFindings } from '../../domain/contradictions/find-contradictions.ts';
import type { AddressPlace, UserAgentNames } from '../../domain/contradictions/reference-data.ts';

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

/** What was found of evidence and request alone, and what the request was read as. */
export interface KnownFindings extends ToldFindings, RequestKey {
  readonly sides: Sides;
  /** The findings that depend on nothing else, each in its place. */
  readonly lasting: readonly (Finding | undefined)[];
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
    find: (sides: Sides, userAgent: RequestKey['userAgent'], ip: RequestKey['ip'], edition: number) => {
      const found = known.get(keyOf(sides) ?? NOBODY);
      if (found === undefined || found.userAgent !== userAgent || found.ip !== ip) return null;
      return found.edition === edition && isSame(found.sides, sides) ? found : null;
    },
    keep: (findings: KnownFindings) => {
      const key = keyOf(findings.sides);
      if (key !== null) known.set(key, findings);
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
