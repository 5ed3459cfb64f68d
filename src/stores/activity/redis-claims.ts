import {
  type ActivityStore,
  CLAIM_DONE_MS,
  CLAIM_OPEN_MS,
  type Claim,
} from '../../application/activity/activity-store.ts';
import type { RedisHandle } from '../redis/handle.ts';

/** Claims that replicas share: one key for each, which holds whether it is settled. */
export function createRedisClaims({
  client,
  keys,
  guard,
}: RedisHandle): Pick<ActivityStore, 'claim' | 'settle' | 'unclaim'> {
  return {
    claim: async (names) => {
      if (guard.state() !== 'up') return null;
      const replies = await Promise.all(names.map((name) => guard.run(() => claimOne(name))));
      const claims = replies.filter((reply) => reply !== null);
      return claims.length < names.length ? null : claims;
    },
    settle: async (names) => {
      const settleOne = (name: string) => client.set(keys.activityEvent(name), 'done', 'PX', CLAIM_DONE_MS);
      await Promise.all(names.map((name) => guard.run(() => settleOne(name))));
    },
    unclaim: async (names) => {
      await Promise.all(names.map((name) => guard.run(() => client.del(keys.activityEvent(name)))));
    },
  };

  /** Both commands go in one batch. */
  async function claimOne(name: string): Promise<Claim> {
    const key = keys.activityEvent(name);
    const [isSet, held] = await Promise.all([
      client.set(key, 'open', 'PX', CLAIM_OPEN_MS, 'NX'),
      client.get(key),
    ]);
    if (isSet === 'OK') return 'new';
    return held === 'done' ? 'done' : 'open';
  }
}
