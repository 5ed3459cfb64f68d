import type { Finding } from '../contradictions/contradiction.ts';
import { toContradictionPlan, toContradictionSignals } from '../contradictions/find-contradictions.ts';
import { CONTRADICTIONS } from '../contradictions/registry.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';

/** What contradictions came to, by their ids; those that are not named had nothing to compare. */
export type GivenContradictions = Readonly<Record<string, boolean | 'unknown' | 'none'>>;

/** The fact of these findings. Throws for a contradiction that there is not. */
export function seenContradictions(given: GivenContradictions | 'unknown' = {}): SubjectFacts {
  if (given === 'unknown') return { contradictions: given };
  for (const id of Object.keys(given))
    if (!CONTRADICTIONS.some((each) => each.id === id)) throw new Error(`no contradictions.${id}`);
  const findings = CONTRADICTIONS.map(({ id }): Finding => {
    const result = given[id] ?? 'none';
    return typeof result === 'boolean' ? { result, because: {} } : result;
  });
  return { contradictions: toContradictionSignals(toContradictionPlan([['count']], {}), findings) };
}
