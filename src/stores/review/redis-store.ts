import {
  CLAIMS_MAX,
  LEASE_MS,
  QUEUES_MAX,
  type ReviewClaim,
  type ReviewStore,
  type SavedQueue,
} from '../../application/review/review-store.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { parseJson } from '../redis/json-object.ts';
import { withScripts } from '../redis/scripts.ts';
import { savedQueueSchema } from './saved-queue.ts';

/** `PUT key, name, text`: keeps one, unless as many others are there as can be: then 0. */
const PUT = `
if not redis.call('HGET', KEYS[1], ARGV[1]) and redis.call('HLEN', KEYS[1]) >= ${QUEUES_MAX} then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`;

/** By the clock of the server, which replicas share. What is kept of a claim is its end, its holder and the name. */
const IN_FORCE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held, count, all = {}, 0, redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  local ends = tonumber(string.match(all[at + 1], '^(%d+) '))
  if ends and ends > now then
    held[all[at]] = all[at + 1]
    count = count + 1
  else
    redis.call('HDEL', KEYS[1], all[at])
  end
end
`;

/** `CLAIMS key`: ids and texts in turn. */
const CLAIMS = `${IN_FORCE}
local told = {}
for id, text in pairs(held) do
  told[#told + 1] = id
  told[#told + 1] = text
end
return told
`;

/** `CLAIM key, holder, name, id…`: ids and texts in turn, of those that are taken then. */
const CLAIM = `${IN_FORCE}
local told = {}
for at = 3, #ARGV do
  local id = ARGV[at]
  local text = held[id]
  local isOwn = text and string.match(text, '^%d+ (%x+) ') == ARGV[1]
  if isOwn or (not text and count < ${CLAIMS_MAX}) then
    if not text then count = count + 1 end
    text = string.format('%.0f %s %s', now + ${LEASE_MS}, ARGV[1], ARGV[2])
    held[id] = text
    redis.call('HSET', KEYS[1], id, text)
  end
  if text then
    told[#told + 1] = id
    told[#told + 1] = text
  end
end
redis.call('PEXPIRE', KEYS[1], ${LEASE_MS})
return told
`;

/** `RELEASE key, holder, id`: 1 where it was the holder's. */
const RELEASE = `
local text = redis.call('HGET', KEYS[1], ARGV[2])
if not text or string.match(text, '^%d+ (%x+) ') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[2])
`;

type Scripts = {
  putQueue(key: string, name: string, text: string): Promise<number>;
  reviewClaims(key: string): Promise<string[]>;
  claimReviews(key: string, holder: string, name: string, ...ids: string[]): Promise<string[]>;
  releaseReview(key: string, holder: string, id: string): Promise<number>;
};

/** Keeps reviews where every replica finds them; its owner closes the connection. */
export function createRedisReviewStore({ client, guard, keys }: RedisHandle): ReviewStore {
  const { reviewQueues, reviewClaims } = keys;
  const scripted = withScripts<Scripts>(client, {
    putQueue: { numberOfKeys: 1, lua: PUT },
    reviewClaims: { numberOfKeys: 1, lua: CLAIMS },
    claimReviews: { numberOfKeys: 1, lua: CLAIM },
    releaseReview: { numberOfKeys: 1, lua: RELEASE },
  });
  return {
    place: 'redis',
    queues: async () => {
      const texts = await guard.run(() => client.hgetall(reviewQueues));
      if (texts === null) return null;
      const found = Object.values(texts).flatMap((text) => toQueue(text) ?? []);
      return found.toSorted((left, right) => (left.name < right.name ? -1 : 1));
    },
    putQueue: async (queue) => {
      const text = JSON.stringify(queue);
      const reply = await guard.run(() => scripted.putQueue(reviewQueues, queue.name, text));
      if (reply === null) return 'unknown';
      return reply === 0 ? 'full' : 'kept';
    },
    removeQueue: async (name) => {
      const removed = await guard.run(() => client.hdel(reviewQueues, name));
      return removed === null ? 'unknown' : removed > 0;
    },
    claims: async () => toClaims(await guard.run(() => scripted.reviewClaims(reviewClaims))),
    claim: async (decisionIds, { holder, name }) => {
      const ids = [...new Set(decisionIds)];
      return toClaims(await guard.run(() => scripted.claimReviews(reviewClaims, holder, name, ...ids)));
    },
    release: async (decisionId, holder) => {
      const released = await guard.run(() => scripted.releaseReview(reviewClaims, holder, decisionId));
      return released === null ? 'unknown' : released > 0;
    },
    close: async () => {},
  };
}

/** Null for what no replica wrote. */
function toQueue(text: string): SavedQueue | null {
  return savedQueueSchema.safeParse(parseJson(text)).data ?? null;
}

function toClaims(told: readonly string[] | null): readonly ReviewClaim[] | null {
  if (told === null) return null;
  const claims: ReviewClaim[] = [];
  for (let at = 0; at < told.length; at += 2) {
    const [, untilMs = '', holder = '', name = ''] =
      /^(\d+) ([0-9a-f]+) (.*)$/s.exec(told[at + 1] ?? '') ?? [];
    claims.push({ decisionId: told[at] ?? '', untilMs: Number(untilMs), holder, name });
  }
  return claims;
}
