import { RiskgateError } from '../../domain/errors.ts';
import type { HoldToLimits, LimitedCaller, Permit } from '../callers/hold-to-limits.ts';
import type { Clock } from '../clock.ts';
import type { TakePlace } from './take-place.ts';
import { createWaitForTurn } from './wait-for-turn.ts';

/** What one item came to. An error is what a request of its own would have been refused with. */
export type BatchResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: unknown };

/** The items of one request, in their order. */
interface Batch<Value> {
  readonly items: readonly (() => Value | Promise<Value>)[];
  /** Who asks; null only without authentication. Its first request and place are this request's own. */
  readonly caller: LimitedCaller | null;
  /** No item waits for its turn any longer, monotonic milliseconds. */
  readonly deadlineAtMs: number;
}

/** The results in the order of the items, and how the caller stands; null without a rate limit. */
interface BatchOutcome<Value> {
  readonly results: readonly BatchResult<Value>[];
  readonly rate: Permit['rate'];
}

/** Never rejects. */
export type RunBatch = <Value>(batch: Batch<Value>) => Promise<BatchOutcome<Value>>;

interface RunBatchDependencies {
  readonly holdToLimits: HoldToLimits;
  /** Why the next request would be refused, or null. */
  readonly overload: () => string | null;
  /** The places for items of all batches of the process. */
  readonly takePlace: TakePlace;
  readonly clock: Clock;
  /** A limit of the caller has refused an item. */
  readonly onLimited: (limit: 'rate', callerId: string) => void;
}

/** Warm decisions take 0.1 ms each: others are let in between so many. */
const ITEMS_A_TURN = 8;

const OVERLOADED = new RiskgateError('overloaded', 'More work than can be done in time.', {
  retryAfterSeconds: 1,
});

/**
 * Builds what runs the items of a request as if each were a request of its own: each counts against the rate
 * of its caller, takes one of the places that the caller may have at a time, and is refused under overload.
 * Items of batches have places of their own in the process, fewer than others, and one batch waits for one
 * place at a time, so that neither single requests nor other batches wait behind a batch.
 */
export function createRunBatch(dependencies: RunBatchDependencies): RunBatch {
  return async <Value>({ items, caller, deadlineAtMs }: Batch<Value>): Promise<BatchOutcome<Value>> => {
    const { admit, standing } = createAdmission(caller, dependencies);
    const waitForTurn = createWaitForTurn(dependencies, caller, deadlineAtMs);
    const results: BatchResult<Value>[] = [];
    const underWay: Promise<void>[] = [];
    for (const [index, work] of items.entries()) {
      if (index > 0 && index % ITEMS_A_TURN === 0) await nextTurn();
      // The request itself was let in as its first item.
      const refusal = index === 0 ? null : await admit();
      const leave = refusal === null ? await waitForTurn() : null;
      if (leave === null) {
        results[index] = { ok: false, error: refusal ?? OVERLOADED };
        continue;
      }
      const ended = settle(work).then((result) => {
        results[index] = result;
        leave();
      });
      underWay.push(ended);
    }
    await Promise.all(underWay);
    return { results, rate: standing() };
  };
}

async function settle<Value>(work: () => Value | Promise<Value>): Promise<BatchResult<Value>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** What lets an item in, or says why not: it counts against the caller's rate, and overload keeps it out. */
function createAdmission(
  caller: LimitedCaller | null,
  { holdToLimits, overload, onLimited }: RunBatchDependencies,
) {
  const rate = caller?.limits?.rate ?? null;
  let standing: Permit['rate'] = null;
  const admit = async (): Promise<RiskgateError | null> => {
    if (overload() !== null) return OVERLOADED;
    if (caller === null || rate === null) return null;
    const permit = await holdToLimits({ id: caller.id, limits: { rate, concurrent: null } });
    standing = permit.rate;
    if (permit.isGranted) return null;
    onLimited('rate', caller.id);
    return new RiskgateError('rate_limited', 'More requests than the limits allow.', {
      retryAfterSeconds: permit.retryAfterSeconds,
    });
  };
  return { admit, standing: () => standing };
}

function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  return promise;
}
