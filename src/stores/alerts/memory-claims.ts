import {
  type AlertChange,
  type AlertClaims,
  SETTLE_MS,
  TOLD_MS,
} from '../../application/alerts/alert-claims.ts';
import type { Clock } from '../../application/clock.ts';

/** Claims of one process, which has nobody to agree with. It forgets names that were not told of for a day. */
export function createMemoryAlertClaims({ monotonicMs }: Pick<Clock, 'monotonicMs'>): AlertClaims {
  const told = new Map<string, { readonly change: AlertChange; readonly atMs: number }>();
  return {
    claim: async (name, change, isReminder) => {
      const nowMs = monotonicMs();
      for (const [each, { atMs }] of told) if (nowMs - atMs >= TOLD_MS) told.delete(each);
      const last = told.get(name);
      if (last === undefined ? change === 'resolved' : last.change === change) return false;
      if (isReminder && last !== undefined && nowMs - last.atMs < SETTLE_MS) return false;
      told.set(name, { change, atMs: nowMs });
      return true;
    },
  };
}
