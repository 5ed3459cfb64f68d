import type { RedisHandle } from './handle.ts';

/** A look at Redis that is repeated. */
export interface RepeatedLook {
  /** Looks at once, after a look that is under way, which may have begun too early. Ends when it has looked. */
  now(): Promise<void>;
  /** Ends the looking, after a look that is under way. */
  close(): Promise<void>;
}

/** Looks in turns: at the start, each time Redis can be used again, and `intervalMs` after the last. */
export function lookRepeatedly(
  redis: Pick<RedisHandle, 'onUp'>,
  /** Never rejects. */
  look: () => Promise<void>,
  intervalMs: number,
): RepeatedLook {
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let isClosed = false;
  const lookIn = (waitMs: number): void => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(() => void now(), waitMs).unref();
  };
  const now = (): Promise<void> => {
    looking = looking.then(look).finally(() => lookIn(intervalMs));
    return looking;
  };
  redis.onUp(() => lookIn(0));
  lookIn(0);
  return {
    now,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await looking;
    },
  };
}
