import { z } from 'zod';
import type { WaitingWebhook, WebhookOutbox } from '../../platform/webhooks/webhook-outbox.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';

interface RedisOutboxOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly nowMs: () => number;
  /** Told when a message is not kept: Redis did not take it, or keeps as many as it may. */
  readonly onFailed: (code: string) => void;
  /** How long after its time a message is another replica's to send. */
  readonly graceMs?: number;
}

/** Longer than an attempt may take. */
const GRACE_MS = 60_000;
/** Messages of one target, those of all replicas together. The commands are those of docs/redis.md. */
const KEPT_MAX = 5_000;
/** Longer than the time from the first attempt to the last. */
const LIVES_MS = 48 * 3_600_000;

/** `PUT owners messages, id, free in ms, text`: when others may send it, and it. 0 where there is no room. */
const PUT = `
if redis.call('HLEN', KEYS[1]) >= ${KEPT_MAX} and not redis.call('HGET', KEYS[1], ARGV[1]) then return 0 end
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ${LIVES_MS})
redis.call('PEXPIRE', KEYS[2], ${LIVES_MS})
return 1
`;

/** `HOLD owners messages, free in ms, id…` passes over those that are gone. */
const HOLD = `
local now = redis.call('TIME')
local free = now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[1]
for place = 2, #ARGV do
  if redis.call('HGET', KEYS[1], ARGV[place]) then redis.call('HSET', KEYS[1], ARGV[place], free) end
end
return 1
`;

/** `REMOVE owners messages, id`. */
const REMOVE = `
redis.call('HDEL', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])
`;

/** `CLAIM owners messages, count, free in ms` returns ids and texts in turn. */
const CLAIM = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local owners, claimed = redis.call('HGETALL', KEYS[1]), {}
for place = 1, #owners, 2 do
  if #claimed >= ARGV[1] * 2 then break end
  if tonumber(owners[place + 1]) <= now then
    local text = redis.call('HGET', KEYS[2], owners[place])
    if text then
      redis.call('HSET', KEYS[1], owners[place], now + ARGV[2])
      claimed[#claimed + 1] = owners[place]
      claimed[#claimed + 1] = text
    else
      redis.call('HDEL', KEYS[1], owners[place])
    end
  end
end
return claimed
`;

type Scripts = {
  putWebhook(owners: string, messages: string, id: string, freeMs: number, text: string): Promise<number>;
  holdWebhooks(owners: string, messages: string, freeMs: number, ...ids: readonly string[]): Promise<number>;
  removeWebhook(owners: string, messages: string, id: string): Promise<number>;
  claimWebhooks(owners: string, messages: string, count: number, freeMs: number): Promise<readonly string[]>;
};

const textSchema = z.object({
  body: z.string(),
  seal: z.string(),
  attempt: z.int().min(0),
  dueAtMs: z.number(),
});

/**
 * An outbox that all replicas share. Each message belongs to the replica that put it until a while after its
 * time; one that ended leaves it to the others. So a message may be sent twice, with the same id.
 */
export function createRedisOutbox(options: RedisOutboxOptions): WebhookOutbox {
  const { redis, nowMs, onFailed, graceMs = GRACE_MS } = options;
  const { client, guard, keys } = redis;
  const scripted: RedisHandle['client'] & Scripts = withScripts<Scripts>(client, {
    putWebhook: { numberOfKeys: 2, lua: PUT },
    holdWebhooks: { numberOfKeys: 2, lua: HOLD },
    removeWebhook: { numberOfKeys: 2, lua: REMOVE },
    claimWebhooks: { numberOfKeys: 2, lua: CLAIM },
  });
  return {
    put: ({ target, id, body, seal, attempt, dueAtMs }) => {
      const { owners, messages } = keys.webhooks(target);
      const freeMs = Math.round(Math.max(0, dueAtMs - nowMs()) + graceMs);
      const text = JSON.stringify({ body, seal, attempt, dueAtMs });
      void guard
        .run(() => scripted.putWebhook(owners, messages, id, freeMs, text))
        .then((kept) => {
          if (kept !== 1) onFailed(kept === 0 ? 'full' : 'redis');
        });
    },
    hold: (target, ids) => {
      const { owners, messages } = keys.webhooks(target);
      void guard.run(() => scripted.holdWebhooks(owners, messages, graceMs, ...ids));
    },
    remove: (target, id) => {
      const { owners, messages } = keys.webhooks(target);
      void guard.run(() => scripted.removeWebhook(owners, messages, id));
    },
    claim: async (target, count) => {
      const { owners, messages } = keys.webhooks(target);
      const reply = await guard.run(() => scripted.claimWebhooks(owners, messages, count, graceMs));
      return toMessages(target, reply ?? []);
    },
  };
}

/** Passes over what no replica wrote. */
function toMessages(target: string, reply: readonly string[]): readonly WaitingWebhook[] {
  const messages: WaitingWebhook[] = [];
  for (let place = 0; place + 1 < reply.length; place += 2) {
    const [id = '', text = ''] = reply.slice(place, place + 2);
    const message = readMessage(text);
    if (message !== null) messages.push({ target, id, ...message });
  }
  return messages;
}

function readMessage(text: string): z.infer<typeof textSchema> | null {
  try {
    return textSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // A SyntaxError: it is no JSON.
    return null;
  }
}
