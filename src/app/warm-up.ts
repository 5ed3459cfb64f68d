import type { Clock } from '../application/clock.ts';
import { createDecide } from '../application/decide.ts';
import type { Config } from '../config/config.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { toDecisionBody } from '../http/schemas/decide.ts';
import { EXAMPLE_ID, type ProviderDefinition } from '../providers/definition.ts';
import { createRehearsalSlots } from './rehearsal-slots.ts';

/** After so many the functions of the path are compiled; all take some tens of milliseconds at the start. */
const ROUNDS = 10;

interface WarmUpOptions {
  readonly config: Pick<Config, 'providers' | 'decisionDeadlineMs'>;
  readonly providers: readonly ProviderDefinition[];
  readonly policy: () => CompiledPolicy;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Opens a connection to each provider, within a bound. */
  readonly connect: () => Promise<void>;
}

/** Spares the first caller what every first time costs: the connections, and the compiler's work. */
export async function warmUp({ connect, ...options }: WarmUpOptions): Promise<void> {
  const connected = connect();
  await rehearse(options);
  await connected;
}

/**
 * Runs the code of a decision, with examples for answers. No provider, store, log or observer is asked or
 * told, and nothing is kept.
 */
async function rehearse({ policy, newId, ...options }: Omit<WarmUpOptions, 'connect'>): Promise<void> {
  const { clock, config } = options;
  const decide = createDecide({
    slots: createRehearsalSlots(options),
    policy,
    facts: [],
    clock,
    newId,
    deadlineMs: config.decisionDeadlineMs,
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    // Every other round asks the providers anew; the others find the evidence of the one before.
    const subject = { telemetryId: EXAMPLE_ID, device: { kind: 'shared', id: EXAMPLE_ID } } as const;
    const decision = await decide(subject, { maxAgeMs: round % 2 === 0 ? 0 : null, deadlineMs: null });
    JSON.stringify(toDecisionBody(decision, { explain: true, canReportOutcome: true, isTest: false }));
  }
}
