import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';

/**
 * `WRITE state, texts, expected version, known version, revision, state, n, n hashes, (hash, text)…`: writes the
 * state as far as nobody did since it was read, removes the texts of the hashes and adds the others. The version
 * is a time in milliseconds, and above all that is known, so that it tells what is later also where the store has
 * lost all. An empty revision is to be the version. Returns both, or nothing where somebody was faster.
 */
const WRITE = `
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version ~= ARGV[1] then return {} end
local time = redis.call('TIME')
local next = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
next = math.max(next, (tonumber(version) or 0) + 1, (tonumber(ARGV[2]) or 0) + 1)
local written = string.format('%.0f', next)
local revision = ARGV[3] == '' and written or ARGV[3]
local dropped = tonumber(ARGV[5])
for place = 6, 5 + dropped do redis.call('HDEL', KEYS[2], ARGV[place]) end
for place = 6 + dropped, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[place], ARGV[place + 1]) end
redis.call('HSET', KEYS[1], 'version', written, 'revision', revision, 'state', ARGV[4])
return {written, revision}
`;

/** `LOOK state, texts`: the version, how many texts there are, and the time in milliseconds. */
const LOOK = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return {redis.call('HGET', KEYS[1], 'version') or '', redis.call('HLEN', KEYS[2]), now}
`;

/** The commands of what is in force. */
type PolicyScripts = {
  writePolicies(state: string, texts: string, ...values: (string | number)[]): Promise<string[]>;
  lookAtPolicies(state: string, texts: string): Promise<[version: string, texts: number, nowMs: number]>;
};

/** A client that has them. */
export function withPolicyScripts({ client }: RedisHandle): RedisHandle['client'] & PolicyScripts {
  return withScripts<PolicyScripts>(client, {
    writePolicies: { numberOfKeys: 2, lua: WRITE },
    lookAtPolicies: { numberOfKeys: 2, lua: LOOK },
  });
}
