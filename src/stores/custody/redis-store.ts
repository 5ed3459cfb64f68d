import type { Clock, CustodyStore } from '../../application/ports.ts';
import {
  ACCOUNT_FIELD,
  type CustodyClaim,
  type CustodyFit,
  type CustodyLoss,
  type CustodyRecord,
  DEVICE_FIELD_PREFIX,
} from '../../domain/custody.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { RedisLane } from '../redis/lane.ts';
import { briefLifeMs, custodyLifeMs } from './custody-life.ts';
import { BEGINNING, createCustodyBeginnings } from './redis-generations.ts';

export interface RedisCustodyStoreOptions {
  /** Its owner closes it. */
  readonly lane: RedisLane;
  readonly clock: Clock;
  /** A binding that is to be kept is so for at least this long after its latest use. */
  readonly retentionMs: number;
  /** Called when Redis turns out to have lost bindings; not more often than once in ten seconds. */
  readonly onLost?: () => void;
}

/**
 * domain/custody.ts in one step of Redis, which runs scripts one after the other. A binding is a hash: `first` (Unix ms), `uses`, `kept` (1, or absent), `expires` (Unix ms, once known) and the fields of the claim.
 * The first write comes after everything that can fail on a value of another type, and Redis refuses a script for want of memory before its first write: so it is all or nothing.
 */
const USE = `${BEGINNING}
local now = ARGV[1]
local held, holds_any, holds_device = {}, false, false
local function is_device(field) return string.find(field, '${DEVICE_FIELD_PREFIX}', 1, true) == 1 end
local function is_account(field) return field == '${ACCOUNT_FIELD}' end
local flat = redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  held[flat[i]] = flat[i + 1]
  holds_device = holds_device or is_device(flat[i])
  holds_any = holds_any or is_device(flat[i]) or is_account(flat[i])
end
local elsewhere, claims_device, claims_account, common, common_device = false, false, false, false, false
for i = 6, #ARGV, 2 do
  local device = is_device(ARGV[i])
  claims_device = claims_device or device
  claims_account = claims_account or is_account(ARGV[i])
  local bound = held[ARGV[i]]
  if bound then
    common = true
    common_device = common_device or device
    elsewhere = elsewhere or bound ~= ARGV[i + 1]
  end
end
elsewhere = elsewhere or (holds_device and claims_device and not common_device)
local omits_device = holds_device and not claims_device
local omits_account = held.${ACCOUNT_FIELD} and not claims_account
local holders = not elsewhere and (common or not holds_any)
local name, lost = beginning(KEYS[2], now, ARGV[4], ARGV[5])
local fresh = held.first and {} or { 'first', now }
for i = 6, holders and #ARGV or 0, 2 do
  if not held[ARGV[i]] then
    fresh[#fresh + 1] = ARGV[i]
    fresh[#fresh + 1] = ARGV[i + 1]
  end
end
if #fresh > 0 then redis.call('HSET', KEYS[1], unpack(fresh)) end
local uses = redis.call('HINCRBY', KEYS[1], 'uses', 1)
local life = tonumber(held.kept and ARGV[3] or ARGV[2])
if redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], life) end
local function bit(fact) return fact and 1 or 0 end
local fit = { bit(elsewhere), bit(omits_device), bit(omits_account) }
return { uses, held.first or now, fit, bit(held.kept), held.expires or false, name, lost }`;

const KEEP = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'kept', 1)
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'expires', ARGV[2]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`;

type ScriptedRedis = RedisClient & {
  useTelemetry(
    key: string,
    beginningKey: string,
    nowMs: number,
    briefLifeMs: number,
    lifeMs: number,
    known: string,
    fresh: string,
    ...claim: readonly string[]
  ): Promise<unknown>;
  keepTelemetry(key: string, lifeMs: number, validUntilMs: number | ''): Promise<unknown>;
};

/** The store that replicas share, on a connection that they share with evidence. While Redis is lost custody is unknown: no replica's memory could speak for the others. */
export function createRedisCustodyStore({
  lane,
  clock,
  retentionMs,
  onLost = () => {},
}: RedisCustodyStoreOptions): CustodyStore {
  const { keys, guard } = lane;
  lane.redis.defineCommand('useTelemetry', { numberOfKeys: 2, lua: USE });
  lane.redis.defineCommand('keepTelemetry', { numberOfKeys: 1, lua: KEEP });
  // defineCommand adds the methods that the cast declares.
  const redis = lane.redis as ScriptedRedis;
  const beginnings = createCustodyBeginnings({ lane, clock, onLost });

  const use = async (key: string, claim: CustodyClaim): Promise<CustodyRecord | null> => {
    const redisKey = keys.custody(key);
    const fields = Object.entries(claim).flat();
    const beginningKey = keys.custodyBeginning(key);
    const told = beginnings.toldFor(key);
    const reply = await guard.run(() =>
      redis.useTelemetry(
        redisKey,
        beginningKey,
        clock.nowMs(),
        briefLifeMs(retentionMs),
        retentionMs,
        ...told,
        ...fields,
      ),
    );
    if (!Array.isArray(reply)) return null;
    const [, , , , , name, lost] = reply as unknown[];
    const lostAtMs = beginnings.note(key, name, lost);
    const record = lostAtMs === null ? null : toRecord(reply, toLoss(lostAtMs, retentionMs));
    if (record === null) lane.refuseValue(lostAtMs === null ? beginningKey : redisKey);
    return record;
  };

  return {
    // A Redis that is merely suspected is asked all the same: one late reply to somebody else makes nobody's custody unknown.
    use: (key, claim) => (guard.state() === 'up' ? use(key, claim) : null),
    keep: (key, validUntilMs) => {
      if (guard.state() !== 'up') return;
      const lifeMs = custodyLifeMs(retentionMs, validUntilMs, clock.nowMs());
      void guard.run(() => redis.keepTelemetry(keys.custody(key), lifeMs, validUntilMs ?? ''));
    },
  };
}

/** Reads a reply that is trusted no further than its shape: somebody else may have written the key. */
function toRecord(
  [uses, first, reported, kept, expires]: readonly unknown[],
  loss: CustodyLoss | null,
): CustodyRecord | null {
  const firstUsedAtMs = toTimeMs(first);
  const validUntilMs = expires === null || expires === undefined ? null : toTimeMs(expires);
  const isMangled = firstUsedAtMs === null || (validUntilMs === null && typeof expires === 'string');
  const fit = toFit(reported);
  if (isMangled || typeof uses !== 'number' || fit === null) return null;
  return { uses, firstUsedAtMs, ...fit, isKept: kept !== 0, validUntilMs, loss };
}

function toFit(reported: unknown): CustodyFit | null {
  if (!Array.isArray(reported)) return null;
  const [isBoundElsewhere, omitsDevice, omitsAccount] = reported.map((bit) => bit !== 0);
  if (isBoundElsewhere === undefined || omitsDevice === undefined || omitsAccount === undefined) return null;
  return { isBoundElsewhere, omitsDevice, omitsAccount };
}

function toLoss(lostAtMs: number, retentionMs: number): CustodyLoss | null {
  return lostAtMs === 0 ? null : { noticedAtMs: lostAtMs, overAtMs: lostAtMs + retentionMs };
}

function toTimeMs(text: unknown): number | null {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
