import { RiskgateError } from '../../domain/errors.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { checkWatch, isPassed, type PromotionCheck } from '../../domain/promotion/check-promotion.ts';
import { toPromotionLimits } from '../../domain/promotion/promotion-limits.ts';
import type { SeenChanges } from '../../domain/promotion/seen-changes.ts';
import type { Clock } from '../clock.ts';
import type { PolicyInForce } from '../policy-in-force/policy-in-force.ts';
import type { PolicyStore } from '../policy-in-force/policy-store.ts';
import { type EndedStep, isUnrecorded, type RolloutSteps } from './change-rollout.ts';
import type { CountChanges } from './count-changes.ts';
import { findRevision } from './find-revision.ts';
import type { RolloutInForce } from './read-rollout.ts';

/** What one look at a promotion found. */
export interface WatchLook {
  /** Unix milliseconds. */
  readonly atMs: number;
  /** Null where decisions could not be counted. */
  readonly checks: readonly PromotionCheck[] | null;
  /** Decisions that were not judged by the other policy, and show nothing; null likewise. */
  readonly notJudged: number | null;
}

/** Watches promotions while they are under way. */
export interface PromotionWatch {
  /** Looks once. Never rejects. */
  look(): Promise<void>;
  /** What was found of the promotion under way; null without one, or before the first look. */
  latest(): WatchLook | null;
}

interface WatchOptions {
  readonly store: Pick<PolicyStore, 'knowledge' | 'state' | 'clock'>;
  readonly steps: RolloutSteps;
  readonly inForce: Pick<PolicyInForce, 'policy' | 'settled'>;
  /** The promotion under way; see createReadRollout. */
  readonly rollout: () => RolloutInForce | null;
  /** Null where no log can be read. */
  readonly count: CountChanges | null;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Told of each look. */
  readonly onLook: (result: 'counted' | 'failed') => void;
  /** Told of what could not be done, and is tried again at the next look. */
  readonly onFailed: (what: 'count' | 'change', error: unknown) => void;
}

/**
 * Builds the watch. It takes a promotion back where changes exceed a limit beyond chance, and never carries one
 * further. A look that cannot count changes nothing, and ends no watch: what is not known may be a breach.
 */
export function createPromotionWatch(options: WatchOptions): PromotionWatch {
  const { store, inForce, rollout: current, clock, onLook, onFailed } = options;
  let latest: { readonly of: RolloutInForce; readonly look: WatchLook } | null = null;
  return {
    look: async () => {
      const revision = await findRevision(store, inForce);
      const [rollout, live] = [current(), inForce.policy()];
      if (rollout === null || revision === null || store.knowledge() !== 'known') return;
      const shared = store.clock();
      const seen = await countSeen(options, toQuestion(rollout, live, shared));
      const checks = seen && checkWatch(toPromotionLimits(rollout.limits), seen);
      latest = {
        of: rollout,
        look: { atMs: clock.nowMs(), checks, notJudged: seen === null ? null : seen.notJudged },
      };
      onLook(seen === null ? 'failed' : 'counted');
      if (seen === null || checks === null) return;
      try {
        const isOver = isWatchOver(rollout, clock.nowMs(), shared);
        await act(options, { revision, inForce: live, rollout, checks, by: null }, isOver && isSeen(seen));
      } catch (error) {
        // Another replica was faster, or somebody has changed it: the next look will tell.
        const isOvertaken = error instanceof RiskgateError && error.code === 'conflict';
        // The change was made where the log alone has failed, which the log tells.
        if (!isOvertaken && !isUnrecorded(error)) onFailed('change', error);
      }
    },
    latest: () => (latest !== null && latest.of === current() ? latest.look : null),
  };
}

async function countSeen(
  { count, onFailed }: WatchOptions,
  question: ReturnType<typeof toQuestion>,
): Promise<SeenChanges | null> {
  try {
    return (await count?.(question)) ?? null;
  } catch (error) {
    onFailed('count', error);
    return null;
  }
}

async function act({ steps }: WatchOptions, step: EndedStep, isOver: boolean): Promise<void> {
  if (!isPassed(step.checks)) return steps.takeBack(step);
  if (isOver) await steps.endWatch(step);
}

/**
 * By the clock of this process, and by that of the store: no replica whose clock is wrong ends a watch before its
 * time, nor is one of no length that such a replica began.
 */
function isWatchOver(
  { untilMs, beganAtMs }: RolloutInForce,
  nowMs: number,
  shared: ReturnType<PolicyStore['clock']>,
): boolean {
  if (untilMs === null || nowMs < untilMs) return false;
  return shared === null || shared.nowMs - shared.changedAtMs >= untilMs - beganAtMs;
}

/** Decisions of which none could be judged have shown nothing. */
function isSeen({ judged, notJudged }: SeenChanges): boolean {
  return judged > 0 || notJudged === 0;
}

/**
 * The decisions of the new policy, and what the other one would have made of them. They count since the change was
 * made, also where the clock of the replica that made it was fast.
 */
function toQuestion(
  { stage, hash, beganAtMs }: RolloutInForce,
  inForce: CompiledPolicy,
  shared: ReturnType<PolicyStore['clock']>,
) {
  const isShare = stage === 'share';
  return {
    answering: isShare ? hash : inForce.hash,
    candidate: isShare ? inForce.hash : hash,
    isNew: 'answering',
    sinceMs: Math.min(beganAtMs, shared?.changedAtMs ?? beganAtMs),
  } as const;
}
