import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { Clock } from './clock.ts';
import type { Decide } from './decide.ts';

/** The reason code of a subject whose ids can be read in more than one way. */
const SUBJECT_AMBIGUOUS = 'SUBJECT_AMBIGUOUS';

interface BlockAmbiguousDependencies {
  /** The ids of all providers, in registry order. */
  readonly providers: readonly string[];
  readonly policy: () => CompiledPolicy;
  readonly clock: Clock;
  /** A new UUIDv7. */
  readonly newId: () => string;
}

/** Builds the decision on an ambiguous subject: BLOCK under every policy, and no provider is asked. */
export function createBlockAmbiguous(dependencies: BlockAmbiguousDependencies): Decide {
  const { providers, policy, clock, newId } = dependencies;
  return () => {
    const { id, hash, signalsRead } = policy();
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
      evidence: providers.map((provider) => ({
        provider,
        outcome: 'skipped',
        origin: 'none',
        latencyMs: 0,
        ageMs: 0,
        upstreamRequestId: null,
        signals: null,
        suspect: false,
      })),
      custody: 'none',
      trace: [],
      signalsRead,
      policy: { id, hash },
      decidedAtMs,
      expiresAtMs: decidedAtMs,
      latencyMs: 0,
    };
  };
}
