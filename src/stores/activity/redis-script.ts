import { DISTINCT_MAX, SEEN_KINDS, WINDOW_SECONDS_MAX } from '../../domain/activity/activity-parts.ts';
import { COUNT_STEPS, REVOKED } from '../../domain/activity/activity-state.ts';
import { GENERATION } from '../redis/generation-script.ts';
import {
  COMPACT_AT_MIN,
  COUNT_BYTES,
  HEADER_BYTES,
  LAYOUT,
  NAME_BYTES,
  VALUE_BYTES,
} from './activity-codec.ts';

/** As kinds count in the script. */
const PLACES = SEEN_KINDS.indexOf('places') + 1;
const LAST_STEP = COUNT_STEPS.at(-1)?.step;
const STEPS = COUNT_STEPS.map(
  ({ age, step }, place) => `if age <= ${age} then return ${place}, ${step} end`,
).join('\n  ');

/**
 * domain/activity/activity-state.ts on the bytes of activity-codec.ts, in one step of Redis. Lists of values
 * are found and cut as texts, which costs less than a table for each.
 */
const CHANGE_ONE = `
local function u4(bytes, at)
  local a, b, c, d = bytes:byte(at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end
local function step_of(age)
  ${STEPS}
  return nil, ${LAST_STEP}
end
local function make_room(values, width)
  local has_gap = values:sub(1, ${NAME_BYTES}) == no_name
  if #values < (${DISTINCT_MAX} + (has_gap and 1 or 0)) * width then return values end
  local dropped = has_gap and width or 0
  local last = values:sub(dropped + ${NAME_BYTES + 1}, dropped + ${NAME_BYTES + 4})
  local unpaired = width > ${VALUE_BYTES.plain} and ('\\0'):rep(8) or ''
  return no_name .. last .. unpaired .. values:sub(dropped + width + 1)
end
local function has(values, width, name)
  local at = values:find(name, 1, true)
  while at and (at - 1) % width ~= 0 do at = values:find(name, at + 1, true) end
  return at
end
local function see(values, width, name, now, accepted)
  while values ~= '' and u4(values, ${NAME_BYTES + 1}) <= now - ${WINDOW_SECONDS_MAX} do values = values:sub(width + 1) end
  local at = has(values, width, name)
  local last, first, when = now, now, 0
  if at then
    last = math.max(now, u4(values, at + ${NAME_BYTES}))
    if width > ${VALUE_BYTES.plain} then first, when = u4(values, at + ${NAME_BYTES + 4}), u4(values, at + ${NAME_BYTES + 8}) end
    values = values:sub(1, at - 1) .. values:sub(at + width)
  else values = make_room(values, width) end
  if accepted == '1' then when = math.max(when, now) elseif accepted == '2' then when = ${REVOKED} end
  values = values .. name .. struct.pack('>I4', last)
  if width > ${VALUE_BYTES.plain} then values = values .. struct.pack('>I4I4', first, when) end
  return values
end
local function compact(counts, now)
  local kept, by_step = {}, {}
  for at = #counts - ${COUNT_BYTES - 1}, 1, -${COUNT_BYTES} do
    local time, measure, number = struct.unpack('>I4I2I4', counts, at)
    local place, step = step_of(now - time)
    if place then
      local key = measure .. ':' .. place .. ':' .. math.floor(time / step)
      local later = by_step[key]
      if later then later[1], later[3] = math.max(later[1], time), later[3] + number
      else
        later = { time, measure, number }
        by_step[key] = later
        kept[#kept + 1] = later
      end
    end
  end
  local bytes = {}
  for i = #kept, 1, -1 do bytes[#bytes + 1] = struct.pack('>I4I2I4', kept[i][1], kept[i][2], kept[i][3]) end
  return table.concat(bytes), math.max(${COMPACT_AT_MIN}, math.min(65535, 2 * #kept))
end
local function count(counts, measure, now)
  local from = math.max(1, #counts + 1 - 16 * ${COUNT_BYTES})
  for at = #counts - ${COUNT_BYTES - 1}, from, -${COUNT_BYTES} do
    local time, found, number = struct.unpack('>I4I2I4', counts, at)
    if math.floor(time / ${COUNT_STEPS[0].step}) ~= math.floor(now / ${COUNT_STEPS[0].step}) then break end
    if found == measure then
      return counts:sub(1, at - 1) .. struct.pack('>I4I2I4', math.max(time, now), measure, number + 1)
        .. counts:sub(at + ${COUNT_BYTES})
    end
  end
  return counts .. struct.pack('>I4I2I4', now, measure, 1)
end
local function change(key, now, life, pairs_mask, accepted, values, measures)
  local held = redis.call('GET', key)
  local first, since, compact_at, lengths = now, 0, ${COMPACT_AT_MIN}, {}
  for kind = 1, ${SEEN_KINDS.length} do lengths[kind] = 0 end
  if held then
    if #held < ${HEADER_BYTES} or held:byte(1) ~= ${LAYOUT} then error('no activity') end
    first, since, compact_at = struct.unpack('>I4I4I2', held, 2)
    lengths = { held:byte(12, ${11 + SEEN_KINDS.length}) }
    pairs_mask = held:byte(${HEADER_BYTES})
  end
  local seen, at = {}, ${HEADER_BYTES + 1}
  local function width_of(kind)
    return math.floor(pairs_mask / 2 ^ (kind - 1)) % 2 == 1 and ${VALUE_BYTES.paired} or ${VALUE_BYTES.plain}
  end
  for kind = 1, ${SEEN_KINDS.length} do
    local bytes = lengths[kind] * width_of(kind)
    seen[kind] = held and held:sub(at, at + bytes - 1) or ''
    at = at + bytes
  end
  local counts = held and held:sub(at) or ''
  for i = 1, #values, 2 do
    local kind = tonumber(values[i])
    if accepted ~= '2' or kind ~= ${PLACES} or has(seen[kind], width_of(kind), values[i + 1]) then
      seen[kind] = see(seen[kind], width_of(kind), values[i + 1], now, accepted)
    end
  end
  for i = 1, #measures do
    counts = count(counts, tonumber(measures[i]), now)
    if #counts >= compact_at * ${COUNT_BYTES} then counts, compact_at = compact(counts, now) end
  end
  local header = struct.pack('>BI4I4I2', ${LAYOUT}, first, since, compact_at)
  for kind = 1, ${SEEN_KINDS.length} do header = header .. string.char(#seen[kind] / width_of(kind)) end
  local bytes = header .. string.char(pairs_mask) .. table.concat(seen) .. counts
  redis.call('SET', key, bytes, 'PX', life)
  return bytes
end`;

