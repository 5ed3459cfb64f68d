import { RiskgateError } from '../../domain/errors.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { takenBackAtMs } from '../../domain/policy-in-force/policy-record.ts';
import { checkPromotion, isPassed, type PromotionCheck } from '../../domain/promotion/check-promotion.ts';
import { toPromotionLimits } from '../../domain/promotion/promotion-limits.ts';
import type { Result } from '../../domain/result.ts';
import type { Clock } from '../clock.ts';
import { PERIOD_MS } from '../decision-log/decision-log.ts';
import type { PolicyInForce } from '../policy-in-force/policy-in-force.ts';
import type { PolicyState, PolicyStore } from '../policy-in-force/policy-store.ts';
import type { Promoter, RolloutSteps } from './change-rollout.ts';
import type { CountChanges } from './count-changes.ts';
import type { Examination } from './examine-candidate.ts';
import { findRevision } from './find-revision.ts';
import { type KeptRollout, type RolloutInForce, readRollout } from './read-rollout.ts';

/** A candidate with all that is asked of it. */
export interface PromotedCandidate {
  readonly policy: CompiledPolicy;
  /** The text of its cases; null where it has none. */
  readonly tests: string | null;
  /** When it was registered, Unix milliseconds; null for one of a file. */
  readonly addedAtMs: number | null;
}

/** Which candidate is meant. */
interface PromotionRequest {
  readonly id: string;
  /** Null for whichever has the id. */
  readonly hash: string | null;
}

/** What a candidate has shown, and what is under way. */
export interface PromotionView {
  readonly candidate: CompiledPolicy;
  readonly inForce: CompiledPolicy;
  readonly checks: readonly PromotionCheck[];
  readonly rollout: RolloutInForce | null;
}

/** Promotes candidates. All reject with `store_unavailable` where it is not known what is in force. */
export interface Promotions {
  /** What a candidate has shown. Rejects with `not_found` where there is none. */
  view(request: PromotionRequest): Promise<PromotionView>;
  /**
   * Puts a candidate in force, or lets it answer a share of accounts, 0 to 1. Rejects with `conflict`, and the checks
   * that failed, where it has not shown enough; also where another change is under way, or was faster.
   */
  promote(request: PromotionRequest & { readonly share: number }, promoter: Promoter): Promise<PromotionView>;
  /**
   * Takes back the promotion of this policy: its share of accounts, also one that is of no effect here, or, while it
   * is watched, all of it. Returns what there was; rejects with `not_found` where there is nothing to take back, and
   * with `conflict` where the former policy cannot be used here.
   */
  takeBack(id: string, promoter: Promoter): Promise<KeptRollout>;
}

