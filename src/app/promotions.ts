import type { StoredCandidate } from '../application/candidates/candidate-store.ts';
import { paceReads } from '../application/decision-log/pace-reads.ts';
import { createRecordEvent } from '../application/decision-log/record-event.ts';
import type { OperationObserver } from '../application/operation-observer.ts';
import type { ChangePolicy } from '../application/policy-in-force/change-policy.ts';
import type { PolicyInForce } from '../application/policy-in-force/policy-in-force.ts';
import type { PolicyStore } from '../application/policy-in-force/policy-store.ts';
import { createRolloutSteps, type PromotionNotice } from '../application/promotion/change-rollout.ts';
import { createCountChanges } from '../application/promotion/count-changes.ts';
import { createPromotions, type PromotedCandidate } from '../application/promotion/promotions.ts';
import type { RolloutInForce } from '../application/promotion/read-rollout.ts';
import { createPromotionWatch, type PromotionWatch } from '../application/promotion/watch-promotion.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { PromotionDependencies } from '../http/routes/promotion.ts';
import { createBackgroundWork } from '../platform/background-work.ts';
import { readTextFile } from '../platform/read-text-file.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import { casesBeside } from './cases-beside.ts';
import { POLICY_BYTES_MAX } from './check-file.ts';
import { compileText } from './compile-text.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { createExamine } from './examine.ts';
import { inTurns } from './in-turns.ts';
import { repeatLooks } from './repeat-looks.ts';

interface PromotionParts extends CandidateSources {
  readonly store: PolicyStore;
  readonly change: ChangePolicy;
  readonly rollout: () => RolloutInForce | null;
  /** Null records nothing, and then nothing can be counted. */
  readonly log: DecisionLog | null;
  readonly observer: Pick<OperationObserver, 'onPromotion' | 'onPromotionLook'>;
}

interface CandidateSources {
  readonly inForce: PolicyInForce;
  /** Those of files, and those that were registered. */
  readonly candidates: () => readonly CompiledPolicy[];
  readonly registered: () => readonly StoredCandidate[];
  /** The file of a candidate, by its hash; null for one that was registered. */
  readonly fileOf: (hash: string) => string | null;
}

/** Promotions of a service. */
interface WiredPromotions {
  readonly routes: PromotionDependencies;
  readonly latest: PromotionWatch['latest'];
  /** Ends the watching. */
  close(): Promise<void>;
}

/** Of the event loop, as for streams that catch up: decisions keep the rest. */
const COUNT_SHARE_MAX = 0.1;

/** Wires promotions, and watches the one under way. */
export function wirePromotions(context: AppContext, parts: PromotionParts): WiredPromotions {
  const { clock, newId } = context;
  const { inForce, store, change, rollout, log, observer } = parts;
  const record = log === null ? null : createRecordEvent({ ...log, clock, newId });
  const lines = createLines(context);
  const steps = createRolloutSteps({
    change,
    clock,
    record,
    onNotice: (notice) => {
      observer.onPromotion(notice);
      lines.onNotice(notice);
    },
  });
  const count = log === null ? null : createCount(log, () => clock.nowMs());
  const shared = { store, steps, inForce, rollout, count, clock };
  const watch = createPromotionWatch({
    ...shared,
    onLook: (result) => observer.onPromotionLook({ result }),
    onFailed: lines.onFailed,
  });
  const looks = repeatLooks(watch.look, () => clock.monotonicMs());
  const promotions = createPromotions({
    ...shared,
    candidates: (id) => findCandidates(id, parts),
    examine: createExamine(context),
    // Whatever is asked of several candidates at once.
    compile: inTurns((text: string) => compileText(text, context)),
  });
  return { routes: { promotions }, latest: watch.latest, close: looks.close };
}

function createCount({ reader }: DecisionLog, nowMs: () => number) {
  const { run } = createBackgroundWork({ shareMax: COUNT_SHARE_MAX });
  return createCountChanges({ reader: paceReads(reader, run), nowMs, formatTime: toRfc3339 });
}

/** Those with this id; one that is in force is none. */
function findCandidates(
  id: string,
  { inForce, candidates, registered, fileOf }: CandidateSources,
): readonly PromotedCandidate[] {
  return candidates()
    .filter((policy) => policy.id === id && policy.hash !== inForce.policy().hash)
    .map((policy) => {
      const path = fileOf(policy.hash);
      if (path !== null) return { policy, tests: readCases(path), addedAtMs: null };
      const stored = registered().find(({ hash }) => hash === policy.hash);
      return { policy, tests: stored?.tests ?? null, addedAtMs: stored?.addedAtMs ?? null };
    });
}

/** Cases that cannot be read are not those of a policy without any: an empty text fails. */
function readCases(policyPath: string): string | null {
  const path = casesBeside(policyPath);
  if (path === null) return null;
  const read = readTextFile(path, POLICY_BYTES_MAX);
  return read.ok ? read.value : '';
}

const SHOWN = {
  refused: ['info', 'a candidate has not shown enough'],
  share: ['info', 'a candidate answers a share of accounts'],
  promoted: ['info', 'a candidate was promoted, and is watched'],
  aborted: ['warn', 'a candidate answers no accounts any more'],
  rolled_back: ['error', 'a promoted policy was taken back'],
  watch_ended: ['info', 'a promoted policy was watched long enough, and stays'],
} as const;

/** What the log says. Failures are told once for as long as they last. */
function createLines({ logger }: AppContext) {
  let failing: string | null = null;
  return {
    onNotice: ({ change, policy, previous, share, checks, by }: PromotionNotice) => {
      failing = null;
      const [level, message] = SHOWN[change];
      const failed = checks.filter(({ passed }) => !passed).map(({ id, detail }) => `${id}: ${detail}`);
      const event = `promotion.${change}`;
      const { id, hash } = policy;
      logger[level]({ event, policy: id, hash, previous, share, failed, by: by?.caller ?? null }, message);
    },
    onFailed: (what: 'count' | 'change', error: unknown) => {
      if (failing === what) return;
      failing = what;
      const code: unknown = error instanceof Error ? (Reflect.get(error, 'code') ?? error.name) : 'ERROR';
      logger.error(
        { event: 'promotion.watch_failed', what, code: String(code) },
        'a promotion cannot be watched; it is tried again, and what is in force stays',
      );
    },
  };
}
