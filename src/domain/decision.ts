import type { RecordedFacts } from './decision-log/recorded-facts.ts';
import type { RecordedRequest } from './decision-log/recorded-request.ts';
import type { EvidenceOrigin, OtherNames, Outcome, Signals } from './evidence.ts';
import type { Coordinates } from './great-circle.ts';
import type { RuleTrace } from './policy/rule-trace.ts';
import type { TelemetryCustody } from './policy/telemetry-signals.ts';
import type { ChallengeDemand, Reason, Waiver } from './reason.ts';
import type { Verdict } from './verdict.ts';

/** What one provider contributed to a decision. */
export interface EvidenceUse {
  readonly provider: string;
  readonly outcome: Outcome;
  readonly origin: EvidenceOrigin;
  /** How long this decision waited for the evidence. */
  readonly latencyMs: number;
  /** The age of the evidence when the decision was made; 0 without evidence. */
  readonly ageMs: number;
  readonly upstreamRequestId: string | null;
  /** As the policy read them; null where the outcome is indefinite or the provider was skipped. */
  readonly signals: Signals | null;
  /** The same as they are stored, without their ages: one object for all decisions that use this evidence. */
  readonly stored: Signals | null;
  /** Of that evidence; never recorded. */
  readonly otherNames?: OtherNames | undefined;
  /** The provider's `not_found` was in doubt when the decision was made. */
  readonly suspect: boolean;
}

/** The recorded answer. It holds no raw identifier. */
export interface Decision {
  /** UUIDv7. */
  readonly id: string;
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
  readonly waivers: readonly Waiver[];
  /**
   * At least one provider needed by the policy ended in an indefinite outcome, or custody that it needs is
   * unknown.
   */
  readonly degraded: boolean;
  /** One entry for each known provider, in registry order. */
  readonly evidence: readonly EvidenceUse[];
  /** What is kept of the request's signals. */
  readonly request: RecordedRequest;
  /** The keyed hash of the user's visitor fingerprint; null where no provider reports one. */
  readonly visitor: string | null;
  /** Where activity places the request, to a tenth of a degree; null where nothing says it. */
  readonly place: Coordinates | null;
  /** As the policy read it. */
  readonly custody: TelemetryCustody;
  /** The other facts about the subject, as the policy read them. */
  readonly facts: RecordedFacts;
  /** What would satisfy a CHALLENGE; null for any other verdict. */
  readonly challenge: ChallengeDemand | null;
  readonly trace: readonly RuleTrace[];
  readonly policy: { readonly id: string; readonly hash: string };
  readonly decidedAtMs: number;
  /**
   * When the first piece of evidence used expires; `decidedAtMs` when some evidence was missing, since the
   * next answer may differ.
   */
  readonly expiresAtMs: number;
  readonly latencyMs: number;
}