interface PromotionsOptions {
  readonly store: Pick<PolicyStore, 'place' | 'state'>;
  readonly steps: RolloutSteps;
  readonly inForce: Pick<PolicyInForce, 'policy' | 'settled'>;
  /** The promotion under way; see createReadRollout. */
  readonly rollout: () => RolloutInForce | null;
  /** Those with this id, those of files first. */
  readonly candidates: (id: string) => readonly PromotedCandidate[];
  readonly examine: (candidate: PromotedCandidate, waivedRules: readonly string[]) => Promise<Examination>;
  /** Checks and compiles a text, or gives every mistake in it. */
  readonly compile: (text: string) => Promise<Result<CompiledPolicy, string>>;
  /** Null where no log can be read. */
  readonly count: CountChanges | null;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** As far back as decisions of a candidate in a file are looked for. */
const LOOKED_BACK_MS = 30 * 24 * 3_600_000;

/** Builds the use case. */
export function createPromotions(options: PromotionsOptions): Promotions {
  const { store, steps, inForce, rollout } = options;
  const check = createCheck(options);
  const view = async (request: PromotionRequest): Promise<PromotionView> => {
    const { policy: candidate, ...found } = findCandidate(request, options);
    const live = inForce.policy();
    const checks = await check({ policy: candidate, ...found }, live);
    return { candidate, inForce: live, checks, rollout: rollout() };
  };
  return {
    view,
    promote: async ({ share, ...request }, by) => {
      const revision = await readRevision(options);
      refuseUnderWay(store.state(), findCandidate(request, options).policy);
      const found = await view(request);
      const { candidate, checks, inForce: live } = found;
      if (!isPassed(checks)) {
        const notice = { policy: candidate, previous: live.hash, share: 0, checks, by };
        await steps.tell({ ...notice, change: 'refused' });
        throw refused(checks);
      }
      // While it was looked at, the file of this process may have become another.
      if (inForce.policy().hash !== live.hash) throw overtaken();
      await steps.take({ revision, candidate, inForce: live, share, checks, by });
      return { ...found, rollout: rollout() };
    },
    takeBack: async (id, by) => {
      const revision = await readRevision(options);
      const { rollout: beside } = store.state();
      const [current, live] = [beside && readRollout(beside), inForce.policy()];
      const isOwn = current !== null && (current.stage === 'share' ? current.id : live.id) === id;
      if (isOwn && current.stage === 'watch' && rollout() === null)
        throw new RiskgateError('conflict', 'The former policy cannot be used here.', {
          publicDetail:
            'The former policy cannot be used by this replica. Put another one in force (restore), or release the files.',
        });
      if (!isOwn)
        throw new RiskgateError('not_found', 'No such promotion.', {
          publicDetail: 'No promotion of this policy is under way.',
        });
      await steps.takeBack({ revision, inForce: live, rollout: current, checks: [], by });
      return current;
    },
  };
}

function findCandidate({ id, hash }: PromotionRequest, { candidates }: PromotionsOptions): PromotedCandidate {
  const own = candidates(id);
  const found = own.find(({ policy }) => hash === null || policy.hash === hash);
  if (found !== undefined) return found;
  if (own.length === 0)
    throw new RiskgateError('not_found', 'No such candidate.', {
      publicDetail: 'There is no candidate with this id beside the policy in force.',
    });
  throw new RiskgateError('conflict', 'Another candidate has the id.', {
    publicDetail: 'The candidate with this id has another hash: it was replaced.',
  });
}

type Check = (candidate: PromotedCandidate, inForce: CompiledPolicy) => Promise<readonly PromotionCheck[]>;

/**
 * By the limits of the policy in force. What cannot be counted is not known, and passes nothing. Whoever asks for the
 * same meanwhile gets the same: counting reads much of the log, and the watch of a promotion waits for it. It is no
 * more the same once the candidate was taken back.
 */
function createCheck({ store, examine, compile, count, clock }: PromotionsOptions): Check {
  const underWay = new Map<string, ReturnType<Check>>();
  const look = async (candidate: PromotedCandidate, inForce: CompiledPolicy, backAtMs: number) => {
    const limits = toPromotionLimits(inForce.document.promotion);
    const addedAtMs = candidate.addedAtMs ?? clock.nowMs() - LOOKED_BACK_MS;
    // By what it had shown until it was taken back it would pass at once again.
    const sinceMs = Math.max(addedAtMs, Math.ceil(backAtMs / PERIOD_MS.hour) * PERIOD_MS.hour);
    const question = { answering: inForce.hash, candidate: candidate.policy.hash, sinceMs };
    const [examination, wayBack, seen] = await Promise.all([
      examine(candidate, limits.waivedRules),
      findObstacles(inForce, compile),
      count?.({ ...question, isNew: 'candidate' }).catch(() => null) ?? null,
    ]);
    return checkPromotion(limits, { ...examination, wayBack, seen });
  };
  return (candidate, inForce) => {
    const { policy, tests, addedAtMs } = candidate;
    const backAtMs = takenBackAtMs(store.state(), policy.hash);
    const key = JSON.stringify([inForce.hash, policy.hash, addedAtMs, tests, backAtMs]);
    const checks =
      underWay.get(key) ?? look(candidate, inForce, backAtMs).finally(() => underWay.delete(key));
    underWay.set(key, checks);
    return checks;
  };
}

/**
 * What keeps the policy in force from coming back after a promotion: replicas compile it from its text then, to judge
 * beside the new one and to take its place.
 */
async function findObstacles(
  { hash, text }: CompiledPolicy,
  compile: PromotionsOptions['compile'],
): Promise<readonly string[]> {
  if (text === null) return ['its text is lost'];
  const compiled = await compile(text);
  if (!compiled.ok) return compiled.mistakes;
  return compiled.value.hash === hash ? [] : ['its text is another one'];
}

/** That of the state which this process judges by. */
async function readRevision({ store, inForce }: PromotionsOptions): Promise<number> {
  if (store.place === 'process')
    throw new RiskgateError('conflict', 'Nothing is promoted without Redis.', {
      publicDetail: 'Without Redis the policy file is the truth: change the file.',
    });
  const revision = await findRevision(store, inForce);
  if (revision === null) throw overtaken();
  return revision;
}

/**
 * One change at a time, so that each is known by what it did. A share may be changed, or become all. What this process
 * cannot use is under way all the same: others may.
 */
function refuseUnderWay({ rollout: beside }: PolicyState, candidate: CompiledPolicy): void {
  if (beside === null) return;
  const rollout = readRollout(beside);
  if (rollout === null)
    throw new RiskgateError('conflict', 'A promotion of another version.', {
      publicDetail: 'A promotion is under way that this version does not understand.',
    });
  if (rollout.stage === 'watch')
    throw new RiskgateError('conflict', 'A policy is watched.', {
      publicDetail: 'The policy in force is still watched, and would be no more: wait, or take it back.',
    });
  if (rollout.hash !== candidate.hash)
    throw new RiskgateError('conflict', 'Another candidate answers a share.', {
      publicDetail: 'Another candidate answers a share of accounts: take it back first.',
    });
}

function refused(checks: readonly PromotionCheck[]): RiskgateError {
  const failed = checks.filter(({ passed }) => !passed);
  return new RiskgateError('conflict', 'A candidate has not shown enough.', {
    publicDetail: `The candidate has not shown enough: ${failed.map(({ id }) => id).join(', ')}.`,
    fields: failed.map(({ id, detail }) => ({ pointer: `/checks/${id}`, detail })),
  });
}

function overtaken(): RiskgateError {
  return new RiskgateError('conflict', 'What is in force has changed.', {
    publicDetail: 'What is in force has changed meanwhile: look again.',
  });
}
