import { z } from 'zod';
import {
  CANDIDATES_MAX,
  type CandidateStore,
  type PutResult,
  type StoredCandidate,
} from '../../application/candidates/candidate-store.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { lookRepeatedly, type RepeatedLook } from '../redis/repeated-look.ts';
import { withScripts } from '../redis/scripts.ts';

/** What an operator wants to read of candidates in Redis in a log. */
export interface RedisCandidateEvent {
  readonly kind: 'lost';
  readonly known_candidates: number;
}

interface RedisCandidateOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly onEvent: (event: RedisCandidateEvent) => void;
  readonly lookIntervalMs?: number;
}

/** So often is Redis asked whether something has changed: all replicas judge well within a second. */
const LOOK_INTERVAL_MS = 250;
/** Counts the changes; no policy has such an id. */
const VERSION_FIELD = '#version';

/** `PUT key, id, text`: keeps one, unless as many others are there as can be. Returns the version, 0 for full. */
const PUT = `
if not redis.call('HGET', KEYS[1], ARGV[1]) then
  local others = redis.call('HLEN', KEYS[1]) - (redis.call('HGET', KEYS[1], '${VERSION_FIELD}') and 1 or 0)
  if others >= ${CANDIDATES_MAX} then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HINCRBY', KEYS[1], '${VERSION_FIELD}', 1)
`;

/** `REMOVE key, id`: returns the text that was there, empty for none. */
const REMOVE = `
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text then return '' end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HINCRBY', KEYS[1], '${VERSION_FIELD}', 1)
return text
`;

type Scripts = {
  putCandidate(key: string, id: string, text: string): Promise<number>;
  removeCandidate(key: string, id: string): Promise<string>;
};

const storedSchema = z.object({
  id: z.string(),
  hash: z.string(),
  text: z.string(),
  // Versions of before wrote none.
  tests: z.string().nullable().default(null),
  addedBy: z.string(),
  addedAtMs: z.number(),
});

/**
 * Candidates that all replicas share. Each asks Redis several times a second for the number of the latest
 * change, and reads all of them when it is another. A Redis that is lost leaves what is known; one that has lost
 * them has none, which is told.
 */
export function createRedisCandidateStore(options: RedisCandidateOptions): CandidateStore {
  return new RedisCandidateStore(options);
}

class RedisCandidateStore implements CandidateStore {
  readonly place = 'redis';
  readonly #options: RedisCandidateOptions;
  readonly #scripted: RedisHandle['client'] & Scripts;
  readonly #key: string;
  readonly #listeners: (() => void)[] = [];
  #kept: readonly StoredCandidate[] = [];
  /** Null before the first reading; empty where nothing was ever kept. */
  #version: string | null = null;
  readonly #looks: RepeatedLook;

  constructor(options: RedisCandidateOptions) {
    this.#options = options;
    const { client, keys } = options.redis;
    this.#key = keys.policyCandidates;
    this.#scripted = withScripts<Scripts>(client, {
      putCandidate: { numberOfKeys: 1, lua: PUT },
      removeCandidate: { numberOfKeys: 1, lua: REMOVE },
    });
    const intervalMs = options.lookIntervalMs ?? LOOK_INTERVAL_MS;
    this.#looks = lookRepeatedly(options.redis, () => this.#look(), intervalMs);
  }

  candidates(): readonly StoredCandidate[] {
    return this.#kept;
  }

  async put(candidate: StoredCandidate): Promise<PutResult> {
    const text = JSON.stringify(candidate);
    const { guard } = this.#options.redis;
    const reply = await guard.run(() => this.#scripted.putCandidate(this.#key, candidate.id, text));
    if (reply === null) return 'unknown';
    await this.#looks.now();
    return reply === 0 ? 'full' : 'kept';
  }

  async remove(id: string): Promise<StoredCandidate | null | 'unknown'> {
    const { guard } = this.#options.redis;
    const reply = await guard.run(() => this.#scripted.removeCandidate(this.#key, id));
    if (reply === null) return 'unknown';
    await this.#looks.now();
    return toCandidate(reply);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  async #look(): Promise<void> {
    const { client, guard } = this.#options.redis;
    const read = async () => ({ version: (await client.hget(this.#key, VERSION_FIELD)) ?? '' });
    const looked = await guard.run(read);
    if (looked === null || looked.version === this.#version) return;
    const fields = await guard.run(() => client.hgetall(this.#key));
    if (fields === null) return;
    const { [VERSION_FIELD]: version = '', ...texts } = fields;
    const found = Object.values(texts).flatMap((text) => toCandidate(text) ?? []);
    const wasLost = version === '' && this.#version !== null && this.#kept.length > 0;
    if (wasLost) this.#options.onEvent({ kind: 'lost', known_candidates: this.#kept.length });
    this.#version = version;
    if (found.length === 0 && this.#kept.length === 0) return;
    this.#kept = found.toSorted((left, right) => (left.id < right.id ? -1 : 1));
    for (const listener of this.#listeners) listener();
  }
}

/** Null for what no replica wrote. */
function toCandidate(text: string): StoredCandidate | null {
  try {
    return storedSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    // A SyntaxError: it is no JSON.
    return null;
  }
}
