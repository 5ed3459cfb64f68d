import { holdsIdentifier } from '../../domain/decision-log/note-identifiers.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { Clock } from '../clock.ts';
import {
  CLAIMS_MAX,
  QUEUES_MAX,
  type ReviewClaim,
  type Reviewer,
  type ReviewStore,
  type SavedQueue,
} from './review-store.ts';

/** Queues that colleagues share, and who reviews what. All of it rejects with `store_unavailable`. */
export interface Review {
  readonly place: ReviewStore['place'];
  queues(): Promise<readonly SavedQueue[]>;
  /**
   * Saves a queue in place of what has its name. Rejects with `invalid_request` for a name that holds an
   * identifier, and with `conflict` where there are too many.
   */
  saveQueue(name: string, filters: SavedQueue['filters'], by: string): Promise<SavedQueue>;
  /** False where there is none of this name. */
  removeQueue(name: string): Promise<boolean>;
  claims(): Promise<readonly ReviewClaim[]>;
  /** Takes decisions; see ReviewStore. Rejects with `conflict` where too many are taken. */
  claim(decisionIds: readonly string[], by: Reviewer): Promise<readonly ReviewClaim[]>;
  release(decisionId: string, by: Reviewer): Promise<void>;
}

/** Builds the use case. */
export function createReview({
  store,
  clock,
}: {
  readonly store: ReviewStore;
  readonly clock: Clock;
}): Review {
  return {
    place: store.place,
    queues: async () => known(await store.queues()),
    saveQueue: async (name, filters, by) => {
      if (holdsIdentifier(name, () => false))
        throw new RiskgateError('invalid_request', 'A queue that cannot be saved.', {
          fields: [{ pointer: '/name', detail: 'must hold no identifier' }],
        });
      const queue = { name, filters, savedBy: by, savedAtMs: clock.nowMs() };
      if (known(toKnown(await store.putQueue(queue))) === 'full')
        throw new RiskgateError('conflict', 'There are too many queues.', {
          publicDetail: `There are ${QUEUES_MAX} queues. Remove one first.`,
        });
      return queue;
    },
    removeQueue: async (name) => known(toKnown(await store.removeQueue(name))),
    claims: async () => known(await store.claims()),
    claim: async (decisionIds, by) => {
      const claims = known(await store.claim(decisionIds, by));
      if (claims.length === new Set(decisionIds).size) return claims;
      throw new RiskgateError('conflict', 'Too many decisions are being reviewed.', {
        publicDetail: `${CLAIMS_MAX} decisions are being reviewed. Some of those asked for may be taken.`,
      });
    },
    release: async (decisionId, { holder }) => {
      known(toKnown(await store.release(decisionId, holder)));
    },
  };
}

function toKnown<Value>(value: Value | 'unknown'): Value | null {
  return value === 'unknown' ? null : value;
}

function known<Value>(value: Value | null): Value {
  if (value !== null) return value;
  throw new RiskgateError('store_unavailable', 'What is kept of reviews cannot be read or kept.', {
    publicDetail: 'What is kept of reviews cannot be reached now. Repeat the request.',
    retryAfterSeconds: 1,
  });
}
