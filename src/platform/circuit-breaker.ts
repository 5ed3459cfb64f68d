/** The states of a circuit: calls pass, calls are refused, or one probe is under way. */
export type CircuitStateName = 'closed' | 'open' | 'half_open';

/**
 * How a finished call counts. `neutral` does not count while the circuit is closed; as the answer to a probe
 * it shows that the peer is up.
 */
export type CallMark = 'success' | 'failure' | 'neutral';

interface CircuitBreakerOptions {
  readonly monotonicMs: () => number;
  readonly onStateChange: (state: CircuitStateName) => void;
}

interface CircuitBreaker {
  /** True while a call would be refused: nothing is awaited to find out. */
  refuses(): boolean;
  state(): CircuitStateName;
  /**
   * Makes the call, or returns null without making it where the circuit refuses. Rejects only as `call` or
   * `judge` does, which then counts as neutral.
   */
  run<Value>(
    call: () => Promise<Value>,
    judge: (value: Value, isProbe: boolean) => CallMark,
  ): Promise<Value> | null;
}

/**
 * More than half of the last 20 calls: a share, because a peer that answers one call in three never fails
 * often enough in a row.
 */
const FAILING_SHARE = 0.5;
const CALLS_COUNTED = 20;
/** Fewer calls than this are an accident, not an outage. */
const CALLS_MIN = 10;
/** The first pause before a probe; it doubles with each probe that fails. */
const OPEN_MS = 1_000;
/** A recovered peer is noticed at most this much later. */
const OPEN_MS_MAX = 8_000;

/**
 * A circuit breaker that refuses at once instead of letting callers wait for the probe, tells time by a clock
 * that never jumps, and ignores the results of calls that began before a change of state.
 */
export function createCircuitBreaker({ monotonicMs, onStateChange }: CircuitBreakerOptions): CircuitBreaker {
  let state: CircuitStateName = 'closed';
  let changes = 0;
  let openings = 0;
  let probeAtMs = 0;
  /** Whether each of the latest calls failed, oldest first. */
  let failures: boolean[] = [];
  const change = (next: CircuitStateName): void => {
    state = next;
    changes += 1;
    onStateChange(next);
  };
  const open = (): void => {
    probeAtMs = monotonicMs() + Math.min(OPEN_MS * 2 ** openings, OPEN_MS_MAX);
    openings += 1;
    change('open');
  };
  const close = (): void => {
    openings = 0;
    failures = [];
    change('closed');
  };
  const count = (hasFailed: boolean): void => {
    failures.push(hasFailed);
    if (failures.length > CALLS_COUNTED) failures.shift();
    if (hasFailed && failures.length >= CALLS_MIN && isFailing(failures)) open();
  };
  const note = (mark: CallMark, isProbe: boolean): void => {
    if (isProbe) {
      if (mark === 'failure') open();
      else close();
    } else if (mark !== 'neutral') count(mark === 'failure');
  };
  const refuses = () => state === 'half_open' || (state === 'open' && monotonicMs() < probeAtMs);
  const execute = async <Value>(
    call: () => Promise<Value>,
    judge: (value: Value, isProbe: boolean) => CallMark,
  ): Promise<Value> => {
    const isProbe = state === 'open';
    if (isProbe) change('half_open');
    const begunAt = changes;
    let mark: CallMark = 'neutral';
    try {
      const value = await call();
      mark = judge(value, isProbe);
      return value;
    } finally {
      if (begunAt === changes) note(mark, isProbe);
    }
  };
  return {
    refuses,
    state: () => state,
    run: (call, judge) => (refuses() ? null : execute(call, judge)),
  };
}

function isFailing(failures: readonly boolean[]): boolean {
  return failures.filter(Boolean).length > failures.length * FAILING_SHARE;
}
