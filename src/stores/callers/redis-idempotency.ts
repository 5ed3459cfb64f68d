import type { Claim, ClaimedRequest, IdempotencyStore } from '../../application/callers/idempotency-store.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { decodeEntry, encodeAnswer, encodeClaim } from './idempotency-codec.ts';

/** SET with NX and GET at once, which Redis itself knows from version 7 on. */
const CLAIM = `
local standing = redis.call('GET', KEYS[1])
if standing then return standing end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`;
/** A claim whose reply was late may have arrived all the same: its owner replaces it, and nothing else. */
const KEEP = `
local standing = redis.call('GET', KEYS[1])
if standing and standing ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

type IdempotencyScripts = {
  claimIdempotent(key: string, claim: string, lockMs: number): Promise<string | null>;
  keepIdempotent(key: string, claim: string, answer: string, ttlMs: number): Promise<number>;
  releaseIdempotent(key: string, claim: string): Promise<number>;
};

/** Told apart from null, which is the guard's word for a command that failed. */
const NOTHING_STOOD = Symbol('nothing stood there');

/**
 * Keeps answers where every replica finds them. While Redis is lost every claim is `unavailable`, and what
 * should be kept is not.
 */
export function createRedisIdempotencyStore({ client, guard, keys }: RedisHandle): IdempotencyStore {
  const scripted = withScripts<IdempotencyScripts>(client, {
    claimIdempotent: { numberOfKeys: 1, lua: CLAIM },
    keepIdempotent: { numberOfKeys: 1, lua: KEEP },
    releaseIdempotent: { numberOfKeys: 1, lua: RELEASE },
  });
  const claim = async (request: ClaimedRequest, lockMs: number): Promise<Claim> => {
    const key = keys.idempotency(request.key);
    const standing = await guard.run(
      async () => (await scripted.claimIdempotent(key, encodeClaim(request), lockMs)) ?? NOTHING_STOOD,
    );
    if (standing === null) return { kind: 'unavailable' };
    return standing === NOTHING_STOOD ? { kind: 'claimed' } : toClaim(standing, request);
  };
  return {
    claim: (request, lockMs) => (guard.admits() ? claim(request, lockMs) : { kind: 'unavailable' }),
    // Nobody waits for these, so a Redis that is merely suspected is told all the same: it may hold the claim
    // whose reply was late.
    keep: (request, answer, ttlMs) => {
      if (guard.state() === 'down') return;
      const key = keys.idempotency(request.key);
      const text = encodeAnswer(request, answer);
      void guard.run(() => scripted.keepIdempotent(key, encodeClaim(request), text, ttlMs));
    },
    release: (request) => {
      if (guard.state() === 'down') return;
      const key = keys.idempotency(request.key);
      void guard.run(() => scripted.releaseIdempotent(key, encodeClaim(request)));
    },
  };
}

/** A text that is not an entry of ours protects no request, and is never replayed. */
function toClaim(text: string, { fingerprint }: ClaimedRequest): Claim {
  const entry = decodeEntry(text);
  if (entry === null) return { kind: 'unavailable' };
  if (entry.fingerprint !== fingerprint) return { kind: 'mismatch' };
  return entry.answer === null ? { kind: 'in_flight' } : { kind: 'stored', answer: entry.answer };
}
