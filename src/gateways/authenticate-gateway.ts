import { hash, timingSafeEqual } from 'node:crypto';
import type { LimitedCaller } from '../application/callers/hold-to-limits.ts';
import type { GatewayHeaders } from './definition.ts';
import { singleValue } from './original-request.ts';
import type { GatewayProfile, GatewayProfiles } from './profile.ts';

/** The holder of an API key that is good for decisions now, or null. */
export type FindKeyHolder = (key: string) => LimitedCaller | null;

/**
 * Where a gateway's credentials are read from: its own headers (never those of the end user, where the
 * protocol separates them), and the peer address of its connection.
 */
export interface GatewayCredentials {
  readonly headers: GatewayHeaders;
  readonly peerAddress: string | undefined;
}

/** What proves a gateway is no longer: more is not even hashed. */
const SECRET_LENGTH_MAX = 256;

/**
 * The caller: the id of its API key, or `gateway:` and the name of the profile. Null without valid
 * credentials.
 */
export function authenticateGateway(
  { headers, peerAddress }: GatewayCredentials,
  { name, caller }: GatewayProfile,
  findKeyHolder: FindKeyHolder,
  digestOf: DigestOf = toDigest,
): LimitedCaller | null {
  if (caller.kind === 'addresses')
    return caller.includes(peerAddress ?? '') === true ? { id: `gateway:${name}`, limits: null } : null;
  const presented = singleValue(headers, caller.header);
  if (presented === null || presented.length > SECRET_LENGTH_MAX) return null;
  if (caller.kind === 'api_key') return findKeyHolder(presented);
  return isOneOf(caller.digests, digestOf(presented)) ? { id: `gateway:${name}`, limits: null } : null;
}

/**
 * Whether any profile accepts the credentials. This can be checked before the profile of the request is
 * known.
 */
export function createIsGateway(
  profiles: () => GatewayProfiles,
  findKeyHolder: FindKeyHolder,
): (credentials: GatewayCredentials) => boolean {
  let known: GatewayProfiles | null = null;
  let proofs: readonly GatewayProfile[] = [];
  return (credentials) => {
    const current = profiles();
    if (current !== known) {
      known = current;
      proofs = withDistinctProofs(current);
    }
    const digestOf = rememberDigests();
    return proofs.some(
      (profile) => authenticateGateway(credentials, profile, findKeyHolder, digestOf) !== null,
    );
  };
}

type DigestOf = (presented: string) => Uint8Array;

function toDigest(presented: string): Uint8Array {
  return hash('sha256', presented, 'buffer');
}

/** Hashes each value once: many profiles read the same header. It is for one set of credentials. */
function rememberDigests(): DigestOf {
  const digests = new Map<string, Uint8Array>();
  return (presented) => {
    const digest = digests.get(presented) ?? toDigest(presented);
    digests.set(presented, digest);
    return digest;
  };
}

/** Most profiles read an API key from the same header. */
function withDistinctProofs({ byName }: GatewayProfiles): readonly GatewayProfile[] {
  const keyHeaders = new Set<string>();
  return [...byName.values()].filter(({ caller }) => {
    if (caller.kind !== 'api_key') return true;
    if (keyHeaders.has(caller.header)) return false;
    keyHeaders.add(caller.header);
    return true;
  });
}

/** Takes the same time whichever digest matches, and when none does. */
function isOneOf(digests: readonly Uint8Array[], digest: Uint8Array): boolean {
  let isMatch = false;
  for (const known of digests) if (timingSafeEqual(known, digest)) isMatch = true;
  return isMatch;
}
