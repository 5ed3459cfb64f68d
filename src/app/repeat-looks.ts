/** A promotion that goes wrong is found within seconds. */
const WAIT_MS_MIN = 5_000;
/** Where looking takes long, as in a large history, it is done less often: it takes a fiftieth of the time. */
const WAITS_PER_LOOK = 50;

/** Looks again and again, one look at a time. */
interface Looks {
  /** Ends when the look under way has ended. */
  close(): Promise<void>;
}

/** Begins to look, which must not reject. It keeps no process alive. */
export function repeatLooks(look: () => Promise<void>, monotonicMs: () => number): Looks {
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  const wait = (waitMs: number) => {
    if (isClosed) return;
    timer = setTimeout(() => {
      const beganAtMs = monotonicMs();
      looking = look().then(() => wait(Math.max(WAIT_MS_MIN, (monotonicMs() - beganAtMs) * WAITS_PER_LOOK)));
    }, waitMs).unref();
  };
  wait(WAIT_MS_MIN);
  return {
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await looking;
    },
  };
}
