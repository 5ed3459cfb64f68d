import {
  DEFINITE_OUTCOMES,
  type Evidence,
  type Outcome,
  type SettledOutcome,
} from '../../domain/evidence.ts';

/** The outcomes that may be kept: they carry signals and say something lasting about the subject. */
const SETTLED_OUTCOMES: ReadonlySet<Outcome> = new Set(
  DEFINITE_OUTCOMES.filter((outcome): outcome is SettledOutcome => outcome !== 'skipped'),
);

/** True for the outcomes that a store may keep. */
export function isSettled(outcome: Outcome): outcome is SettledOutcome {
  return SETTLED_OUTCOMES.has(outcome);
}

/**
 * Whole milliseconds for which evidence may still be kept; 0 when it must not be kept at all: expired,
 * without an expiry, or not settled.
 */
export function remainingLifeMs(evidence: Evidence, nowMs: number): number {
  if (evidence.expiresAtMs === null || !isSettled(evidence.outcome)) return 0;
  return Math.max(0, Math.floor(evidence.expiresAtMs - nowMs));
}
