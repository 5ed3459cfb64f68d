import type { RedisClient } from '../redis/connection.ts';
import { withScripts } from '../redis/scripts.ts';

const SET_UNLESS_PURGED = `
if redis.call('GET', KEYS[1]) == ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/**
 * The claim stands in the place of the evidence: one key, one step, and a set or a purge ends it. A
 * Redis that refuses the claim (full, a replica) still gives what it has.
 */
const GET_OR_CLAIM = `
local standing = redis.call('GET', KEYS[1])
if standing then return standing end
redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`;

/**
 * The same for many keys. What was refused of one is told in a list of its own, and stops none of the others.
 * ARGV: the beginning of all claims, the number of the first, and for each key how long its claim lasts.
 */
const GET_OR_CLAIM_ALL = `
local told = {}
for place, key in ipairs(KEYS) do
  local standing = redis.pcall('GET', key)
  if type(standing) == 'table' then standing = { standing.err or 'ERR' }
  elseif not standing then
    local claim = ARGV[1] .. string.format('%.0f', ARGV[2] + place - 1)
    redis.pcall('SET', key, claim, 'PX', ARGV[place + 2])
  end
  told[place] = standing
end
return told`;

const RELEASE_CLAIM = `
local standing = redis.call('GET', KEYS[1])
if not standing or string.sub(standing, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** A purge and the claim of another replica stand; they are newer than any evidence. */
const REMOVE_EVIDENCE = `
local standing = redis.call('GET', KEYS[1])
if not standing or standing == ARGV[1] then return 0 end
local is_claim = string.sub(standing, 1, #ARGV[2]) == ARGV[2]
if is_claim and string.sub(standing, 1, #ARGV[3]) ~= ARGV[3] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** What Redis does for evidence in one step each. */
export type EvidenceRedis = RedisClient & EvidenceScripts;

type EvidenceScripts = {
  /** Resolves 1, or 0 when the tombstone stands. */
  setUnlessPurged(key: string, text: string, lifeMs: number, tombstone: string): Promise<number>;
  /**
   * Resolves what stands under the key; null where nothing stood, and the claim does now unless it was
   * refused.
   */
  getOrClaim(key: string, claim: string, claimMs: number): Promise<string | null>;
  /** As `getOrClaim` for each key; what was refused of one is a list with the text of the refusal. */
  getOrClaimAll(
    count: number,
    keys: readonly string[],
    beginning: string,
    firstNumber: number,
    claimMs: readonly number[],
  ): Promise<readonly (string | null | readonly [refusal: string])[]>;
  /** Removes a claim that begins so, and nothing else. */
  releaseClaim(key: string, beginning: string): Promise<number>;
  /** Removes evidence, or a claim that begins with `own`; a tombstone and any other claim stay. */
  removeEvidence(key: string, tombstone: string, claimPrefix: string, own: string): Promise<number>;
};

/** Teaches a connection the commands. */
export function defineEvidenceCommands(redis: RedisClient): EvidenceRedis {
  return withScripts<EvidenceScripts>(redis, {
    setUnlessPurged: { numberOfKeys: 1, lua: SET_UNLESS_PURGED },
    getOrClaim: { numberOfKeys: 1, lua: GET_OR_CLAIM },
    getOrClaimAll: { lua: GET_OR_CLAIM_ALL },
    releaseClaim: { numberOfKeys: 1, lua: RELEASE_CLAIM },
    removeEvidence: { numberOfKeys: 1, lua: REMOVE_EVIDENCE },
  });
}
