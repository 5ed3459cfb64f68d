import { STEP_UPS_MAX } from '../../domain/step-up/step-up.ts';
import { GENERATION } from '../redis/generation-script.ts';

/**
 * The step-ups of one telemetry id are a hash: `account`, empty until one was given, and for each slot of its
 * subjects `<Unix ms> <method> <acr>`. An account that is not the one held ends all of them.
 */
const OWNER = `
local function owner(key, account)
  local held = redis.call('HGET', key, 'account')
  if held and account ~= '' and held ~= account then
    if held ~= '' then
      redis.call('DEL', key)
      return false, false
    end
    redis.call('HSET', key, 'account', account)
    return account, true
  end
  return held, false
end`;

/**
 * Many questions, one after the other. One that fails stops none of the others, and is told as the text of its
 * failure. KEYS: for each the group, the former one and the telemetry id. ARGV: now, own writer, the beginning
 * of fresh names; then for each the name that is known, the slot, the account. Told: the generation, the step-up, and whether the
 * account is new.
 */
export const FIND = `${GENERATION}
${OWNER}
local function find(first, place)
  local key, known, slot, account = KEYS[first + 2], ARGV[place], ARGV[place + 1], ARGV[place + 2]
  local found = generation(KEYS[first], KEYS[first + 1], ARGV[1], known, ARGV[3] .. '-' .. place, ARGV[2], false)
  local held, is_new = owner(key, account)
  return { found, held and redis.call('HGET', key, slot), is_new and 1 or 0 }
end
local told = {}
for i = 1, #KEYS / 3 do
  local is_done, said = pcall(find, 3 * i - 2, 3 * i + 1)
  if not is_done then said = type(said) == 'table' and said.err or tostring(said) end
  told[i] = said
end
return told`;

/**
 * KEYS: the group, the former one and the telemetry id. ARGV: now, own writer, the name that is known, a fresh
 * one, the slot, the account, when (Unix ms), the step-up, its life. A later one of the same slot stays. Told:
 * the generation.
 */
export const ADD = `${GENERATION}
${OWNER}
local key, slot, at = KEYS[3], ARGV[5], tonumber(ARGV[7])
local function time(step_up) return tonumber(step_up and step_up:match('^%d+') or 0) end
local found = generation(KEYS[1], KEYS[2], ARGV[1], ARGV[3], ARGV[4], ARGV[2], true)
local held = owner(key, ARGV[6])
if time(redis.call('HGET', key, slot)) > at then return found end
redis.call('HSET', key, 'account', held or ARGV[6], slot, ARGV[8])
if redis.call('HLEN', key) > ${STEP_UPS_MAX + 1} then
  local oldest, flat = slot, redis.call('HGETALL', key)
  local least = at
  for i = 1, #flat, 2 do
    if flat[i] ~= 'account' and time(flat[i + 1]) < least then oldest, least = flat[i], time(flat[i + 1]) end
  end
  redis.call('HDEL', key, oldest)
end
if redis.call('PTTL', key) < tonumber(ARGV[9]) then redis.call('PEXPIRE', key, ARGV[9]) end
return found`;

/**
 * Notes a telemetry id under a part of its subject. KEYS: the index. ARGV: now, the telemetry id, the life of
 * its step-up, how many it may hold. Told: those that are too many, the oldest.
 */
export const NOTE = `
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return redis.call('ZRANGE', KEYS[1], 0, -1 - tonumber(ARGV[4]))`;
