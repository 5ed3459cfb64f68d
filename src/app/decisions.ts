import type { Activity } from '../application/activity/activity.ts';
import type { Candidates } from '../application/candidates/candidates.ts';
import { createContradictionFacts } from '../application/contradictions/contradiction-facts.ts';
import { createCustody } from '../application/custody/custody.ts';
import { toCustodyFacts } from '../application/custody/custody-facts.ts';
import { createDecide, type Decide } from '../application/decide.ts';
import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import { createRecordDecision } from '../application/decision-log/record-decision.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { FactSource } from '../application/facts/fact-source.ts';
import type { RolloutInForce } from '../application/promotion/read-rollout.ts';
import { type SettledDecide, settleDecisions } from '../application/settle-decision.ts';
import type { Tracer } from '../application/tracer.ts';
import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { wireCandidates } from './candidates.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import type { IdHashes } from './id-hashes.ts';
import type { Observers } from './observers.ts';
import { createOverloadGuard, type OverloadGuard } from './overload.ts';
import { wireSharedAnswers } from './shared-answers.ts';
import type { Stores } from './stores.ts';

interface DecisionParts {
  readonly slots: readonly ProviderSlot[];
  readonly hashes: IdHashes;
  readonly stores: Stores;
  readonly policies: KnownPolicies;
  /** The promotion under way; null without one. */
  readonly rollout: () => RolloutInForce | null;
  readonly reference: ReferenceData;
  /** What tells facts about subjects beside custody. */
  readonly facts: readonly FactSource[];
  /** Remembers what a decision tells of its subject. */
  readonly remember: Activity['remember'];
  readonly observer: Observers['observer'];
  /** Null records nothing. */
  readonly log: DecisionLog | null;
  /** Policies that judge beside the one in force. */
  readonly candidates: () => readonly CompiledPolicy[];
  readonly tracer: Tracer | null;
}

/** The use case as its callers may use it: settled, and bounded by what the process can do in time. */
interface Decisions extends OverloadGuard {
  /** Adds what follows every decision to another use case. */
  settle(decide: Decide): SettledDecide;
  /** Null where nothing is recorded, and candidates would judge for nobody. */
  readonly candidates: Candidates | null;
}

/** Builds the use case, and starts to measure the load. */
export function wireDecisions(context: AppContext, parts: DecisionParts): Decisions {
  const { config, clock, newId } = context;
  const { slots, hashes, stores, reference, remember, observer, log, tracer } = parts;
  const answers = wireSharedAnswers(context, parts);
  const custody = toCustodyFacts(
    createCustody({ slots, store: stores.custody, hashes: hashes.custody, clock, observer }),
  );
  // Contradictions are told by what the others have told.
  const facts = [...parts.facts, createContradictionFacts(reference)];
  const decide = createDecide({
    slots,
    policy: answers.policyFor,
    facts: [custody, ...facts],
    clock,
    newId,
    deadlineMs: config.decisionDeadlineMs,
    placeOfAddress: reference.placeOfAddress,
    tracer,
  });
  const candidates = log === null ? null : wireCandidates(context, { ...parts, ...answers, custody, facts });
  const record = log === null ? null : createRecordDecision(log, candidates ?? undefined);
  const settle = (unsettled: Decide) => settleDecisions(unsettled, { record, observer, remember });
  const whole = settle(candidates?.decideWith(decide) ?? decide);
  const isBehind = () => log?.isBehind() === true;
  return { ...createOverloadGuard({ ...context, ...config, decide: whole, isBehind }), settle, candidates };
}
