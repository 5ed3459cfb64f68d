import { CircuitState, CountBreaker, circuitBreaker, handleWhenResult } from 'cockatiel';

/** Where a circuit can be: calls pass, calls are refused, or one call is under way to find out. */
export type CircuitStateName = 'closed' | 'open' | 'half_open';

/** What a finished call says of the peer. `neutral` says nothing while the circuit is closed; as the answer to a probe it shows that the peer is there. */
export type CallMark = 'success' | 'failure' | 'neutral';

export interface CircuitBreakerOptions {
  readonly monotonicMs: () => number;
  readonly onStateChange: (state: CircuitStateName) => void;
}

export interface CircuitBreaker {
  /** True while a call would be refused: nothing is awaited to find out. */
  refuses(): boolean;
  state(): CircuitStateName;
  /** Makes the call, or returns null without making it where the circuit refuses. Rejects only as `call` or `judge` does, which then counts as neutral. */
  run<Value>(
    call: () => Promise<Value>,
    judge: (value: Value, isProbe: boolean) => CallMark,
  ): Promise<Value> | null;
}

/** More than half of the last 20 calls: a share, because a peer that answers one call in three never fails often enough in a row. */
const FAILING_SHARE = 0.5;
const CALLS_COUNTED = 20;
/** Fewer calls than this are an accident, not an outage. */
const CALLS_MIN = 10;
/** The first pause before a probe; it doubles with each probe that fails. */
const OPEN_MS = 1_000;
/** A peer that is back is noticed at most this much later. */
const OPEN_MS_MAX = 8_000;

const NAMES: Readonly<Record<CircuitState, CircuitStateName>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Isolated]: 'open',
};

/** Ends an execution of which cockatiel is to count neither a success nor a failure. */
class Neutral extends Error {}

/** A circuit breaker that refuses at once instead of letting callers wait for the probe, tells time by a clock that never jumps, and lets calls that began before a change of state say nothing after it. */
export function createCircuitBreaker({ monotonicMs, onStateChange }: CircuitBreakerOptions): CircuitBreaker {
  let changes = 0;
  let openings = 0;
  let probeAtMs = 0;
  const policy = circuitBreaker(
    handleWhenResult((mark) => mark === 'failure'),
    {
      // Cockatiel tells time by the wall clock, which can jump back by hours: here it never refuses, `refuses` does.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
      breaker: new CountBreaker({
        threshold: FAILING_SHARE,
        size: CALLS_COUNTED,
        minimumNumberOfCalls: CALLS_MIN,
      }),
    },
  );
  policy.onStateChange((state) => {
    changes += 1;
    if (state === CircuitState.Closed) openings = 0;
    if (state === CircuitState.Open) {
      probeAtMs = monotonicMs() + Math.min(OPEN_MS * 2 ** openings, OPEN_MS_MAX);
      openings += 1;
    }
    onStateChange(NAMES[state]);
  });
  const refuses = () => {
    if (policy.state === CircuitState.Closed) return false;
    return policy.state === CircuitState.HalfOpen || monotonicMs() < probeAtMs;
  };

  const execute = async <Value>(
    call: () => Promise<Value>,
    judge: (value: Value, isProbe: boolean) => CallMark,
  ): Promise<Value> => {
    const settled: Value[] = [];
    try {
      await policy.execute(async () => {
        // Read here, where an open circuit has just become half open.
        const begunAt = changes;
        const isProbe = policy.state === CircuitState.HalfOpen;
        const value = await call();
        const mark = judge(value, isProbe);
        settled.push(value);
        if (mark === 'neutral' || begunAt !== changes) throw new Neutral();
        return mark;
      });
    } catch (error) {
      if (!(error instanceof Neutral)) throw error;
    }
    return settled[0] as Value;
  };

  return {
    refuses,
    state: () => NAMES[policy.state],
    run: (call, judge) => (refuses() ? null : execute(call, judge)),
  };
}
