import type { Decision } from '../domain/decision.ts';
import { NO_RECORDED_FACTS } from '../domain/decision-log/recorded-facts.ts';
import { toRecordedRequest } from '../domain/decision-log/recorded-request.ts';
import type { Outcome } from '../domain/evidence.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { toRequestSignals } from '../domain/policy/request-signals.ts';
import type { Subject } from '../domain/subject.ts';
import type { Clock } from './clock.ts';
import { enabledDeviceProviders, type ProviderSlot } from './evidence/gather-evidence.ts';

/** What a decision is made of that no evidence is gathered for. */
export interface UnaskedDependencies {
  /** Those of all providers, in registry order. */
  readonly slots: readonly ProviderSlot[];
  readonly policy: () => CompiledPolicy;
  readonly clock: Clock;
  /** A new UUIDv7. */
  readonly newId: () => string;
}

/** What is decided, and why. */
interface Unasked extends Pick<Decision, 'verdict' | 'reasons'> {
  /** How every enabled provider is to have ended; `skipped` unless given. */
  readonly outcome?: Outcome;
  readonly degraded?: boolean;
  readonly latencyMs?: number;
}

/** Builds decisions for which no provider, store or rule is asked. */
export function createUnaskedDecision({ slots, policy, clock, newId }: UnaskedDependencies) {
  const enabledDevices = enabledDeviceProviders(slots);
  return (
    subject: Subject,
    { verdict, reasons, outcome = 'skipped', degraded = false, latencyMs = 0 }: Unasked,
  ): Decision => {
    const { id, hash } = policy();
    const decidedAtMs = clock.nowMs();
    return {
      id: newId(),
      verdict,
      reasons,
      waivers: [],
      degraded,
      evidence: slots.map(({ id: provider, source }) => ({
        provider,
        outcome: source === null ? 'skipped' : outcome,
        origin: 'none',
        latencyMs: 0,
        ageMs: 0,
        upstreamRequestId: null,
        signals: null,
        stored: null,
        suspect: false,
      })),
      request: toRecordedRequest(toRequestSignals(subject, enabledDevices)),
      visitor: null,
      place: null,
      custody: 'none',
      facts: NO_RECORDED_FACTS,
      challenge: verdict === 'CHALLENGE' ? { acr_values: [], max_age_seconds: null } : null,
      trace: [],
      policy: { id, hash },
      decidedAtMs,
      expiresAtMs: decidedAtMs,
      latencyMs,
    };
  };
}
