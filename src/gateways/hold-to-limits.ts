import type { RequestCounter } from '../application/ports.ts';
import type { Slots } from '../platform/slots.ts';
import type { GatewayCaller } from './authenticate-gateway.ts';

/** May the caller ask now? `release` gives a place among its concurrent requests back; call it once the answer is made. */
export type Permit =
  | { readonly isGranted: true; readonly release: () => void }
  | { readonly isGranted: false; readonly retryAfterSeconds: number };

export type HoldToLimits = (caller: GatewayCaller) => Permit | Promise<Permit>;

const nothing = () => {};
const UNLIMITED: Permit = { isGranted: true, release: nothing };
/** A place is free as soon as one of the caller's questions is answered, which takes no longer than a decision. */
const CONCURRENCY_RETRY_SECONDS = 1;

/** Holds gateways that present an API key to the limits beside that key: the same counts as for the routes of the API. Never rejects. */
export function createHoldToLimits(counter: RequestCounter, slots: Slots): HoldToLimits {
  return ({ id, limits }) => {
    if (limits === null) return UNLIMITED;
    const { rate, concurrent } = limits;
    const release = concurrent === null ? nothing : slots.take(id, concurrent);
    if (release === null) return { isGranted: false, retryAfterSeconds: CONCURRENCY_RETRY_SECONDS };
    if (rate === null) return { isGranted: true, release };
    const counted = counter.count(id, rate.windowSeconds * 1000, rate.requests);
    const judge = ({ count, leftMs }: { readonly count: number; readonly leftMs: number }): Permit => {
      if (count <= rate.requests) return { isGranted: true, release };
      release();
      return { isGranted: false, retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) };
    };
    return counted instanceof Promise ? counted.then(judge) : judge(counted);
  };
}