/**
 * Many changes, one after the other; one that fails stops none of the others, and is told as the text of its
 * failure. KEYS: for each the entity, its group and the former group. ARGV: Unix milliseconds, own writer, the
 * beginning of fresh names; then for each the Unix seconds of the change, its life in ms, the mask of paired
 * kinds, 1 if accepted and 2 if revoked, 1 if its state is asked for, the name and the beginning of the
 * generation that is known, the number of values that follow, each as kind and name, and the number of measures
 * that follow. The group is written only where nobody waits.
 */
export const CHANGE = `${GENERATION}
local no_name = string.rep('\\0', ${NAME_BYTES})
${CHANGE_ONE}
local now_ms, own = ARGV[1], ARGV[2]
local told, at = {}, 4
local function slice(from, number)
  local part = {}
  for i = from, from + number - 1 do part[#part + 1] = ARGV[i] end
  return part
end
for place = 1, #KEYS, 3 do
  local now, life, mask = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2])
  local accepted, asked = ARGV[at + 3], ARGV[at + 4] == '1'
  local known, begins, number = ARGV[at + 5], ARGV[at + 6], tonumber(ARGV[at + 7])
  local values = slice(at + 8, 2 * number)
  at = at + 8 + 2 * number
  local measures = slice(at + 1, tonumber(ARGV[at]))
  at = at + 1 + #measures
  local is_done, said = pcall(function()
    local found = ''
    local held = asked and begins ~= '' and redis.call('GET', KEYS[place + 1])
    if held and (held .. ' '):sub(1, #begins) == begins and held:sub(#begins + 1, #begins + 1) ~= '~' then found = begins
    else found = generation(KEYS[place + 1], KEYS[place + 2], now_ms, known, ARGV[3] .. '-' .. place, own, not asked) end
    local bytes = change(KEYS[place], now, life, mask, accepted, values, measures)
    return { asked and bytes or '', found }
  end)
  if not is_done then said = type(said) == 'table' and said.err or tostring(said) end
  told[#told + 1] = said
end
return told`;
