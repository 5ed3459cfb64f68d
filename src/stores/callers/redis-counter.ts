import { LRUCache } from 'lru-cache';
import type { WindowCount } from '../../application/callers/request-counter.ts';
import type { Clock } from '../../application/clock.ts';
import { boundedTo } from '../../platform/lru-bound.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';

/**
 * The counter that replicas share. Null, or a promise of it, where Redis is left alone, failed or was late.
 * Never rejects.
 */
export interface RedisRequestCounter {
  count(callerId: string, windowMs: number, max: number): null | WindowCount | Promise<WindowCount | null>;
}

/**
 * A counter without an expiry, which only a stranger could have left, would lock the caller out for good; it
 * gets one.
 */
const COUNT = `
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}`;

type CounterScripts = {
  countRequests(key: string, windowMs: number, places: number): Promise<[count: number, leftMs: number]>;
};

/** Places that were counted in Redis and not given to requests yet. */
interface Reserve {
  next: number;
  readonly last: number;
  readonly endsAtMs: number;
}

/**
 * A command per request costs half as much as the decision itself, so a process takes places in bundles of a
 * hundredth of the limit: what it leaves unused at the end of a window is the caller's loss, and is no more
 * than that. A limit below 200 is counted one by one.
 */
const BUNDLE_SHARE = 0.01;
const BUNDLE_MAX = 100;
/** Who finds the bundle used up so often by those who waited longer asks for a place of its own. */
const BUNDLE_ATTEMPTS = 3;
/** More than a key file can name. */
const RESERVES_MAX = 10_000;

/** Counts over a connection that others may use too. */
export function createRedisRequestCounter(handle: RedisHandle, clock: Clock): RedisRequestCounter {
  const { client, guard, keys } = handle;
  const scripted = withScripts<CounterScripts>(client, { countRequests: { numberOfKeys: 1, lua: COUNT } });
  const reserves = new LRUCache<string, Reserve>(boundedTo(RESERVES_MAX));
  const asking = new Map<string, Promise<Reserve | null>>();

  const take = (reserve: Reserve | null | undefined): WindowCount | null => {
    const leftMs = reserve == null ? 0 : reserve.endsAtMs - clock.monotonicMs();
    if (reserve == null || leftMs <= 0 || reserve.next > reserve.last) return null;
    const count = reserve.next;
    reserve.next += 1;
    return { count, leftMs };
  };
  const reserve = async (key: string, windowMs: number, places: number): Promise<Reserve | null> => {
    const reply = await guard.run(() => scripted.countRequests(key, windowMs, places));
    if (reply === null) return null;
    const [last, leftMs] = reply;
    return { next: last - places + 1, last, endsAtMs: clock.monotonicMs() + leftMs };
  };
  /** One bundle at a time, for all who wait for it. */
  const nextBundle = (key: string, windowMs: number, places: number): Promise<Reserve | null> => {
    const underWay = asking.get(key);
    if (underWay !== undefined) return underWay;
    const asked = reserve(key, windowMs, places);
    asking.set(key, asked);
    void asked.then((bundle) => {
      asking.delete(key);
      if (bundle !== null) reserves.set(key, bundle);
    });
    return asked;
  };
  const takeFromBundle = async (
    key: string,
    windowMs: number,
    places: number,
  ): Promise<WindowCount | null> => {
    for (let attempt = 0; attempt < BUNDLE_ATTEMPTS; attempt += 1) {
      const bundle = await nextBundle(key, windowMs, places);
      if (bundle === null) return null;
      const taken = take(bundle);
      if (taken !== null) return taken;
    }
    return takeOne(key, windowMs);
  };
  const takeOne = async (key: string, windowMs: number) => take(await reserve(key, windowMs, 1));

  return {
    count: (callerId, windowMs, max) => {
      const key = keys.requests(callerId, windowMs);
      const places = Math.max(1, Math.min(BUNDLE_MAX, Math.floor(max * BUNDLE_SHARE)));
      const held = places === 1 ? null : take(reserves.get(key));
      if (held !== null) return held;
      if (!guard.admits()) return null;
      return places === 1 ? takeOne(key, windowMs) : takeFromBundle(key, windowMs, places);
    },
  };
}
