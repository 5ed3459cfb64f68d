import { type AlertClaims, SETTLE_MS, TOLD_MS } from '../../application/alerts/alert-claims.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';

/** ARGV: the change, whether it is a reminder, how long it is kept, how long replicas may differ. */
const CLAIM = `
local told = redis.call('GET', KEYS[1])
if told == ARGV[1] or (not told and ARGV[1] == 'resolved') then return 0 end
if ARGV[2] == '1' and told then
  local age = tonumber(ARGV[3]) - redis.call('PTTL', KEYS[1])
  if age < tonumber(ARGV[4]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1`;

type ClaimScripts = {
  claimAlert(
    key: string,
    change: string,
    isReminder: '0' | '1',
    toldMs: number,
    settleMs: number,
  ): Promise<number>;
};

/** Claims of all replicas, each in one step. */
export function createRedisAlertClaims({ client, guard, keys }: RedisHandle): AlertClaims {
  const scripted = withScripts<ClaimScripts>(client, { claimAlert: { numberOfKeys: 1, lua: CLAIM } });
  return {
    claim: async (name, change, isReminder) => {
      if (!guard.admits()) return null;
      const reminder = isReminder ? '1' : '0';
      const granted = await guard.run(() =>
        scripted.claimAlert(keys.alert(name), change, reminder, TOLD_MS, SETTLE_MS),
      );
      return granted === null ? null : granted === 1;
    },
  };
}
