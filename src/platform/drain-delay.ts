/** A pause that can be cut short. */
export interface DrainDelay {
  /** Resolves after the delay, or when it is cut short. */
  readonly over: Promise<void>;
  /** Ends the delay now. False when it was over already. */
  end(): boolean;
}

/** Starts the pause. */
export function startDrainDelay(delayMs: number): DrainDelay {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isOver = false;
  const end = (): boolean => {
    const wasOver = isOver;
    isOver = true;
    clearTimeout(timer);
    resolve();
    return !wasOver;
  };
  const timer = setTimeout(end, delayMs);
  return { over: promise, end };
}
