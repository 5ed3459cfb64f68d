import { RiskgateError } from '../../domain/errors.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { PromotionCheck } from '../../domain/promotion/check-promotion.ts';
import type { PromotionChange } from '../../domain/promotion/promotion-change.ts';
import type { RolloutPart } from '../../domain/promotion/rollout-part.ts';
import type { Clock } from '../clock.ts';
import type { RecordEvent } from '../decision-log/record-event.ts';
import type { ChangePolicy } from '../policy-in-force/change-policy.ts';
import type { PolicyWithText } from '../policy-in-force/policy-store.ts';
import type { KeptRollout } from './read-rollout.ts';

/** Who changes something. */
export interface Promoter {
  /** The id of the API key. */
  readonly caller: string;
  readonly requestId: string | null;
}

/** What happened to a promotion. */
export interface PromotionNotice {
  readonly change: PromotionChange;
  /** The new policy. */
  readonly policy: { readonly id: string; readonly hash: string };
  /** The hash of the one that it replaces, or was to replace. */
  readonly previous: string;
  /** Of accounts, 0 to 1, that the new one answers from then on. */
  readonly share: number;
  readonly checks: readonly PromotionCheck[];
  /** Null where riskgate did it by itself. */
  readonly by: Promoter | null;
}

interface RolloutOptions {
  readonly change: Pick<ChangePolicy, 'put' | 'putRollout'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Null records nothing. */
  readonly record: RecordEvent | null;
  /** Told of each change that this process made, and of refusals. */
  readonly onNotice: (notice: PromotionNotice) => void;
}

interface Step {
  /** Of the state by which it was judged. */
  readonly revision: number;
  readonly inForce: CompiledPolicy;
  readonly checks: readonly PromotionCheck[];
  readonly by: Promoter | null;
}

/** A candidate that is to answer. */
interface TakenStep extends Step {
  readonly candidate: CompiledPolicy;
  /** Of accounts; 1 puts it in force. */
  readonly share: number;
}

/** A promotion that is to end. */
export interface EndedStep extends Step {
  readonly rollout: KeptRollout;
}

/**
 * The steps of promotions, each a change of what all replicas agree on, as far as nobody else has made one: of several
 * that try one succeeds, and that one tells of it. They reject as ChangePolicy does.
 */
export interface RolloutSteps {
  /** Lets the new policy answer a share of accounts, or puts it in force. */
  take(step: TakenStep): Promise<void>;
  /** Takes the share back, or puts the policy of before in force again. */
  takeBack(step: EndedStep): Promise<void>;
  /** Ends the watch: the new policy stays. */
  endWatch(step: EndedStep): Promise<void>;
  /** Tells what happened. */
  tell(notice: PromotionNotice): Promise<void>;
}

const HOUR_MS = 3_600_000;

/** Builds the steps. */
export function createRolloutSteps(options: RolloutOptions): RolloutSteps {
  const { change, clock } = options;
  const tell = createTell(options);
  const tellMade = createTellMade(tell);
  return {
    tell,
    take: async (step) => {
      const { candidate, inForce, share, revision, checks, by } = step;
      const [next, former] = [withText(candidate), withText(inForce)];
      const isWhole = share >= 1;
      const rollout = { ...(isWhole ? former : next), part: toPart(step, clock.nowMs()) };
      const put = {
        policy: next,
        why: 'promoted' as const,
        rollout,
        reason: null,
        expectedRevision: revision,
      };
      const notice = { policy: next, previous: former.hash, share, checks, by };
      await tellMade({ ...notice, change: isWhole ? 'promoted' : 'share' }, (onMadeLate) =>
        isWhole
          ? change.put({ ...put, onMadeLate }, by ?? NOBODY)
          : change.putRollout({ rollout, expectedRevision: revision, onMadeLate }),
      );
    },
    takeBack: async ({ rollout, inForce, revision, checks, by }) => {
      const isShare = rollout.stage === 'share';
      const reason = by === null ? reasonOf(checks) : null;
      const put = { why: 'rolled_back' as const, rollout: null, expectedRevision: revision, reason };
      const aborted = { hash: rollout.hash, by: by?.caller ?? null };
      const [policy, other] = isShare ? [rollout, inForce] : [inForce, rollout];
      const notice = { policy, previous: other.hash, share: 0, checks, by };
      await tellMade({ ...notice, change: isShare ? 'aborted' : 'rolled_back' }, async (onMadeLate) =>
        isShare
          ? change.putRollout({ rollout: null, expectedRevision: revision, aborted, onMadeLate })
          : change.put({ ...put, policy: withText(rollout), onMadeLate }, by ?? NOBODY),
      );
    },
    endWatch: async ({ rollout, inForce, revision, checks, by }) => {
      const notice = { policy: inForce, previous: rollout.hash, share: 1, checks, by };
      await tellMade({ ...notice, change: 'watch_ended' }, (onMadeLate) =>
        change.putRollout({ rollout: null, expectedRevision: revision, onMadeLate }),
      );
    },
  };
}

/**
 * Tells of a change once it was made: also where the log did not take the event of it, which rejects after that, and
 * where it is learned only later.
 */
function createTellMade(tell: RolloutSteps['tell']) {
  return async (
    notice: PromotionNotice,
    make: (onMadeLate: () => void) => Promise<unknown>,
  ): Promise<void> => {
    try {
      // The log itself tells when it does not take a record.
      await make(() => void Promise.allSettled([tell(notice)]));
    } catch (error) {
      if (isUnrecorded(error)) await tell(notice);
      throw error;
    }
    await tell(notice);
  };
}

/** Whether something was done, and only the log did not take it. */
export function isUnrecorded(error: unknown): boolean {
  return error instanceof RiskgateError && error.code === 'decision_log_unavailable';
}

/** What riskgate does by itself. */
const NOBODY = { caller: null, requestId: null };

function toPart({ inForce, candidate, share, by }: TakenStep, nowMs: number): RolloutPart {
  const limits = inForce.document.promotion;
  const isWhole = share >= 1;
  return {
    stage: isWhole ? 'watch' : 'share',
    beside: isWhole ? candidate.hash : inForce.hash,
    share: Math.min(share, 1),
    limits,
    by: by?.caller ?? '',
    beganAtMs: nowMs,
    untilMs: isWhole ? nowMs + limits.watch_hours * HOUR_MS : null,
  };
}

/** What failed, in a sentence. */
function reasonOf(checks: readonly PromotionCheck[]): string {
  const failed = checks.filter(({ passed }) => !passed);
  return failed.map(({ id, detail, limit }) => `${id}: ${detail}, above the limit of ${limit}`).join('; ');
}

function createTell({ record, onNotice }: RolloutOptions): RolloutSteps['tell'] {
  return async (notice) => {
    onNotice(notice);
    const { change, policy, previous, share, checks, by } = notice;
    await record?.({
      event: 'promotion_changed',
      caller: by?.caller ?? '',
      request_id: by?.requestId ?? null,
      change,
      policy: { id: policy.id, hash: policy.hash },
      previous,
      share,
      checks,
    });
  };
}

function withText(policy: Omit<PolicyWithText, 'text'> & { readonly text: string | null }): PolicyWithText {
  const { id, hash, text } = policy;
  if (text === null)
    throw new RiskgateError('store_unavailable', 'The text of a policy is lost.', {
      publicDetail: 'The text of a policy that has to be kept is not known any more.',
    });
  return { id, hash, text };
}
