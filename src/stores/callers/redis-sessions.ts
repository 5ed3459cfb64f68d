import { z } from 'zod';
import type { FoundSession, SessionStore, StoredSession } from '../../application/callers/session-store.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';

/** GETEX, which Redis itself knows from version 6.2 on. */
const USE = `
local session = redis.call('GET', KEYS[1])
if session then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return session`;

type SessionScripts = {
  useSession(key: string, ttlMs: number): Promise<string | null>;
};

/** Told apart from null, which is the guard's word for a command that failed. */
const NOTHING_STOOD = Symbol('nothing stood there');

const startedAtMs = z.int().min(0);
const storedSession = z.union([
  z.strictObject({ keyDigest: z.string().regex(/^[0-9a-f]{64}$/), startedAtMs }),
  z.strictObject({
    person: z.strictObject({ source: z.string(), name: z.string().min(1), groups: z.array(z.string()) }),
    startedAtMs,
  }),
]);

/** Keeps sessions where every replica finds them. A Redis that was emptied has ended them. */
export function createRedisSessionStore({ client, guard, keys }: RedisHandle): SessionStore {
  const scripted = withScripts<SessionScripts>(client, {
    useSession: { numberOfKeys: 1, lua: USE },
  });
  return {
    open: async (name, session, ttlMs) => {
      if (!guard.admits()) return false;
      const text = JSON.stringify(session);
      return (await guard.run(() => client.set(keys.session(name), text, 'PX', ttlMs))) !== null;
    },
    find: async (name, ttlMs) => {
      if (!guard.admits()) return 'unavailable';
      const text = await guard.run(
        async () => (await scripted.useSession(keys.session(name), ttlMs)) ?? NOTHING_STOOD,
      );
      if (text === null) return 'unavailable';
      return text === NOTHING_STOOD ? 'none' : toSession(text);
    },
    end: async (name) => guard.admits() && (await guard.run(() => client.del(keys.session(name)))) !== null,
  };
}

/** A text that is no session of ours lets nobody in. */
function toSession(text: string): FoundSession {
  try {
    const read = storedSession.safeParse(JSON.parse(text));
    return read.success ? (read.data satisfies StoredSession) : 'none';
  } catch {
    return 'none';
  }
}
