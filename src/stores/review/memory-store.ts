import type { Clock } from '../../application/clock.ts';
import {
  CLAIMS_MAX,
  LEASE_MS,
  QUEUES_MAX,
  type ReviewClaim,
  type ReviewStore,
  type SavedQueue,
} from '../../application/review/review-store.ts';

interface MemoryReviewOptions {
  readonly clock: Clock;
  readonly place?: 'process' | 'file';
  readonly queues?: readonly SavedQueue[];
  /** Keeps the queues elsewhere too, before they count; false where it could not. */
  readonly keep?: (queues: readonly SavedQueue[]) => Promise<boolean>;
}

interface Entry {
  readonly claim: ReviewClaim;
  /** Monotonic: a wall clock that is set must neither end nor prolong it. */
  readonly endsAtMs: number;
}

/** Keeps reviews in this process: claims end with it, and so do queues that are not kept elsewhere too. */
export function createMemoryReviewStore({
  clock,
  place = 'process',
  queues = [],
  keep = async () => true,
}: MemoryReviewOptions): ReviewStore {
  return { place, ...createQueues(queues, keep), ...createClaims(clock) };
}

type Queues = Pick<ReviewStore, 'queues' | 'putQueue' | 'removeQueue' | 'close'>;

function createQueues(given: readonly SavedQueue[], keep: NonNullable<MemoryReviewOptions['keep']>): Queues {
  let kept: readonly SavedQueue[] = given.toSorted(byName);
  let changing: Promise<unknown> = Promise.resolve();
  /** Changes take turns: each is of what the one before has left. `next` is `kept` where nothing changes. */
  const change = <Told>(
    make: () => { readonly next: readonly SavedQueue[]; readonly told: Told },
  ): Promise<Told | 'unknown'> => {
    const changed = changing.then(async () => {
      const { next, told } = make();
      if (next === kept) return told;
      if (!(await keep(next))) return 'unknown';
      kept = next;
      return told;
    });
    changing = changed;
    return changed;
  };
  return {
    queues: async () => kept,
    putQueue: (queue) =>
      change(() => {
        const others = kept.filter(({ name }) => name !== queue.name);
        if (others.length >= QUEUES_MAX) return { next: kept, told: 'full' as const };
        return { next: [...others, queue].toSorted(byName), told: 'kept' as const };
      }),
    removeQueue: (name) =>
      change(() => {
        const others = kept.filter((queue) => queue.name !== name);
        const isThere = others.length < kept.length;
        return { next: isThere ? others : kept, told: isThere };
      }),
    close: async () => {
      await changing;
    },
  };
}

function createClaims(clock: Clock): Pick<ReviewStore, 'claims' | 'claim' | 'release'> {
  const taken = new Map<string, Entry>();
  const inForce = (): ReviewClaim[] => {
    const nowMs = clock.monotonicMs();
    for (const [id, { endsAtMs }] of taken) if (endsAtMs <= nowMs) taken.delete(id);
    return [...taken.values()].map(({ claim }) => claim);
  };
  return {
    claims: async () => inForce(),
    claim: async (decisionIds, by) => {
      inForce();
      return [...new Set(decisionIds)].flatMap((decisionId) => {
        const other = taken.get(decisionId)?.claim;
        if (other !== undefined && other.holder !== by.holder) return [other];
        if (other === undefined && taken.size >= CLAIMS_MAX) return [];
        const claim = { ...by, decisionId, untilMs: clock.nowMs() + LEASE_MS };
        taken.set(decisionId, { claim, endsAtMs: clock.monotonicMs() + LEASE_MS });
        return [claim];
      });
    },
    release: async (decisionId, holder) => {
      if (taken.get(decisionId)?.claim.holder !== holder) return false;
      return taken.delete(decisionId);
    },
  };
}

function byName(left: SavedQueue, right: SavedQueue): number {
  return left.name < right.name ? -1 : 1;
}
