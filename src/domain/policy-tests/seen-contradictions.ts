import type { Finding } from '../contradictions/contradiction.ts';
import { BETWEEN, TOTALS } from '../contradictions/contradiction-signals.ts';
import { toContradictionPlan, toContradictionSignals } from '../contradictions/find-contradictions.ts';
import { CONTRADICTIONS } from '../contradictions/registry.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';

type Told = ReturnType<typeof toContradictionSignals>;

/**
 * What contradictions came to, by their ids; those that are not named had nothing to compare. Totals follow from
 * them where they are not given; `lost` is one of which nothing is known.
 */
export type GivenContradictions = Readonly<Record<string, boolean | number | string>>;

/** The fact of these findings. Throws for a contradiction that there is not. */
export function seenContradictions(given: GivenContradictions | 'unknown' = {}): SubjectFacts {
  if (given === 'unknown') return { contradictions: given };
  for (const id of Object.keys(given))
    if (!(id in TOTALS) && !CONTRADICTIONS.some((each) => each.id === id))
      throw new Error(`no contradictions.${id}`);
  const findings = CONTRADICTIONS.map(({ id }): Finding => {
    const result = given[id] ?? 'none';
    if (typeof result === 'boolean') return { result, because: {} };
    return result === 'unknown' ? result : 'none';
  });
  const told = toContradictionSignals(toContradictionPlan([['count']], {}), findings);
  return { contradictions: withTotals(told, given) };
}

function withTotals(told: Told, given: GivenContradictions): Told {
  const own = Object.keys(TOTALS).filter((name) => given[name] !== undefined);
  if (own.length === 0) return told;
  const between: Record<string, unknown> = { ...Object(told[BETWEEN]) };
  const value: Record<string, unknown> = { ...told };
  for (const name of own) {
    delete between[name];
    if (given[name] === 'lost') delete value[name];
    else value[name] = given[name];
  }
  value[BETWEEN] = between;
  return value as Told;
}
