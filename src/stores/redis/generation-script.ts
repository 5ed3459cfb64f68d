/**
 * An own entry among the writers says this much more than now, so that a group is not written with every use.
 */
const WRITER_STEP_MS = 1_000;
/** No entry outlives its latest use by more, so nothing is to be missed of who wrote before. */
const WRITER_LIFE_MS = 366 * 86_400_000;

/**
 * `generation(key, former, now, known, fresh, own, writes, gap)` reads what is kept of a group, `<name> <lost>
 * ~<gap> <writer>=<until>…`, and returns in one text the name, when older entries were missed, until when others
 * wrote of whom no key is known here, until when others had another first key, the gap, and until when those
 * wrote whose first key is not known here, with that key.
 * The text is empty for what is no generation. A writer is the ids of the hash keys that its entries are
 * kept under, joined by `+`. It writes only where entries are, or where nothing was kept yet. A generation
 * that has noted a loss keeps its time: a replica that notices later must not put newer ids in doubt. A group
 * of the former layout beside a new one is a loss: its bindings are not read. The gap is until when changes of
 * activity were lost on their way here: it is there where it is not 0, and a later one takes its place. Most
 * groups have one writer that is there already: then nothing changes, and little is read.
 */
export const GENERATION = `
local function shares(writer, own)
  for id in own:gmatch('[^+]+') do
    if ('+' .. writer .. '+'):find('+' .. id .. '+', 1, true) then return true end
  end
  return false
end
local function only_own_until(writers, own)
  local is_only = writers:sub(1, #own + 1) == own .. '=' and writers:find(' ', 1, true) == #writers
  return is_only and tonumber(writers:sub(#own + 2))
end
local function generation(key, former, now, known, fresh, own, writes, gap)
  local held = redis.call('GET', key)
  local name, lost, writers = fresh, '0', ''
  if held then
    name, lost, writers = (held .. ' '):match('^(%S+) (%d+) (.*)$')
    if not name then return '' end
    local until_only = not gap and (name == known or lost ~= '0') and only_own_until(writers, own)
    if until_only and (not writes or until_only > tonumber(now)) then return name .. ' ' .. lost .. ' 0 0 0 0 ' end
    if known ~= '' and name ~= known and lost == '0' then lost = now end
  elseif known ~= '' or redis.call('EXISTS', former) == 1 then lost = now end
  local held_gap = writers:match('^~(%d+)') or '0'
  if tonumber(gap or 0) > tonumber(held_gap) then held_gap = gap end
  local foreign, changed, strange, strange_id, until_own, rest = 0, 0, 0, '', 0, ''
  for writer, at in writers:gmatch('(%S+)=(%d+)') do
    local ms = tonumber(at)
    if writer == own then until_own = ms
    elseif ms + ${WRITER_LIFE_MS} > tonumber(now) then
      rest = rest .. ' ' .. writer .. '=' .. at
      local first = writer:match('^[^+]+')
      if not shares(writer, own) then foreign = math.max(foreign, ms) end
      if first ~= own:match('^[^+]+') then changed = math.max(changed, ms) end
      if not shares(first, own) and ms > strange then strange, strange_id = ms, first end
    end
  end
  if writes and until_own <= tonumber(now) then until_own = tonumber(now) + ${WRITER_STEP_MS} end
  if until_own > 0 then rest = rest .. ' ' .. own .. '=' .. string.format('%.0f', until_own) end
  local kept = name .. ' ' .. lost .. (held_gap == '0' and '' or ' ~' .. held_gap) .. rest
  if kept ~= held then redis.call('SET', key, kept) end
  return string.format('%s %s %.0f %.0f %s %.0f %s', name, lost, foreign, changed, held_gap, strange, strange_id)
end`;

/** KEYS: the group, the former one. ARGV: now, the name that is known, a fresh one, own writer, the gap. */
export const LOOK = `${GENERATION}
return generation(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4], false, ARGV[5])`;
