import type { Clock } from '../application/clock.ts';
import { createDecide } from '../application/decide.ts';
import type { EvidenceSource } from '../application/evidence/evidence-source.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { toDecisionBody } from '../http/schemas/decide.ts';

/** After so many the functions of the path are compiled; all take some tens of milliseconds at the start. */
const ROUNDS = 20;
const DEADLINE_MS = 1;

interface WarmUpOptions {
  readonly slots: readonly ProviderSlot[];
  readonly policy: () => CompiledPolicy;
  readonly clock: Clock;
  readonly newId: () => string;
}

/**
 * Runs the code of a decision and of its deadline, so that the first caller does not wait for the compiler.
 * No provider, store, log or observer is asked or told: nothing answers, and nothing is kept.
 */
export async function warmUp({ slots, policy, clock, newId }: WarmUpOptions): Promise<void> {
  const decide = createDecide({
    slots: slots.map((slot) => ({ ...slot, source: slot.source && toSilent(slot.source) })),
    policy,
    custody: { take: () => ({ names: [], record: null }), conclude: () => 'unknown' },
    clock,
    newId,
    deadlineMs: DEADLINE_MS,
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    // Without ids nothing is waited for and every id is unknown; with them every provider is too late.
    const id = round % 2 === 0 ? null : 'warm-up';
    const subject = { telemetryId: id, device: { kind: 'shared', id } } as const;
    const decision = await decide(subject, { maxAgeMs: null, deadlineMs: null });
    JSON.stringify(toDecisionBody(decision, true));
  }
}

function toSilent(source: EvidenceSource): EvidenceSource {
  return {
    id: source.id,
    subject: source.subject,
    notFoundSignals: source.notFoundSignals,
    look: () => new Promise(() => {}),
    present: (signals, nowMs) => source.present(signals, nowMs),
    subjectExpiresAtMs: () => null,
    subjectCreatedAtMs: () => null,
    keyOf: (id) => id,
    olderKeysOf: () => [],
    isSuspect: () => false,
  };
}
