import { COUNT_STEPS } from '../../domain/activity/activity-state.ts';
import { COMPACT_AT_MIN, COUNT_BYTES } from './activity-codec.ts';

const [{ step: MOMENT }] = COUNT_STEPS;
const LAST_STEP = COUNT_STEPS.at(-1)?.step;
const STEPS = COUNT_STEPS.map(
  ({ age, step }, place) => `if age <= ${age} then return ${place}, ${step} end`,
).join('\n  ');
/** What one count can reach into: 16 records. */
const LOOK_BACK_BYTES = 16 * COUNT_BYTES;

/**
 * Counts measures as domain/activity/activity-state.ts does, in the bytes of redis-script.ts, with the names that
 * stand before it there. The one measure of most changes is counted in place. What is returned is at how many
 * records they are put together from now on, where they were.
 */
export const COUNT_ALL = `
local function step_of(age)
  ${STEPS}
  return nil, ${LAST_STEP}
end
local function compact(counts)
  local kept, by_step = {}, {}
  for at = #counts - ${COUNT_BYTES - 1}, 1, -${COUNT_BYTES} do
    local time, measure, number = unpack_at('>I4I2I4', counts, at)
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
  for i = #kept, 1, -1 do bytes[#bytes + 1] = pack('>I4I2I4', kept[i][1], kept[i][2], kept[i][3]) end
  return table.concat(bytes), math.max(${COMPACT_AT_MIN}, math.min(65535, 2 * #kept))
end
local function place_of_count(counts, from, measure)
  local moment = math.floor(now / ${MOMENT})
  for at = #counts - ${COUNT_BYTES - 1}, math.max(from, #counts + 1 - ${LOOK_BACK_BYTES}), -${COUNT_BYTES} do
    local time, found, number = unpack_at('>I4I2I4', counts, at)
    if math.floor(time / ${MOMENT}) ~= moment then return end
    if found == measure then return at, pack('>I4I2I4', math.max(time, now), measure, number + 1) end
  end
end
local function count_in_list(counts, measure)
  local at, record = place_of_count(counts, 1, measure)
  if not at then return counts .. pack('>I4I2I4', now, measure, 1) end
  return counts:sub(1, at - 1) .. record .. counts:sub(at + ${COUNT_BYTES})
end
local function count_all(from, measures, first, last)
  local compact_at = unpack_at('>I2', held, 10) * ${COUNT_BYTES}
  if first == last and #held - from + ${1 + COUNT_BYTES} < compact_at then
    local at, record = place_of_count(held, from, measures[first])
    if at then replace(at, at + ${COUNT_BYTES - 1}, record)
    else replace(#held + 1, #held, pack('>I4I2I4', now, measures[first], 1)) end
    return
  end
  local counts, compact_again_at = held:sub(from), nil
  for i = first, last do
    counts = count_in_list(counts, measures[i])
    if #counts >= compact_at then
      counts, compact_again_at = compact(counts)
      compact_at = compact_again_at * ${COUNT_BYTES}
    end
  end
  replace(from, #held, counts)
  return compact_again_at
end`;
