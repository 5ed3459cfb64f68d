import {
  type ActivityStore,
  CLAIM_DONE_MS,
  CLAIM_OPEN_MS,
  type Claim,
} from '../../application/activity/activity-store.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';

type ClaimScripts = { unclaim(key: string): Promise<unknown> };

/** It may have lapsed, and another may have made it and settled it. */
const UNCLAIM = `if redis.call('GET', KEYS[1]) == 'open' then redis.call('DEL', KEYS[1]) end`;
/** At some 100 bytes a name this is 2 MB. */
const UNSETTLED_MAX = 20_000;
const RETRY_MS = 500;

/**
 * Claims that replicas share: one key for each, which holds whether it is settled. What Redis does not take is
 * settled here until it does.
 */
export function createRedisClaims(
  redis: RedisHandle,
  unsettledMax: number = UNSETTLED_MAX,
): Pick<ActivityStore, 'claim' | 'settle' | 'unclaim'> {
  const { client, keys, guard } = redis;
  const scripted = withScripts<ClaimScripts>(client, { unclaim: { numberOfKeys: 1, lua: UNCLAIM } });
  const unsettled = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const settleOne = async (name: string): Promise<void> => {
    const key = keys.activityEvent(name);
    const reply = await guard.run(() => client.set(key, 'done', 'PX', CLAIM_DONE_MS));
    if (reply !== null) unsettled.delete(name);
    else if (unsettled.size < unsettledMax) unsettled.add(name);
  };
  const settle = async (names: Iterable<string>): Promise<void> => {
    await Promise.all([...names].map(settleOne));
    clearTimeout(timer);
    if (unsettled.size > 0 && guard.state() === 'up')
      timer = setTimeout(() => void settle(unsettled), RETRY_MS).unref();
  };
  redis.onUp(() => void settle(unsettled));

  /** Both commands go in one batch. */
  const claimOne = async (name: string): Promise<Claim> => {
    if (unsettled.has(name)) return 'done';
    const key = keys.activityEvent(name);
    const [isSet, held] = await Promise.all([
      client.set(key, 'open', 'PX', CLAIM_OPEN_MS, 'NX'),
      client.get(key),
    ]);
    if (isSet === 'OK') return 'new';
    return held === 'done' ? 'done' : 'open';
  };

  return {
    claim: async (names) => {
      if (guard.state() !== 'up') return null;
      const replies = await Promise.all(names.map((name) => guard.run(() => claimOne(name))));
      const claims = replies.filter((reply) => reply !== null);
      return claims.length < names.length ? null : claims;
    },
    settle,
    unclaim: async (names) => {
      await Promise.all(names.map((name) => guard.run(() => scripted.unclaim(keys.activityEvent(name)))));
    },
  };
}
