import { STEP_UP_SECONDS_MAX, STEP_UPS_MAX } from '../../domain/step-up/step-up.ts';
import { GENERATION } from '../redis/generation-script.ts';

/**
 * Hashes are read whole, which are small: so the scripts need no right that custody does not need. `time` is
 * what a step-up begins with, `told` what it ends with where that was ahead of the clock; `replace` writes a hash
 * again with the life that it has left.
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
local function told(text) return tonumber(text:match('^%d+ %S* %S* (%d+)$')) or time(text) end
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
 * Up to which time step-ups are void is a text, Unix milliseconds, which only grows. What is no number fails the
 * script.
 */
const VOIDS = `
local function void_until(key) return tonumber(redis.call('GET', key) or 0) end
local function note_void(key, at)
  if tonumber(at) > void_until(key) then
    redis.call('SET', key, string.format('%.0f', at), 'PX', ${STEP_UP_SECONDS_MAX * 1000})
  end
end
local function end_all(key, void_key, held, at)
  at = tonumber(at)
  for field, text in pairs(held) do
    if field ~= 'account' then at = math.max(at, told(text)) end
  end
  note_void(void_key, at)
  redis.call('DEL', key)
end`;

/**
 * The step-ups of one telemetry id are a hash: `account`, empty until one was given, and for each slot of its
 * subjects `<Unix ms> <method> <acr>`, with the time that was told behind it where that was ahead. An account that
 * is not the one held ends all of them: told again, they are void.
 */
const OWNER = `
local function own(key, void_key, account)
  local held, count = read(key)
  if count == 0 or account == '' or held.account == account then return held, count, 0 end
  if held.account ~= '' then
    end_all(key, void_key, held, 0)
    return {}, 0, 0
  end
  redis.call('HSET', key, 'account', account)
  held.account = account
  return held, count, 1
end`;

/**
 * Many questions, one after the other. One that fails stops none of the others, and is told as the text of its
 * failure. KEYS: for each the group, the former one, the telemetry id and its void time. ARGV: now, own writer, the beginning
 * of fresh names; then for each the name that is known, the slot, the account. Told: the generation, the
 * step-up, and whether the account is new. A version that knows of no void times may have kept what is void.
 */
export const FIND = `${GENERATION}
${HASHES}
${VOIDS}
${OWNER}
local function find(first, place)
  local key, void_key = KEYS[first + 2], KEYS[first + 3]
  local known, slot, account = ARGV[place], ARGV[place + 1], ARGV[place + 2]
  local found = generation(KEYS[first], KEYS[first + 1], ARGV[1], known, ARGV[3] .. '-' .. place, ARGV[2], false)
  local held, _, is_new = own(key, void_key, account)
  local step_up = held[slot]
  local ms = step_up and told(step_up) or 0
  if ms > 0 and ms <= void_until(void_key) then step_up = false end
  return { found, step_up or false, is_new }
end
local answers = {}
for i = 1, #KEYS / 4 do
  local is_done, said = pcall(find, 4 * i - 3, 3 * i + 1)
  if not is_done then said = type(said) == 'table' and said.err or tostring(said) end
  answers[i] = said
end
return answers`;

/**
 * KEYS: the group, the former one, the telemetry id and its void time. ARGV: now, own writer, the name that is
 * known, a fresh one, the slot, the account, the step-up, its life. A later one of the same slot stays. Told: the
 * generation, and 1 where the step-up is void: up to a loss it is not known what was.
 */
export const ADD = `${GENERATION}
${HASHES}
${VOIDS}
${OWNER}
local key, void_key, slot, account, step_up = KEYS[3], KEYS[4], ARGV[5], ARGV[6], ARGV[7]
local found = generation(KEYS[1], KEYS[2], ARGV[1], ARGV[3], ARGV[4], ARGV[2], true)
if found == '' then return { found, 1 } end
local held, count = own(key, void_key, account)
local lost = tonumber(found:match('^%S+ (%d+)'))
if told(step_up) <= math.max(lost, void_until(void_key)) then return { found, 1 } end
if time(held[slot]) > time(step_up) then return { found, 0 } end
if not held[slot] and count > ${STEP_UPS_MAX} then
  local oldest
  for field, value in pairs(held) do
    if field ~= 'account' and (not oldest or time(value) < time(held[oldest])) then oldest = field end
  end
  if time(held[oldest]) > time(step_up) then return { found, 0 } end
  held[oldest] = nil
  held[slot] = step_up
  replace(key, held)
else redis.call('HSET', key, 'account', held.account or account, slot, step_up) end
prolong(key, ARGV[8])
return { found, 0 }`;

/**
 * Ends the step-ups of a telemetry id. KEYS: the telemetry id and its void time. ARGV: up to when they are void;
 * empty notes nothing.
 * Told: 1 where there were any. What is no hash has none, and goes too.
 */
export const END = `${HASHES}
${VOIDS}
local is_read, held, count = pcall(read, KEYS[1])
if not is_read then held, count = {}, 1 end
if ARGV[1] == '' then redis.call('DEL', KEYS[1]) else end_all(KEYS[1], KEYS[2], held, ARGV[1]) end
return count > 0 and 1 or 0`;

/** KEYS: the void time of a part. ARGV: up to when step-ups are void. */
export const MAKE_VOID = `${VOIDS}
note_void(KEYS[1], ARGV[1])
return 1`;

/** KEYS: a void time. Told: it, as a text. A key that is not there is told from no answer. */
export const VOID_UNTIL = `return redis.call('GET', KEYS[1]) or '0'`;

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
