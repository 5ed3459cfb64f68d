/** Changes that the stream keeps: a replica that missed more reads all entries again. */
const CHANGES_KEPT = 256;
/** For so long after the latest entry was written back others may still know more. */
const RESTORING_MS = 2_000;

/**
 * `CHANGE entries state changes, name, mode, field, at, json…` writes entries and tells them as one change.
 * `put` gives each a time after that of the entry it replaces. `later` writes only what is later than what is
 * there. So does `restore`, and says for a while that lists are being written back; `restored` is the last of
 * these. Returns the number of the change, 0 for none, and what was written, as field and text in turn. The count
 * is kept by what is added and dropped, so that entries that are lost are missed by it until they were written
 * back.
 */
export const CHANGE = `
local entries, state, changes = KEYS[1], KEYS[2], KEYS[3]
local written, added, now = {}, 0, redis.call('TIME')
if not redis.call('HGET', state, 'begun') then
  redis.call('HSET', state, 'begun', now[1] * 1000 + math.floor(now[2] / 1000))
end
for place = 3, #ARGV, 3 do
  local field, at = ARGV[place], tonumber(ARGV[place + 1])
  local held = redis.call('HGET', entries, field)
  local before = held and tonumber(held:match('^%d+')) or -1
  if ARGV[2] == 'put' and before >= at then at = before + 1 end
  if before < at then
    local text = string.format('%.0f', at) .. ' ' .. ARGV[place + 2]
    added = added + redis.call('HSET', entries, field, text)
    written[#written + 1] = field
    written[#written + 1] = text
  end
end
if ARGV[2] == 'restore' or ARGV[2] == 'restored' then
  redis.call('HSET', state, 'restoring', now[1] * 1000 + ${RESTORING_MS})
end
local number = 0
if #written > 0 then
  number = redis.call('HINCRBY', state, 'number', 1)
  redis.call('HSET', state, 'name', ARGV[1])
  local id = number .. '-0'
  local told = redis.pcall('XADD', changes, 'MAXLEN', ${CHANGES_KEPT}, id, 'name', ARGV[1], unpack(written))
  if type(told) == 'table' and told.err then
    redis.call('DEL', changes)
    redis.call('XADD', changes, id, 'name', ARGV[1], unpack(written))
  end
end
if ARGV[2] == 'put' or ARGV[2] == 'later' then
  redis.call('HINCRBY', state, 'count', added)
elseif ARGV[2] == 'restored' then
  redis.call('HSET', state, 'count', redis.call('HLEN', entries))
end
table.insert(written, 1, number)
return written
`;

/**
 * `LOOK entries state` returns the number and the name of the latest change, how many entries there should be
 * and are, for how many milliseconds lists may still be written back, and for how many this Redis has known
 * of lists at all. The number is empty where nothing was ever kept.
 */
export const LOOK = `
local held = redis.call('HMGET', KEYS[2], 'number', 'name', 'count', 'restoring', 'begun')
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
if not held[5] then redis.pcall('HSET', KEYS[2], 'begun', now_ms) end
local left = math.max(0, (tonumber(held[4] or '0') or 0) - now[1] * 1000)
local age = math.max(0, now_ms - (tonumber(held[5] or '') or now_ms))
local count = redis.call('HLEN', KEYS[1])
local left_and_age = { string.format('%.0f', left), string.format('%.0f', age) }
return {held[1] or '', held[2] or '', held[3] or '', tostring(count), unpack(left_and_age)}
`;

/**
 * `DROP entries state, field, text…` removes entries that are still the same. It is no change: every replica
 * drops by itself what is over.
 */
export const DROP = `
local dropped = 0
for place = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[place]) == ARGV[place + 1] then
    dropped = dropped + redis.call('HDEL', KEYS[1], ARGV[place])
  end
end
redis.call('HINCRBY', KEYS[2], 'count', -dropped)
return 1
`;
