import { isDefinite } from '../../src/domain/evidence.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import type { RequestSignals } from '../../src/domain/policy/request-signals.ts';
import { findFactField, type SubjectFacts } from '../../src/domain/policy/subject-fact.ts';
import { SUBJECT_FACTS } from '../../src/domain/policy/subject-facts.ts';
import {
  ABSENT,
  ANYTHING,
  type Dimension,
  isSoft,
  type ProviderValue,
  type Space,
  UNREADABLE,
} from '../../src/domain/policy-analysis/dimension.ts';
import { isThere } from '../../src/domain/policy-analysis/to-witness.ts';

/** What the engine is given for one decision. */
export interface EngineInput {
  readonly evidence: Readonly<Record<string, PolicyEvidence>>;
  readonly request: RequestSignals;
  readonly facts: SubjectFacts;
}

/**
 * The cells of a space that may stand for this input, as the places of values by those of dimensions: several
 * where conditions may not tell some values apart. Empty where none stands for it.
 */
export function cellsOf(space: Space, input: EngineInput): readonly ReadonlyMap<number, number>[] {
  let cells: Map<number, number>[] = [new Map()];
  space.dimensions.forEach((dimension, place) => {
    cells = cells.flatMap((cell) => {
      const valueAt = (at: number) => space.dimensions[at]?.values[cell.get(at) ?? 0];
      const chosen = isThere(dimension, space, valueAt) ? placesOf(dimension, input) : [0];
      return chosen.map((value) => new Map([...cell, [place, value]]));
    });
  });
  return cells;
}

function placesOf(dimension: Dimension, input: EngineInput): readonly number[] {
  const { kind, source, values } = dimension;
  const fits = (isRight: (value: unknown) => boolean) =>
    values.flatMap((value, place) => (isRight(value) ? [place] : []));
  if (kind === 'provider') {
    const { outcome, suspect = false } = input.evidence[source] ?? { outcome: 'skipped' };
    const isSame = (value: ProviderValue) =>
      value.outcome === outcome || (!isDefinite(value.outcome) && !isDefinite(outcome));
    const exact = fits((value) => (value as ProviderValue).outcome === outcome);
    const close = exact.length > 0 ? exact : fits((value) => isSame(value as ProviderValue));
    const told = close.filter((place) => (values[place] as ProviderValue).suspect === suspect);
    return told.length > 0 ? told : close;
  }
  if (kind === 'fact') {
    const fact = input.facts[source] ?? 'unknown';
    return fits((value) => value === (typeof fact === 'object' ? 'known' : fact));
  }
  return placesOfSignal(dimension, input, fits);
}

function placesOfSignal(
  { source, path, name, values }: Dimension,
  { evidence, request, facts }: EngineInput,
  fits: (isRight: (value: unknown) => boolean) => readonly number[],
): readonly number[] {
  const isOfAddress = ['request.ip', 'request.country', 'request.asn'].includes(name);
  const isHidden = request.ipUnreadable === true || (request.placeLost === true && name !== 'request.ip');
  if (isOfAddress && isHidden) return fits((value) => value === UNREADABLE);
  const around: unknown = source === 'request' ? request : (facts[source] ?? evidence[source]?.signals);
  const real = path.reduce<unknown>((object, step) => Reflect.get(Object(object), step), around);
  if (real === undefined) {
    const soft =
      findFactField(SUBJECT_FACTS, name.split('.'))?.fact.softnessOf?.(Object(around), path) ?? null;
    if (soft === null) return fits((value) => value === ABSENT);
    return fits((value) => isSoft(value) && JSON.stringify(value.softness) === JSON.stringify(soft));
  }
  if (Array.isArray(real)) {
    // An item that no condition looks for tells nothing.
    const known = new Set(values.flatMap((value) => (Array.isArray(value) ? value : [])));
    const told = real.filter((item) => known.has(item));
    return fits((value) => value === ANYTHING || (Array.isArray(value) && isSame(value, told)));
  }
  const exact = fits((value) => typeof value !== 'symbol' && !isSoft(value) && isSame(value, real));
  if (exact.length > 0) return exact;
  // Of values that stand for others: all that have the same relation to their neighbours.
  const others = fits((value) => typeof value === typeof real && !isSoft(value) && !Array.isArray(value));
  const open = fits((value) => value === ANYTHING);
  if (typeof real !== 'number') return [...others, ...open];
  const numbers = values.filter((value) => typeof value === 'number');
  const below = Math.max(...numbers.filter((value) => value < real));
  const above = Math.min(...numbers.filter((value) => value > real));
  return [...fits((value) => value === below || value === above), ...open];
}

function isSame(value: unknown, real: unknown): boolean {
  if (!Array.isArray(value) || !Array.isArray(real))
    return isPlain(value) && isPlain(real) ? true : value === real;
  return value.every((one) => real.includes(one)) && real.every((one) => value.includes(one));
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
