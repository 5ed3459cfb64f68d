import type { Redis } from 'ioredis';
import { isRedisReply } from './error-code.ts';

/** What a server says of itself; null where it does not say. */
interface ServerMode {
  readonly mode: string | null;
  readonly role: string | null;
}

/**
 * Asks a server what it is, by HELLO, which needs no rights beyond those to connect. A server that does not
 * know HELLO says nothing. Rejects when no answer comes.
 */
export async function askServerMode(redis: Redis): Promise<ServerMode> {
  try {
    const fields = toFields(await redis.hello());
    return { mode: fields.get('mode') ?? null, role: fields.get('role') ?? null };
  } catch (error) {
    if (!isRedisReply(error)) throw error;
    return { mode: null, role: null };
  }
}

/** RESP2 and ioredis's own mapping give a flat list, RESP3 a map. */
function toFields(reply: unknown): ReadonlyMap<string, string> {
  const entries = Array.isArray(reply)
    ? reply.flatMap((name, place) => (place % 2 === 0 ? [[name, reply[place + 1]] as const] : []))
    : Object.entries(reply ?? {});
  return new Map(entries.map(([name, value]) => [String(name), String(value)]));
}
