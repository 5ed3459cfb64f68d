import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import type { OnOutcome } from '../application/decision-log/outcome-listener.ts';
import type { FactSource } from '../application/facts/fact-source.ts';
import { createOutcomeStepUps } from '../application/step-up/outcome-step-ups.ts';
import { createReportStepUp, type ReportStepUp } from '../application/step-up/report-step-up.ts';
import { toStepUpFacts } from '../application/step-up/step-up-facts.ts';
import { createStepUps } from '../application/step-up/step-ups.ts';
import type { AppContext } from './context.ts';
import type { IdHashes } from './id-hashes.ts';
import type { Stores } from './stores.ts';

interface StepUpParts {
  readonly hashes: IdHashes;
  readonly stores: Stores;
  readonly policies: KnownPolicies;
}

/** Where step-ups are told, and what they mean for decisions. */
interface WiredStepUps {
  readonly facts: FactSource;
  readonly reportStepUp: ReportStepUp;
  readonly onOutcome: OnOutcome;
}

/** Wires who has completed a challenge. */
export function wireStepUps(
  { clock }: AppContext,
  { hashes, stores: { stepUps: store }, policies }: StepUpParts,
): WiredStepUps {
  const stepUps = createStepUps({ store, hashes: hashes.records, clock, policy: policies.current });
  return {
    facts: toStepUpFacts(stepUps, clock),
    reportStepUp: createReportStepUp(stepUps, clock),
    onOutcome: createOutcomeStepUps(stepUps, store, clock),
  };
}
