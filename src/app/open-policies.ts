import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import type { OperationObserver } from '../application/operation-observer.ts';
import type { PolicyInForce } from '../application/policy-in-force/policy-in-force.ts';
import { createPromotionState, type PromotionState } from '../application/promotion/promotion-state.ts';
import { createReadRollout, type RolloutInForce } from '../application/promotion/read-rollout.ts';
import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import { countTakenBack, type PolicyEntry } from '../domain/policy-in-force/policy-record.ts';
import { wireAnalyses } from './analyses.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { type FollowedFiles, followAllFiles } from './followed-files.ts';
import { wirePolicyInForce } from './policy-in-force.ts';
import { openPolicyStores } from './policy-stores.ts';
import { wirePromotions } from './promotions.ts';
import { inspectRedisInUse, type RedisInUse } from './redis.ts';
import { openRegisteredCandidates } from './registered-candidates.ts';
import type { RouteDependencies } from './routes.ts';

/** The followed files; their policy is the one in force, and their candidates are those registered, too. */
export interface FilesInForce extends FollowedFiles {
  readonly policyStatus: PolicyInForce['status'];
  readonly promotionState: () => PromotionState;
}

/** The followed files, what is in force over that of the policy, and with its candidates those registered. */
interface OpenPolicies {
  readonly files: FilesInForce & { readonly reference: ReferenceData };
  readonly redis: RedisInUse;
  readonly inForce: PolicyInForce;
  /** The policies that came into force, the newest first. */
  readonly policyHistory: () => readonly PolicyEntry[];
  /** Promotions that riskgate took back by itself since then, Unix milliseconds; null where that is not known. */
  readonly takenBack: (sinceMs: number) => number | null;
  /** The promotion under way; null without one. */
  readonly rollout: () => RolloutInForce | null;
  /** What changes policies, once there is a log, or none, and what shows them. */
  wire(parts: WiredParts): PolicyChanges;
  close(): Promise<void>;
}

interface WiredParts {
  readonly log: DecisionLog | null;
  readonly policies: KnownPolicies;
  readonly observer: Pick<OperationObserver, 'onPromotion' | 'onPromotionLook'>;
}

interface PolicyChanges {
  readonly routes: Pick<RouteDependencies, 'policies' | 'policyHistory' | 'policyAnalysis' | 'promotion'>;
  /** Ends the watching of promotions. */
  close(): Promise<void>;
}

/** Opens all that says by which policies this process judges. */
export async function openPolicies(context: AppContext): Promise<OpenPolicies> {
  const followed = await followAllFiles({ ...context, nowMs: () => context.clock.nowMs() });
  const redis = inspectRedisInUse(context);
  const stores = openPolicyStores(context, redis);
  const registered = openRegisteredCandidates(context, stores.candidates, followed.candidates);
  const { candidates } = registered;
  const put = await wirePolicyInForce(context, { store: stores.inForce, files: followed, candidates });
  const { inForce } = put;
  const policy: FollowedFiles['policy'] = () => inForce.policy();
  const policyStatus = () => inForce.status();
  const rollout = createReadRollout(inForce);
  const promotionState = createPromotionState(inForce, rollout);
  return {
    files: { ...followed, candidates, policy, policyStatus, promotionState },
    redis,
    inForce,
    policyHistory: () => put.store.state().history,
    takenBack: (sinceMs) =>
      put.store.knowledge() === 'known' ? countTakenBack(put.store.state(), sinceMs) : null,
    rollout,
    wire: ({ log, policies, observer }) => {
      const change = put.changesWith(log);
      const policyHistory = put.routes(log, policies, change);
      const promotions = wirePromotions(context, {
        inForce,
        store: stores.inForce,
        change,
        rollout,
        log,
        observer,
        candidates,
        registered: registered.stored,
        fileOf: followed.candidateFileOf,
      });
      const promotion = () => {
        const now = rollout();
        return now && ([now, promotions.latest()] as const);
      };
      const overview = { file: followed.policy, status: policyStatus, promotion, promotionState };
      return {
        close: promotions.close,
        routes: {
          promotion: promotions.routes,
          policies: { ...registered.routes(log, policy), ...overview },
          policyHistory,
          policyAnalysis: { analyses: wireAnalyses(context), textOf: policyHistory.textOf },
        },
      };
    },
    close: async () => {
      await stores.close();
      await Promise.all([registered.close(), inForce.settled()]);
    },
  };
}
