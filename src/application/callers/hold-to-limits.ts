import type { ConcurrentRequests } from './concurrent-requests.ts';
import type { RequestCounter, WindowCount } from './request-counter.ts';

/** The limits of one caller; null is no limit. */
export interface CallerLimits {
  readonly rate: { readonly requests: number; readonly windowSeconds: number } | null;
  /** Requests under way at the same time, in one process. */
  readonly concurrent: number | null;
}

/** The caller: the id of an API key, or of a gateway's profile. */
export interface LimitedCaller {
  readonly id: string;
  readonly limits: CallerLimits | null;
}

/** The requests that a caller has left in the current window, and the seconds until the next window. */
interface RateStanding {
  readonly remaining: number;
  readonly seconds: number;
}

/**
 * Whether the caller may ask now. `release` gives back its place among the concurrent requests; call it when
 * the request ends, in whatever way.
 */
export type Permit =
  | { readonly isGranted: true; readonly rate: RateStanding | null; readonly release: () => void }
  | {
      readonly isGranted: false;
      readonly limit: 'rate' | 'concurrency';
      readonly rate: RateStanding | null;
      readonly retryAfterSeconds: number;
    };

/** Never rejects. Answers synchronously where the count is in this process. */
export type HoldToLimits = (caller: LimitedCaller) => Permit | Promise<Permit>;

const nothing = () => {};
const UNLIMITED: Permit = { isGranted: true, rate: null, release: nothing };
/**
 * A place becomes free when one of the caller's requests is answered, which takes no longer than a decision.
 */
const CONCURRENCY_RETRY_SECONDS = 1;
const NO_PLACE: Permit = {
  isGranted: false,
  limit: 'concurrency',
  rate: null,
  retryAfterSeconds: CONCURRENCY_RETRY_SECONDS,
};

/** Enforces the limits of callers, with the same counts for every entry point. */
export function createHoldToLimits(counter: RequestCounter, underWay: ConcurrentRequests): HoldToLimits {
  return ({ id, limits }) => {
    if (limits === null) return UNLIMITED;
    const { rate, concurrent } = limits;
    const release = concurrent === null ? nothing : underWay.take(id, concurrent);
    if (release === null) return NO_PLACE;
    if (rate === null) return { isGranted: true, rate: null, release };
    const counted = counter.count(id, rate.windowSeconds * 1000, rate.requests);
    return counted instanceof Promise
      ? counted.then((window) => judge(window, rate.requests, release))
      : judge(counted, rate.requests, release);
  };
}

function judge({ count, leftMs }: WindowCount, max: number, release: () => void): Permit {
  const seconds = Math.max(1, Math.ceil(leftMs / 1000));
  const rate = { remaining: Math.max(0, max - count), seconds };
  if (count <= max) return { isGranted: true, rate, release };
  release();
  return { isGranted: false, limit: 'rate', rate, retryAfterSeconds: seconds };
}
