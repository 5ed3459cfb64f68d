import type { Finding } from './contradiction.ts';
import { BECAUSE, BETWEEN, NOTHING_COMPARED, TOTALS } from './contradiction-signals.ts';
import { toContradictionSignals } from './find-contradictions.ts';
import { CONTRADICTIONS } from './registry.ts';

/**
 * What was told of contradictions, as it would be if this provider had not answered: what compares its answer,
 * or what its answer names in memory, is unknown. `told` is what a record keeps, and may have any shape.
 */
export function contradictionsWithout(provider: string, told: object) {
  const nothing: unknown = Reflect.get(told, NOTHING_COMPARED);
  const because: unknown = Reflect.get(told, BECAUSE);
  const between: object = Object(Reflect.get(told, BETWEEN)) as object;
  const hasTotals = Object.keys(TOTALS).some(
    (name) => Object.hasOwn(told, name) || Object.hasOwn(between, name),
  );
  const findingOf = (id: string): Finding => {
    const result: unknown = Reflect.get(told, id);
    if (typeof result === 'boolean') return { result, because: Object(Reflect.get(Object(because), id)) };
    return Array.isArray(nothing) && nothing.includes(id) ? 'none' : 'unknown';
  };
  const findings = CONTRADICTIONS.map(({ id, reads, namedBy = [] }) =>
    [...reads, ...namedBy].some((part) => part === provider) ? 'unknown' : findingOf(id),
  );
  return toContradictionSignals({ wanted: CONTRADICTIONS, hasTotals }, findings);
}
