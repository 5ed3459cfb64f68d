import type { RedisClient } from '../../redis/connection.ts';
import { withScripts } from '../../redis/scripts.ts';

/**
 * Appends a batch to the stream of an hour, indexes and counts it, all at once or not at all. A batch that
 * the writer has appended before is not appended again. The server's own clock ends an hour: afterwards
 * nothing is appended to it, so that who has read it to its end may go on to the next. What comes early by
 * the clock of this server is indexed at the beginning of its hour: nobody looks for it before that. KEYS:
 * records, index, changes, writers, earliest, hour counts, minute counts, five-minute counts. ARGV: end of
 * the hour, writer, batch, records kept, expiry of records, of hour counts, of shorter counts, earliest
 * decision, the records as lines, the index names of each as lines with spaces between, a new change, then
 * the number of counted minutes, then for each its time, the number of counts and these as name and number.
 */
const APPEND = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HGET', KEYS[4], ARGV[2])
if known and tonumber(known) >= tonumber(ARGV[3]) then return {'kept', now} end
if now >= tonumber(ARGV[1]) then return {'over', now} end
if now < tonumber(ARGV[1]) - 3605000 then return {'early', now} end
local last
local beginning = tonumber(ARGV[1]) - 3600000
local names = ARGV[10]:gmatch('([^\\n]*)\\n')
for record in ARGV[9]:gmatch('([^\\n]+)\\n') do
  local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'r', record)
  local ms, sequence = id:match('^(%d+)-(%d+)$')
  local minute = math.max(tonumber(ms) - tonumber(ms) % 60000, beginning)
  local index = KEYS[2] .. string.format('%d', minute)
  for name in names():gmatch('%S+') do redis.call('ZADD', index, 0, name .. ':' .. id) end
  if index ~= last then
    redis.call('PEXPIREAT', index, ARGV[5])
    last = index
  end
end
local minutes = tonumber(ARGV[12])
local at = 13
for _ = 1, minutes do
  local minute = KEYS[7] .. ARGV[at]
  local five = KEYS[8] .. string.format('%d', tonumber(ARGV[at]) - tonumber(ARGV[at]) % 300000)
  local counts = tonumber(ARGV[at + 1])
  at = at + 2
  for _ = 1, counts do
    redis.call('HINCRBY', minute, ARGV[at], ARGV[at + 1])
    redis.call('HINCRBY', five, ARGV[at], ARGV[at + 1])
    redis.call('HINCRBY', KEYS[6], ARGV[at], ARGV[at + 1])
    at = at + 2
  end
  redis.call('PEXPIREAT', minute, ARGV[7])
  redis.call('PEXPIREAT', five, ARGV[7])
end
local earliest = redis.call('GET', KEYS[5])
if ARGV[8] ~= '' and (not earliest or tonumber(earliest) > tonumber(ARGV[8])) then
  redis.call('SET', KEYS[5], ARGV[8])
end
redis.call('HSET', KEYS[4], ARGV[2], ARGV[3])
redis.call('SET', KEYS[3], ARGV[11])
redis.call('PEXPIREAT', KEYS[6], ARGV[6])
redis.call('PEXPIREAT', KEYS[3], string.format('%d', math.max(tonumber(ARGV[5]), tonumber(ARGV[6]))))
for _, key in ipairs({KEYS[1], KEYS[4], KEYS[5]}) do redis.call('PEXPIREAT', key, ARGV[5]) end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if first and redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  local minute = tonumber(first[1]:match('^(%d+)'))
  minute = minute - minute % 60000
  for gone = minute - 600000, minute - 60000, 60000 do
    redis.call('UNLINK', KEYS[2] .. string.format('%d', gone))
  end
end
return {'kept', now}`;

/**
 * Entries of one stream from an id on, and whether its hour is over. KEYS: records. ARGV: end of the hour,
 * id, most.
 */
const READ = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local entries = redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])
return {now >= tonumber(ARGV[1]) and 1 or 0, entries}`;

/**
 * Replaces the labels of a decision unless somebody else has. KEYS: labels, changes, hour counts, minute
 * counts, five-minute counts. ARGV: id, the labels as they were read, the new ones, expiry of records, of
 * hour counts, of shorter counts, a new change, then names and numbers of counts.
 */
const LABEL = `
local held = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if held ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[4])
for at = 8, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[3], ARGV[at], ARGV[at + 1])
  redis.call('HINCRBY', KEYS[4], ARGV[at], ARGV[at + 1])
  redis.call('HINCRBY', KEYS[5], ARGV[at], ARGV[at + 1])
end
redis.call('PEXPIREAT', KEYS[3], ARGV[5])
redis.call('PEXPIREAT', KEYS[4], ARGV[6])
redis.call('PEXPIREAT', KEYS[5], ARGV[6])
redis.call('SET', KEYS[2], ARGV[7])
redis.call('PEXPIREAT', KEYS[2], string.format('%d', math.max(tonumber(ARGV[4]), tonumber(ARGV[5]))))
return 1`;

/** One entry of a stream: its id, and its fields as names and values by turns. */
export type StreamEntry = [id: string, fields: string[]];

/** A Redis client with the scripts of the decision log. */
export type DecisionRedis = RedisClient & DecisionScripts;

type DecisionScripts = {
  appendDecisions(...keysAndArguments: (string | Buffer)[]): Promise<[status: string, nowMs: number]>;
  readDecisions(
    records: string,
    endMs: string,
    fromId: string,
    limit: string,
  ): Promise<[isOver: number, entries: StreamEntry[]]>;
  labelDecision(...keysAndArguments: string[]): Promise<number>;
};

/** Adds the scripts of the decision log to a connection. */
export function withDecisionScripts(redis: RedisClient): DecisionRedis {
  return withScripts<DecisionScripts>(redis, {
    appendDecisions: { numberOfKeys: 8, lua: APPEND },
    readDecisions: { numberOfKeys: 1, lua: READ },
    labelDecision: { numberOfKeys: 5, lua: LABEL },
  });
}
