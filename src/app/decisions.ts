import type { Activity } from '../application/activity/activity.ts';
import { createContradictionFacts } from '../application/contradictions/contradiction-facts.ts';
import { createCustody } from '../application/custody/custody.ts';
import { toCustodyFacts } from '../application/custody/custody-facts.ts';
import { createDecide, type Decide } from '../application/decide.ts';
import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import { createRecordDecision } from '../application/decision-log/record-decision.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { FactSource } from '../application/facts/fact-source.ts';
import { type SettledDecide, settleDecisions } from '../application/settle-decision.ts';
import type { Tracer } from '../application/tracer.ts';
import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import type { IdHashes } from './id-hashes.ts';
import type { Observers } from './observers.ts';
import { createOverloadGuard, type OverloadGuard } from './overload.ts';
import type { Stores } from './stores.ts';

interface DecisionParts {
  readonly slots: readonly ProviderSlot[];
  readonly hashes: IdHashes;
  readonly stores: Stores;
  readonly policies: KnownPolicies;
  readonly reference: ReferenceData;
  /** What tells facts about subjects beside custody. */
  readonly facts: readonly FactSource[];
  /** Remembers what a decision tells of its subject. */
  readonly remember: Activity['remember'];
  readonly observer: Observers['observer'];
  /** Null records nothing. */
  readonly log: DecisionLog | null;
  readonly tracer: Tracer | null;
}

/** The use case as its callers may use it: settled, and bounded by what the process can do in time. */
interface Decisions extends OverloadGuard {
  /** Adds what follows every decision to another use case. */
  settle(decide: Decide): SettledDecide;
}

/** Builds the use case, and starts to measure the load. */
export function wireDecisions(context: AppContext, parts: DecisionParts): Decisions {
  const { config, clock, newId } = context;
  const { slots, hashes, stores, policies, facts, reference, remember, observer, log, tracer } = parts;
  const custody = createCustody({ slots, store: stores.custody, hashes: hashes.custody, clock, observer });
  const decide = createDecide({
    slots,
    policy: policies.current,
    // Contradictions are told by what the others have told.
    facts: [toCustodyFacts(custody), ...facts, createContradictionFacts(reference)],
    clock,
    newId,
    deadlineMs: config.decisionDeadlineMs,
    placeOfAddress: reference.placeOfAddress,
    tracer,
  });
  const record = log === null ? null : createRecordDecision(log);
  const settle = (unsettled: Decide) => settleDecisions(unsettled, { record, observer, remember });
  return { ...createOverloadGuard({ ...context, ...config, decide: settle(decide) }), settle };
}
