import type { EvidenceOrigin, Outcome, Signals } from './evidence.ts';
import type { RuleTrace } from './policy/rule-trace.ts';
import type { SignalsRead } from './policy/signals-read.ts';
import type { TelemetryCustody } from './policy/telemetry-signals.ts';
import type { Reason, Waiver } from './reason.ts';
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
  /** As the policy read it. */
  readonly custody: TelemetryCustody;
  readonly trace: readonly RuleTrace[];
  readonly policy: { readonly id: string; readonly hash: string };
  /** The signals that the policy reads of each provider. */
  readonly signalsRead: SignalsRead;
  readonly decidedAtMs: number;
  /**
   * When the first piece of evidence used expires; `decidedAtMs` when some evidence was missing, since the
   * next answer may differ.
   */
  readonly expiresAtMs: number;
  readonly latencyMs: number;
}
