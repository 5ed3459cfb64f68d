import { findFactField, type SoftValue } from '../policy/subject-fact.ts';
import { SUBJECT_FACTS } from '../policy/subject-facts.ts';
import { canBeTogether } from './contradiction-laws.ts';
import {
  ABSENT,
  ANYTHING,
  type AnalysedProvider,
  type Dimension,
  hasSignals,
  isSoft,
  type ProviderValue,
  type Space,
  UNREADABLE,
} from './dimension.ts';
import type { Witness } from './witness.ts';

/** The places of values, by the places of their dimensions. What is not assigned has its first value. */
export type Assignment = ReadonlyMap<number, number>;

type Fields = Record<string, unknown>;

/** Of no place. */
const NOTHING: Dimension = {
  name: '',
  kind: 'signal',
  source: '',
  path: [],
  values: [],
  parent: -1,
  isClient: false,
};

/** The evidence that an assignment stands for; null where it stands for no certain one. */
export function toWitness(space: Space, assignment: Assignment): Witness | null {
  const { dimensions } = space;
  const valueAt = (place: number) => dimensions[place]?.values[assignment.get(place) ?? 0];
  const isOpen = dimensions.some(
    (dimension, place) => valueAt(place) === ANYTHING && isThere(dimension, space, valueAt),
  );
  const isPossible = !isOpen && canBeTogether(space, (place) => assignment.get(place) ?? 0);
  return isPossible ? toEvidence(space, assignment) : null;
}

/** The same of these dimensions alone; a signal that may have any value is absent. */
export function toEvidence(
  { dimensions, providers }: Space,
  assignment: Assignment,
  among: Iterable<number> = dimensions.keys(),
): Witness {
  const valueAt = (place: number) => dimensions[place]?.values[assignment.get(place) ?? 0];
  const evidence: Witness['evidence'] = {};
  const facts: Witness['facts'] = {};
  const request: Fields = {};
  const sources = new Map([['request', request]]);
  for (const place of among) {
    const dimension = dimensions[place] ?? NOTHING;
    const { kind, source, path } = dimension;
    const value = valueAt(place);
    if (kind === 'signal') {
      const within = sources.get(source);
      if (within !== undefined && isSoft(value)) addSoftness(within, dimension, value);
      else if (within !== undefined) setPath(within, path, value, Object.hasOwn(facts, source));
      continue;
    }
    const signals: Fields = kind === 'fact' ? {} : { found: true };
    const isKnown = hasSignals(dimension, value);
    if (isKnown) sources.set(source, signals);
    if (kind === 'fact') facts[source] = isKnown ? signals : (value as 'unknown' | 'none');
    else evidence[source] = toPiece(value as ProviderValue, signals, providers.get(source));
  }
  // An address that cannot be read is not looked up.
  if ('ipUnreadable' in request) delete request['placeLost'];
  // What it holds is of the types of its dimensions.
  return { evidence, request: request as Witness['request'], facts };
}

/** True where the source of a signal has signals, and every signal around it is there. */
export function isThere({ parent }: Dimension, space: Space, valueAt: (place: number) => unknown): boolean {
  const outer = space.dimensions[parent];
  if (outer === undefined) return true;
  const value = valueAt(parent);
  if (outer.kind === 'signal') return value !== ABSENT && isThere(outer, space, valueAt);
  return hasSignals(outer, value);
}

function addSoftness(within: Fields, { name, path }: Dimension, { softness }: SoftValue): void {
  findFactField(SUBJECT_FACTS, name.split('.'))?.fact.addSoftness?.(within, path, softness);
}

/** What is around a signal of a fact has no dimension of its own, and is there. */
function setPath(object: Fields, path: readonly string[], value: unknown, isOfFact: boolean): void {
  const [name = '', ...rest] = path;
  if (rest.length > 0) {
    if (isOfFact) object[name] ??= {};
    const inner = object[name];
    if (inner !== undefined) setPath(inner as Fields, rest, value, isOfFact);
  } else if (value === UNREADABLE) object[name === 'ip' ? 'ipUnreadable' : 'placeLost'] = true;
  else if (value !== ABSENT && value !== ANYTHING) object[name] = isObject(value) ? {} : value;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value);
}

function toPiece(
  { outcome, suspect }: ProviderValue,
  answered: Fields,
  provider: AnalysedProvider | undefined,
): Witness['evidence'][string] {
  const signals =
    outcome === 'ok'
      ? answered
      : outcome === 'not_found'
        ? provider?.notFoundSignals
        : outcome === 'unsupported'
          ? provider?.unsupportedSignals
          : null;
  return { outcome, ...(suspect && { suspect }), ...(signals && { signals: signals as Fields }) };
}
