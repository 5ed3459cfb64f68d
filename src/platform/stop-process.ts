/** What a stopping process does. */
interface StopSteps {
  /** Told of the first signal, before the delay. */
  readonly onSignal: (signal: NodeJS.Signals) => void;
  /** Called with each uncaught error, and with one that `close` rejects with. */
  readonly onError: (error: unknown) => void;
  /** Lets go of everything. Called once. */
  readonly close: () => Promise<void>;
  /**
   * Called once in place of what is left of `close`, when that takes too long or a signal ends it: writes
   * what must not be lost, within about a second.
   */
  readonly abandon: () => Promise<void>;
  /** Ends the process. Called once, and last. */
  readonly exit: (code: 0 | 1) => void;
}

interface StopOptions extends StopSteps {
  /** Between the first signal and closing. */
  readonly drainDelayMs: number;
  /** What closing may take; beyond it the exit code is 1. */
  readonly closeMs: number;
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * npm passes on what a terminal or a supervisor has sent to the whole group: so soon it is the same signal
 * again.
 */
const SAME_SIGNAL_MS = 250;

/**
 * Makes this process stop gracefully. The first signal begins the delay, the second ends it, and one while
 * closing abandons it and exits with 1. An uncaught error closes without the delay, and exits with 1.
 */
export function stopGracefully({ drainDelayMs, closeMs, ...steps }: StopOptions): void {
  let state: 'running' | 'draining' | 'closing' | 'abandoned' | 'ended' = 'running';
  let code: 0 | 1 = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const end = (): void => {
    if (state === 'ended') return;
    state = 'ended';
    steps.exit(code);
  };
  const fail = (): void => {
    if (state === 'ended' || state === 'abandoned') return;
    code = 1;
    state = 'abandoned';
    void Promise.resolve()
      .then(() => steps.abandon())
      .catch(onError)
      .then(end);
  };
  const onError = (error: unknown): void => {
    if (state === 'ended') return;
    code = 1;
    steps.onError(error);
    // While closing it changes the code only: requests are still being answered, and the lines of the log
    // written.
    close();
  };
  const close = (): void => {
    if (state !== 'running' && state !== 'draining') return;
    state = 'closing';
    setTimeout(fail, closeMs);
    void steps
      .close()
      .catch(onError)
      .then(() => {
        // What is abandoned ends when its last lines are written.
        if (state === 'closing') end();
      });
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (nowMs - toldAtMs < SAME_SIGNAL_MS) return;
    toldAtMs = nowMs;
    if (state === 'running') {
      state = 'draining';
      steps.onSignal(signal);
      setTimeout(close, drainDelayMs);
    } else if (state === 'draining') close();
    else fail();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
}
