import { NO_RECORDED_FACTS } from '../domain/decision-log/recorded-facts.ts';
import { toRecordedRequest } from '../domain/decision-log/recorded-request.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { toRequestSignals } from '../domain/policy/request-signals.ts';
import type { Clock } from './clock.ts';
import type { Decide } from './decide.ts';
import { enabledDeviceProviders, type ProviderSlot } from './evidence/gather-evidence.ts';

/** The reason code of a subject whose ids can be read in more than one way. */
const SUBJECT_AMBIGUOUS = 'SUBJECT_AMBIGUOUS';

interface BlockAmbiguousDependencies {
  /** Those of all providers, in registry order. */
  readonly slots: readonly ProviderSlot[];
  readonly policy: () => CompiledPolicy;
  readonly clock: Clock;
  /** A new UUIDv7. */
  readonly newId: () => string;
}

/** Builds the decision on an ambiguous subject: BLOCK under every policy, and no provider is asked. */
export function createBlockAmbiguous(dependencies: BlockAmbiguousDependencies): Decide {
  const { slots, policy, clock, newId } = dependencies;
  const enabledDevices = enabledDeviceProviders(slots);
  return (subject) => {
    const { id, hash } = policy();
    const decidedAtMs = clock.nowMs();
    return {
      id: newId(),
      verdict: 'BLOCK',
      reasons: [
        {
          code: SUBJECT_AMBIGUOUS,
          rule: 'subject-ambiguous',
          verdict: 'BLOCK',
          providers: [],
          certain: true,
        },
      ],
      waivers: [],
      degraded: false,
      evidence: slots.map(({ id: provider }) => ({
        provider,
        outcome: 'skipped',
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
      custody: 'none',
      facts: NO_RECORDED_FACTS,
      challenge: null,
      trace: [],
      policy: { id, hash },
      decidedAtMs,
      expiresAtMs: decidedAtMs,
      latencyMs: 0,
    };
  };
}
