import { ACCOUNT_FIELD, DEVICE_FIELD_PREFIX } from '../../domain/custody.ts';
import { GENERATION } from '../redis/generation-script.ts';

/** How a use compares with the holder, as bits of one number. */
export const FIT = { isBoundElsewhere: 1, omitsDevice: 2, omitsAccount: 4 } as const;
/**
 * domain/custody.ts in one step of Redis, which runs scripts one after the other. A binding is a hash:
 * `first` (Unix ms), `uses`, `kept` (1, or absent), `expires` (Unix ms, once known) and the fields of the
 * user. One telemetry id has a binding under each hash key that is known; together they are one, and each
 * use of the holder makes them alike, so that replicas with one key in common agree. The first write of a use
 * comes after everything that can fail on a value of another type, and a Redis that lacks memory refuses it
 * before the first write of the script: so each use is all or nothing.
 */
const USE_ONE = `
local function is_device(field) return field:find('${DEVICE_FIELD_PREFIX}', 1, true) == 1 end
local function is_account(field) return field == '${ACCOUNT_FIELD}' end
local function bit(fact, value) return fact and value or 0 end
local function use(group, former, known, unused, bindings)
  local uses, first, kept, expires, left = 0, nil, false, false, 0
  local holds_device, holds_account = false, false
  for _, binding in ipairs(bindings) do
    local flat = redis.call('HGETALL', binding.key)
    for i = 1, #flat, 2 do
      binding.held[flat[i]] = flat[i + 1]
      holds_device = holds_device or is_device(flat[i])
      holds_account = holds_account or is_account(flat[i])
    end
    binding.exists = #flat > 0
    if binding.exists then
      local held = binding.held
      uses = math.max(uses, tonumber(held.uses) or 0)
      if not first or (tonumber(first) and (tonumber(held.first) or 0) < tonumber(first)) then first = held.first end
      kept = kept or held.kept
      expires = expires or held.expires
      if #bindings > 1 then left = math.max(left, redis.call('PTTL', binding.key)) end
    end
  end
  local elsewhere, names_device, names_account, common, common_device = false, false, false, false, false
  for _, binding in ipairs(bindings) do
    for i = binding.from, binding.to, 2 do
      local device = is_device(ARGV[i])
      names_device = names_device or device
      names_account = names_account or is_account(ARGV[i])
      local bound = binding.held[ARGV[i]]
      if bound then
        common = true
        common_device = common_device or device
        elsewhere = elsewhere or bound ~= ARGV[i + 1]
      end
    end
  end
  elsewhere = elsewhere or (holds_device and names_device and not common_device)
  local holders = not elsewhere and (common or not (holds_device or holds_account))
  local fit = bit(elsewhere, ${FIT.isBoundElsewhere}) + bit(holds_device and not names_device, ${FIT.omitsDevice})
    + bit(holds_account and not names_account, ${FIT.omitsAccount})
  local found = generation(group, former, now, known, unused, own, true)
  uses, first = uses + 1, first or now
  for _, binding in ipairs(bindings) do
    if binding.exists or holders then
      local held, fresh = binding.held, { 'uses', uses }
      local function put(field, value)
        if value and not held[field] then
          fresh[#fresh + 1] = field
          fresh[#fresh + 1] = value
        end
      end
      put('first', first)
      put('kept', kept)
      put('expires', expires)
      for i = binding.from, holders and binding.to or 0, 2 do put(ARGV[i], ARGV[i + 1]) end
      redis.call('HSET', binding.key, unpack(fresh))
      local life = math.max(left, kept and full or brief)
      if redis.call('PTTL', binding.key) < life then redis.call('PEXPIRE', binding.key, life) end
    end
  end
  return { uses, first, fit, bit(kept, 1), expires or false, found }
end`;

/**
 * Many uses, one after the other. One that fails stops none of the others, and is told as the text of its
 * failure. KEYS: for each use the group, the former one, its bindings. ARGV: now, brief life, full life, own
 * writer, the beginning of fresh names; then for each use the name that is known, the number of its bindings,
 * and for each of them the number of values that follow, and its fields and values.
 */
export const USE = `${GENERATION}
local now, brief, full, own = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
${USE_ONE}
local told, at, place = {}, 6, 1
while place < #KEYS do
  local known, last, bindings = ARGV[at], place + 1 + tonumber(ARGV[at + 1]), {}
  at = at + 2
  for i = place + 2, last do
    local binding = { key = KEYS[i], held = {}, from = at + 1, to = at + tonumber(ARGV[at]) }
    bindings[#bindings + 1] = binding
    at = binding.to + 1
  end
  local is_done, said = pcall(use, KEYS[place], KEYS[place + 1], known, ARGV[5] .. '-' .. place, bindings)
  if not is_done then said = type(said) == 'table' and said.err or tostring(said) end
  told[#told + 1] = said
  place = last + 1
end
return told`;

/** KEYS: the bindings. ARGV: the life from now on, when the id expires or nothing. */
export const KEEP = `
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then
    redis.call('HSET', key, 'kept', 1)
    if ARGV[2] ~= '' then redis.call('HSET', key, 'expires', ARGV[2]) end
    if redis.call('PTTL', key) < tonumber(ARGV[1]) then redis.call('PEXPIRE', key, ARGV[1]) end
  end
end
return 1`;
