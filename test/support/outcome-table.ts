import { isDefinite, OUTCOMES, type Outcome, type Signals } from '../../src/domain/evidence.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { VENDORS } from './vendors.ts';

/** A request that carries both ids. */
export const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };

/** The best that each provider can say. */
const CLEAN: Record<string, Signals> = {
  stytch: { found: true, action: 'ALLOW', reasons: [], is_authentic: true },
  mobilerun: { found: true, supported: true },
  prefactor: { found: true, status: 'active' },
};

/** Evidence of a provider with this outcome, and nothing else against the subject. */
export function evidenceOf(id: string, outcome: Outcome): PolicyEvidence {
  if (outcome === 'ok') return { outcome, signals: CLEAN[id] ?? null };
  if (outcome === 'not_found') {
    return { outcome, signals: VENDORS.find((provider) => provider.id === id)?.notFoundSignals ?? null };
  }
  if (outcome === 'unsupported') return { outcome, signals: { found: true, supported: false } };
  return { outcome, signals: null };
}

/** What the documentation promises, worked out from the outcomes alone and without the policy engine. */
export function expectedVerdict(outcomes: readonly Outcome[]): Verdict {
  if (outcomes.includes('not_found')) return 'BLOCK';
  if (outcomes.some((outcome) => !isDefinite(outcome))) return 'CHALLENGE';
  return outcomes[1] === 'unsupported' ? 'CHALLENGE' : 'ALLOW';
}

/** Outcomes that a provider can have; only Mobilerun has devices that it knows and cannot read. */
export function outcomesOf(id: string): readonly Outcome[] {
  return OUTCOMES.filter((outcome) => outcome !== 'unsupported' || id === 'mobilerun');
}

/** Every way of taking one of each list. */
export function combinations<Value = Outcome>(lists: readonly (readonly Value[])[]): Value[][] {
  const [first, ...rest] = lists;
  if (first === undefined) return [[]];
  const tails = combinations(rest);
  return first.flatMap((value) => tails.map((tail) => [value, ...tail]));
}
