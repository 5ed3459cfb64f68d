import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { CLOCK_AHEAD_MS_MAX, type SetClaims } from '../../domain/shared-signals/read-claims.ts';
import { KeysUnavailable } from './key-set.ts';
import type { RefusedSet, SetError } from './set-errors.ts';

/** `later`: the keys cannot be had for now. */
export type VerifiedSet =
  | { readonly kind: 'verified'; readonly jti: string; readonly claims: SetClaims }
  | RefusedSet
  | { readonly kind: 'later' };

/** Whose tokens are taken. */
interface SetTrust {
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly algorithms: readonly string[];
  readonly keys: JWTVerifyGetKey;
}

const JTI_LENGTH_MAX = 512;

/** Verifies a security event token (RFC 8417): signature, type, issuer, audience, and the claims of every one. */
export async function verifySet(token: string, trust: SetTrust, nowMs: number): Promise<VerifiedSet> {
  const { issuer, audience, algorithms, keys } = trust;
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: [audience].flat(),
      algorithms: [...algorithms],
      typ: 'secevent+jwt',
      requiredClaims: ['jti', 'iat', 'events'],
      clockTolerance: CLOCK_AHEAD_MS_MAX / 1000,
      currentDate: new Date(nowMs),
    });
    const { jti, iat } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > JTI_LENGTH_MAX)
      return refused('invalid_request', '`jti` must be a text');
    if (typeof iat !== 'number' || iat * 1000 > nowMs + CLOCK_AHEAD_MS_MAX)
      return refused('invalid_request', '`iat` is in the future');
    return { kind: 'verified', jti, claims: payload };
  } catch (error) {
    return toRefusal(error);
  }
}

function toRefusal(error: unknown): Exclude<VerifiedSet, { readonly kind: 'verified' }> {
  if (error instanceof KeysUnavailable || error instanceof errors.JWKSTimeout) return { kind: 'later' };
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return refused('invalid_issuer', 'the issuer is not that of the stream');
    if (error.claim === 'aud') return refused('invalid_audience', 'the audience is not that of the stream');
    return refused('invalid_request', `the claim \`${error.claim}\` is missing or wrong`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return refused('authentication_failed', 'the signature is not valid');
  const isOfKey =
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported;
  if (isOfKey) return refused('invalid_key', 'the key or the algorithm is not one of the stream');
  if (error instanceof errors.JOSEError) return refused('invalid_request', 'it is no valid signed token');
  // What a key of another kind makes of the runtime's cryptography.
  return refused('invalid_key', 'the key cannot be used');
}

function refused(err: SetError, description: string): RefusedSet {
  return { kind: 'refused', err, description };
}
