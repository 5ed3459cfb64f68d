import type { Contradiction, ContradictionInput, Side } from '../contradictions/contradiction.ts';
import { CONTRADICTIONS_FACT } from '../contradictions/contradiction-signals.ts';
import { possibleTogether } from '../contradictions/possible-signals.ts';
import { CONTRADICTIONS } from '../contradictions/registry.ts';
import { ABSENT, type AnalysedProvider, isSoft, type ProviderValue, type Space } from './dimension.ts';
import { type Constraint, fillTable, NEVER } from './table.ts';

/** The most cells of one law. */
const CELLS_MAX = 30_000;
const FACT = CONTRADICTIONS_FACT.name;

/** A field of contradictions that some rule reads. */
interface Field {
  readonly name: string;
  readonly place: number;
  readonly size: number;
}

/**
 * What contradictions can be together: totals follow from single ones, and what compares the answer of a
 * provider finds nothing without it.
 */
export function contradictionLaws(space: Space): readonly Constraint[] {
  const fields = fieldsOf(space);
  const totals = fields.filter(({ name }) => !isSingle(name));
  const singles = fields.filter(({ name }) => isSingle(name));
  return [
    ...(totals.length === 0 ? [] : toGroups(totals, singles).map((group) => toTotalsLaw(group))),
    ...singles.flatMap(({ name, place }) =>
      CONTRADICTIONS.filter(({ id }) => id === name).flatMap((one) => toProviderLaws(one, place, space)),
    ),
  ];
}

/** False where the values of contradictions cannot be together although each law permits them. */
export function canBeTogether(space: Space, placeOf: (dimension: number) => number): boolean {
  const fields = fieldsOf(space);
  if (cellsOf(fields) <= CELLS_MAX || fields.every(({ name }) => isSingle(name))) return true;
  const fixed = new Map(fields.map(({ name, place }) => [name, placeOf(place)]));
  return possibleTogether([...fixed.keys()], fixed).size > 0;
}

function fieldsOf({ dimensions }: Space): readonly Field[] {
  return dimensions.flatMap(({ source, kind, path, values }, place) =>
    source === FACT && kind === 'signal' ? [{ name: path.join('.'), place, size: values.length }] : [],
  );
}

function isSingle(name: string): boolean {
  return CONTRADICTIONS.some(({ id }) => id === name);
}

/** All of them where that is one small table; otherwise the totals, and each of them with a few at a time. */
function toGroups(totals: readonly Field[], singles: readonly Field[]): readonly (readonly Field[])[] {
  if (cellsOf([...totals, ...singles]) <= CELLS_MAX) return [[...totals, ...singles]];
  const parts = totals.flatMap((total) => {
    const groups: Field[][] = [[total]];
    for (const single of singles) {
      const last = groups.at(-1) ?? [];
      if (cellsOf([...last, single]) <= CELLS_MAX) last.push(single);
      else groups.push([total, single]);
    }
    return groups;
  });
  return totals.length > 1 ? [[...totals], ...parts] : parts;
}

function cellsOf(fields: readonly Field[]): number {
  return fields.reduce((product, { size }) => product * size, 1);
}

function toTotalsLaw(fields: readonly Field[]): Constraint {
  const sorted = fields.toSorted((left, right) => left.place - right.place);
  const together = possibleTogether(sorted.map(({ name }) => name));
  const scope = sorted.map(({ place }) => place);
  const sizes = sorted.map(({ size }) => size);
  const codes = fillTable(scope, sizes, (assignment) =>
    together.has(scope.map((place) => assignment.get(place)).join()) ? 1 : NEVER,
  );
  return { scope, sizes, codes, isFormal: false };
}

function toProviderLaws(contradiction: Contradiction, place: number, space: Space): readonly Constraint[] {
  const fact = space.places.get(FACT) ?? -1;
  return [...space.providers.values()].flatMap((provider) => {
    const at = space.places.get(provider.id);
    if (at === undefined || !contradiction.reads.some((part) => part === provider.id)) return [];
    const scope = [at, fact, place].toSorted((left, right) => left - right);
    const valueAt = (one: number, assignment: ReadonlyMap<number, number>) =>
      space.dimensions[one]?.values[assignment.get(one) ?? 0];
    const sizes = scope.map((one) => space.dimensions[one]?.values.length ?? 1);
    const codes = fillTable(scope, sizes, (assignment) => {
      if (valueAt(fact, assignment) !== 'known') return 1;
      const found = findingsWith(contradiction, provider, valueAt(at, assignment) as ProviderValue);
      return found === null || found.has(nameOf(valueAt(place, assignment))) ? 1 : NEVER;
    });
    // Losing the provider loses the contradiction at the same time: it says nothing of one of them alone.
    return [{ scope, sizes, codes, isFormal: true }];
  });
}

function nameOf(value: unknown): string {
  if (isSoft(value)) return 'none';
  return value === ABSENT ? 'unknown' : String(value);
}

/** What a contradiction can come to when a provider ends so; null for anything. */
function findingsWith(
  { find }: Contradiction,
  { id: provider, notFoundSignals, unsupportedSignals }: AnalysedProvider,
  { outcome }: ProviderValue,
): ReadonlySet<string> | null {
  const withSide = (side: Side, others: Side) => find(toInput(provider, side, others));
  // Whatever else is known: nothing can be found without this provider.
  const hinges = withSide('none', 'unknown') === 'none';
  if (!hinges || outcome === 'ok') return null;
  const lost = withSide('unknown', 'none') === 'unknown' ? ['unknown'] : ['unknown', 'none'];
  if (outcome === 'skipped') return new Set(['none']);
  const answers = { not_found: notFoundSignals, unsupported: unsupportedSignals };
  const answer = outcome === 'not_found' || outcome === 'unsupported' ? answers[outcome] : null;
  if (answer === null) return new Set(lost);
  if (withSide(answer, 'unknown') !== 'none') return null;
  // While a provider is suspect, what it does not find is lost.
  return new Set(outcome === 'not_found' ? ['none', ...lost] : ['none']);
}

/** This side, and the same of all others. */
function toInput(provider: string, side: Side, others: Side): ContradictionInput {
  const rest = others === 'unknown' ? null : undefined;
  const sideOf = (id: string) => (id === provider ? side : others);
  return {
    evidence: { stytch: sideOf('stytch'), mobilerun: sideOf('mobilerun'), prefactor: sideOf('prefactor') },
    request: { userAgent: rest, ip: rest, place: rest },
    memory: { places: rest, hardware: { devices: rest, accounts: rest }, telemetryFirstUsedMs: rest },
    nowMs: 0,
    params: {},
    reference: { countriesOfTimeZone: knowNoCode, countriesOfMcc: knowNoCode },
  };
}

/** A code that is not known is lost, as the other side is: what is asked is whether there is anything to compare. */
function knowNoCode(): null {
  return null;
}
