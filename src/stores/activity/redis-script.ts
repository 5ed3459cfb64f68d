import {
  ACTIVITY_PARTS,
  type ActivityPart,
  DISTINCT_MAX,
  KEPT_KINDS,
  SEEN_KINDS,
  WINDOW_SECONDS_MAX,
} from '../../domain/activity/activity-parts.ts';
import { ACTIVITY_LIFE_SECONDS } from '../../domain/activity/activity-signals.ts';
import { REVOKED } from '../../domain/activity/activity-state.ts';
import { GENERATION } from '../redis/generation-script.ts';
import {
  COMPACT_AT_MIN,
  HEADER_BYTES,
  LAYOUT,
  NAME_BYTES,
  PAIRS_MASKS,
  VALUE_BYTES,
} from './activity-codec.ts';
import { COUNT_ALL } from './redis-count-script.ts';

const KINDS = SEEN_KINDS.length;
/** As kinds count in the script. */
const PLACES = SEEN_KINDS.indexOf('places') + 1;
/** As acceptances are numbered; nothing is 0. */
export const [ACCEPTS, REVOKES, ACCEPTS_LATE] = [1, 2, 3];
/** How a change is made: nobody asks, its state is asked for, and nobody asks and no other writer is known. */
export const [IS_MADE, IS_ASKED, IS_MADE_ALONE] = [0, 1, 2];
/** Where the numbers of a value stand in it. */
const [LAST, FIRST, WHEN] = [NAME_BYTES, NAME_BYTES + 4, NAME_BYTES + 8];
/** A text for each part, as a list of Lua. */
const eachPart = (textOf: (part: ActivityPart) => string | number): string =>
  ACTIVITY_PARTS.map((part) => `'${textOf(part)}'`).join(', ');
/** A letter for each kind: y where it is kept of the part. */
const keptOf = (part: ActivityPart): string =>
  SEEN_KINDS.map((_, kind) => (KEPT_KINDS[part].includes(kind) ? 'y' : 'n')).join('');

/** Whether a value stays accepted, or revoked, as it is. What is late does not undo what may have come after it. */
const IS_KEPT = `
local function is_kept(when)
  if accepted == ${ACCEPTS_LATE} and when == ${REVOKED} then return true end
  return accepted == 0 or accepted ~= ${REVOKES} and when >= now
end`;

/** The values of one kind as a text of their own, where the oldest of them has had its time. */
const SEE_IN_LIST = `
local function make_room(values, width)
  local has_gap = values:sub(1, ${NAME_BYTES}) == no_name
  if #values < (${DISTINCT_MAX} + (has_gap and 1 or 0)) * width then return values end
  local dropped = has_gap and width or 0
  local last = values:sub(dropped + ${NAME_BYTES + 1}, dropped + ${NAME_BYTES + 4})
  local unpaired = width > ${VALUE_BYTES.plain} and ('\\0'):rep(8) or ''
  return no_name .. last .. unpaired .. values:sub(dropped + width + 1)
end
local function see_in_list(values, width, name)
  while values ~= '' and unpack_at('>I4', values, ${1 + LAST}) <= now - ${WINDOW_SECONDS_MAX} do values = values:sub(width + 1) end
  local at = place_of(values, 1, #values, width, name)
  local last, first, when = now, now, 0
  if at then
    last = math.max(now, unpack_at('>I4', values, at + ${LAST}))
    if width > ${VALUE_BYTES.plain} then first, when = unpack_at('>I4I4', values, at + ${FIRST}) end
    values = values:sub(1, at - 1) .. values:sub(at + width)
  else values = make_room(values, width) end
  if not is_kept(when) then when = accepted == ${REVOKES} and ${REVOKED} or now end
  values = values .. name .. pack('>I4', last)
  if width > ${VALUE_BYTES.plain} then values = values .. pack('>I4I4', first, when) end
  return values
end`;

/**
 * One value, from `from` to `to` of what is held. The value that was seen last stands last: where it is seen
 * again, as most are, two numbers of it change. True where the kind has another number of values than before.
 */
