import { STEP_UPS_MAX } from '../../domain/step-up/step-up.ts';
import { GENERATION } from '../redis/generation-script.ts';

/**
 * Hashes are read whole, which are small: so the scripts need no right that custody does not need. `time` is
 * what a step-up begins with; `replace` writes a hash again with the life that it has left.
 */
const HASHES = `
local function read(key)
  local flat, held, count = redis.call('HGETALL', key), {}, 0
  for i = 1, #flat, 2 do
    held[flat[i]] = flat[i + 1]
    count = count + 1
  end
  return held, count
end
local function time(text) return tonumber(text and text:match('^%d+') or 0) end
local function replace(key, held)
  local flat, left = {}, redis.call('PTTL', key)
  for field, value in pairs(held) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  redis.call('DEL', key)
  if #flat == 0 then return end
  redis.call('HSET', key, unpack(flat))
  if left > 0 then redis.call('PEXPIRE', key, left) end
end
local function prolong(key, life)
  if redis.call('PTTL', key) < tonumber(life) then redis.call('PEXPIRE', key, life) end
end`;

/**
 * The step-ups of one telemetry id are a hash: `account`, empty until one was given, and for each slot of its
 * subjects `<Unix ms> <method> <acr>`. An account that is not the one held ends all of them.
 */
const OWNER = `
local function own(key, account)
  local held, count = read(key)
  if count == 0 or account == '' or held.account == account then return held, count, 0 end
  if held.account ~= '' then
    redis.call('DEL', key)
    return {}, 0, 0
  end
  redis.call('HSET', key, 'account', account)
  held.account = account
  return held, count, 1
end`;

/**
 * Many questions, one after the other. One that fails stops none of the others, and is told as the text of its
 * failure. KEYS: for each the group, the former one and the telemetry id. ARGV: now, own writer, the beginning
 * of fresh names; then for each the name that is known, the slot, the account. Told: the generation, the
 * step-up, and whether the account is new.
 */
export const FIND = `${GENERATION}
${HASHES}
${OWNER}
local function find(first, place)
  local key, known, slot, account = KEYS[first + 2], ARGV[place], ARGV[place + 1], ARGV[place + 2]
  local found = generation(KEYS[first], KEYS[first + 1], ARGV[1], known, ARGV[3] .. '-' .. place, ARGV[2], false)
  local held, _, is_new = own(key, account)
  return { found, held[slot] or false, is_new }
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
 * one, the slot, the account, the step-up, its life. A later one of the same slot stays. Told: the generation.
 */
export const ADD = `${GENERATION}
${HASHES}
${OWNER}
local key, slot, account, step_up = KEYS[3], ARGV[5], ARGV[6], ARGV[7]
local found = generation(KEYS[1], KEYS[2], ARGV[1], ARGV[3], ARGV[4], ARGV[2], true)
local held, count = own(key, account)
if time(held[slot]) > time(step_up) then return found end
if not held[slot] and count > ${STEP_UPS_MAX} then
  local oldest
  for field, value in pairs(held) do
    if field ~= 'account' and (not oldest or time(value) < time(held[oldest])) then oldest = field end
  end
  if time(held[oldest]) > time(step_up) then return found end
  held[oldest] = nil
  held[slot] = step_up
  replace(key, held)
else redis.call('HSET', key, 'account', held.account or account, slot, step_up) end
prolong(key, ARGV[8])
return found`;

/**
 * Notes a telemetry id under a part of its subject. KEYS: the index. ARGV: now, the telemetry id, the life of
 * its step-up, how many it may hold. Told: those that are too many, the oldest.
 */
export const NOTE = `${HASHES}
redis.call('HSET', KEYS[1], ARGV[2], ARGV[1])
prolong(KEYS[1], ARGV[3])
local held, count = read(KEYS[1])
local names = {}
if count <= tonumber(ARGV[4]) then return names end
for name in pairs(held) do names[#names + 1] = name end
table.sort(names, function(left, right)
  if time(held[left]) == time(held[right]) then return left < right end
  return time(held[left]) < time(held[right])
end)
local surplus = {}
for i = 1, count - tonumber(ARGV[4]) do surplus[i] = names[i] end
return surplus`;

/** KEYS: the index. ARGV: telemetry ids that it no longer names. */
export const DROP = `${HASHES}
local held = read(KEYS[1])
for _, name in ipairs(ARGV) do held[name] = nil end
replace(KEYS[1], held)
return 1`;
