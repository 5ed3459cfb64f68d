import type { HoldToLimits, LimitedCaller } from '../callers/hold-to-limits.ts';

/** The places of one caller in which the items of its batch run. */
interface Lanes {
  /** Takes a place, and returns what gives it back. Null where all that the caller may have are taken. */
  take(): Promise<(() => void) | null>;
  /** Resolves when a place that was taken here is given back. */
  freed(): Promise<void>;
}

/** Begins with the place that the request itself has; more are taken as far as the caller has them. */
export function createLanes(caller: LimitedCaller | null, holdToLimits: HoldToLimits): Lanes {
  let isOwnFree = true;
  let freed = Promise.withResolvers<void>();
  const tellFreed = () => {
    freed.resolve();
    freed = Promise.withResolvers<void>();
  };
  return {
    freed: () => freed.promise,
    take: async () => {
      if (isOwnFree) {
        isOwnFree = false;
        return () => {
          isOwnFree = true;
          tellFreed();
        };
      }
      const concurrent = caller?.limits?.concurrent ?? null;
      if (caller === null || concurrent === null) return () => {};
      const permit = await holdToLimits({ id: caller.id, limits: { rate: null, concurrent } });
      if (!permit.isGranted) return null;
      return () => {
        permit.release();
        tellFreed();
      };
    },
  };
}