const SEE = `
local function see_again(at, last, width)
  if last < now then replace(at + ${LAST}, at + ${FIRST - 1}, now_bytes) end
  if accepted == 0 or width == ${VALUE_BYTES.plain} then return end
  if not is_kept(unpack_at('>I4', held, at + ${WHEN})) then replace(at + ${WHEN}, at + ${VALUE_BYTES.paired - 1}, when_bytes) end
end
local function move_to_end(at, to, width, name)
  local last, first, when = unpack_at(width == ${VALUE_BYTES.plain} and '>I4' or '>I4I4I4', held, at + ${LAST})
  local bytes = name .. (last < now and now_bytes or held:sub(at + ${LAST}, at + ${FIRST - 1}))
  if width > ${VALUE_BYTES.plain} then
    bytes = bytes .. pack('>I4', first) .. (is_kept(when) and pack('>I4', when) or when_bytes)
  end
  replace(at, at + width - 1, '')
  replace(to + 1, to, bytes)
end
local function add_value(kind, from, to, width, name)
  local number = (to - from + 1) / width
  local has_gap = number >= ${DISTINCT_MAX} and held:sub(from, from + ${NAME_BYTES - 1}) == no_name
  local is_full = number >= ${DISTINCT_MAX} + (has_gap and 1 or 0)
  if is_full and has_gap then
    local dropped_at = from + width
    replace(from + ${LAST}, from + ${FIRST - 1}, held:sub(dropped_at + ${LAST}, dropped_at + ${FIRST - 1}))
    replace(dropped_at, dropped_at + width - 1, '')
  elseif is_full then
    replace(from, from + ${NAME_BYTES - 1}, no_name)
    if width > ${VALUE_BYTES.plain} then replace(from + ${FIRST}, from + ${VALUE_BYTES.paired - 1}, no_bytes .. no_bytes) end
  end
  replace(to + 1, to, name .. now_bytes .. (width > ${VALUE_BYTES.plain} and now_bytes .. when_bytes or ''))
  if is_full and has_gap then return end
  lengths[kind] = lengths[kind] + 1
  return true
end
local function see(kind, from, to, width, name)
  local last_at = to - width + 1
  local oldest = last_at >= from and unpack_at('>I4', held, from + ${LAST}) or now
  local is_last = last_at >= from and held:sub(last_at, last_at + ${NAME_BYTES - 1}) == name
  if is_last and oldest > now - ${WINDOW_SECONDS_MAX} then
    return see_again(last_at, last_at == from and oldest or unpack_at('>I4', held, last_at + ${LAST}), width)
  end
  local at = is_last and last_at or last_at > from and place_of(held, from, to, width, name)
  if not at and accepted == ${REVOKES} and kind == ${PLACES} then return end
  if oldest <= now - ${WINDOW_SECONDS_MAX} then
    local values = see_in_list(held:sub(from, to), width, name)
    replace(from, to, values)
    lengths[kind] = #values / width
    return true
  end
  if at then return move_to_end(at, to, width, name) end
  return add_value(kind, from, to, width, name)
end`;

/**
 * domain/activity/activity-state.ts on the bytes of activity-codec.ts, in one step of Redis. What stays as it
 * is goes from what is held to what is kept in runs as long as possible: each text that Lua makes costs as
 * much as all else that is done with a value.
 */
const CHANGE_ONE = `
local pack = struct.pack
local unpack_at = struct.unpack
local now, now_bytes, accepted, when_bytes, held, lengths
local pieces, size, kept_to = {}, 0, 0
local function replace(from, to, bytes)
  if from > kept_to + 1 then
    size = size + 1
    pieces[size] = held:sub(kept_to + 1, from - 1)
  end
  size = size + 1
  pieces[size], kept_to = bytes, to
end
local function place_of(values, from, to, width, name)
  local at = values:find(name, from, true)
  while at and at <= to and (at - from) % width ~= 0 do at = values:find(name, at + 1, true) end
  return at and at <= to and at
end
${IS_KEPT}
${SEE_IN_LIST}
${SEE}
${COUNT_ALL}
local widths_by_mask = {}
local function widths_of(mask)
  local widths = widths_by_mask[mask]
  if widths then return widths end
  widths = {}
  for kind = 1, ${KINDS} do
    local is_paired = math.floor(mask / 2 ^ (kind - 1)) % 2 == 1
    widths[kind] = is_paired and ${VALUE_BYTES.paired} or ${VALUE_BYTES.plain}
  end
  widths_by_mask[mask] = widths
  return widths
end
local lives = { ${eachPart((part) => ACTIVITY_LIFE_SECONDS[part] * 1000)} }
local masks = { ${eachPart((part) => PAIRS_MASKS[part])} }
local kept_kinds = { ${eachPart(keptOf)} }
local function change(key, part, names, measures, first, last)
  held = redis.call('GET', key)
  local is_new = not held
  if is_new then
    held = pack('>BI4I4I2${'B'.repeat(KINDS + 1)}', ${LAYOUT}, now, 0, ${COMPACT_AT_MIN}, ${'0, '.repeat(KINDS)}masks[part])
  elseif #held < ${HEADER_BYTES} or held:byte(1) ~= ${LAYOUT} then error('no activity') end
  lengths = { held:byte(12, ${HEADER_BYTES}) }
  size, kept_to = 0, 0
  local widths, kept, at, has_other_lengths = widths_of(lengths[${KINDS + 1}]), kept_kinds[part], ${HEADER_BYTES + 1}, false
  for kind = 1, ${KINDS} do
    local width = widths[kind]
    local to = at + lengths[kind] * width - 1
    if to > #held then error('no activity') end
    local name = names[kind]
    if name and kept:byte(kind) == ${'y'.charCodeAt(0)} and see(kind, at, to, width, name) then
      has_other_lengths = true
    end
    at = to + 1
  end
  local compact_at = first <= last and count_all(at, measures, first, last)
  local bytes = held
  if size > 0 then
    replace(#held + 1, #held, '')
    bytes = table.concat(pieces, '', 1, size)
  end
  if has_other_lengths or compact_at then
    compact_at = compact_at and pack('>I2', compact_at) or held:sub(10, 11)
    bytes = held:sub(1, 9) .. compact_at .. string.char(unpack(lengths)) .. bytes:sub(${HEADER_BYTES + 1})
  end
  redis.call('SET', key, bytes, 'PX', lives[part])
  return bytes
end`;

/**
 * Many changes, one after the other; one that fails stops none of the others. KEYS: for each the entity and its
 * group, and the former group where no generation is known. ARGV: Unix milliseconds, own writer, the beginning
 * of fresh names, and two lists in JSON: one text, since each argument is work for client and server. The first
 * holds the names of the values of all requests, one for each kind and 0 for none. The second holds for each
 * change the Unix seconds, the number of its part, its acceptance (ACCEPTS…, 0 for none), how it is made
 * (IS_ASKED…), which request's values it has, what the group is known to begin with (its name first, empty where
 * nothing is known), what is found of the group where nothing has changed (empty where that follows from how it
 * is made), how many measures there are, and these. The group is written only where nobody asks. Told: for each
 * its bytes, 0 where nobody asked; where the group is not as known a list of that and of what was found; where
 * it failed a list of the text of its failure.
 */
export const CHANGE = `${GENERATION}
local no_name, no_bytes, revoked_bytes = ('\\0'):rep(${NAME_BYTES}), ('\\0'):rep(4), ('\\0'):rep(3) .. '\\${REVOKED}'
${CHANGE_ONE}
local now_ms, own, own_entry = ARGV[1], ARGV[2], ARGV[2] .. '='
local now_number = tonumber(now_ms)
local all_names, changes = unpack(cjson.decode(ARGV[4]))
local names_by_request = {}
local function names_of(request)
  local names = names_by_request[request]
  if names then return names end
  names = {}
  for kind = 1, ${KINDS} do
    local name = all_names[request * ${KINDS} + kind]
    names[kind] = name ~= 0 and pack('>I${NAME_BYTES}', name)
  end
  names_by_request[request] = names
  return names
end
local function is_as_known(group, how, begins)
  local found = redis.call('GET', group)
  if not found then return false end
  local is_same = found:find(begins, 1, true) == 1
  if how == ${IS_ASKED} then
    return is_same and found:byte(#begins + 1) ~= ${'~'.charCodeAt(0)} or found .. ' ' == begins
  end
  local entry_at = #begins + 1
  if not is_same or found:find(own_entry, entry_at, true) ~= entry_at then return false end
  local until_ms = tonumber(found:sub(entry_at + #own_entry))
  return until_ms and until_ms > now_number
end
local function take(place, key_at, first, last, seconds, part, acceptance, how, request, begins, text)
  local group, former = KEYS[key_at + 1], begins == '' and KEYS[key_at + 2]
  if now ~= seconds then now, now_bytes = seconds, pack('>I4', seconds) end
  accepted = acceptance
  when_bytes = accepted == ${REVOKES} and revoked_bytes or accepted == 0 and no_bytes or now_bytes
  local found = how ~= ${IS_MADE} and begins ~= '' and is_as_known(group, how, begins)
  if not found then
    local known, fresh = begins:match('^%S*'), ARGV[3] .. '-' .. place
    found = generation(group, former, now_ms, known, fresh, own, how ~= ${IS_ASKED})
    if how ~= ${IS_ASKED} and found == text then found = true end
  end
  local bytes = change(KEYS[key_at], part, names_of(request), changes, first, last)
  if how ~= ${IS_ASKED} then bytes = 0 end
  return found == true and bytes or { bytes, found }
end
local told, at, key_at, length = {}, 1, 1, #changes
while at < length do
  local place, first = #told + 1, at + 8
  local last = first + changes[at + 7] - 1
  local is_done, said = pcall(take, place, key_at, first, last, unpack(changes, at, at + 6))
  told[place] = is_done and said or { type(said) == 'table' and said.err or tostring(said) }
  key_at = key_at + (changes[at + 5] == '' and 3 or 2)
  at = last + 1
end
return told`;
