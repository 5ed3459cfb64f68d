import type { ObjectType, SignalType } from '../policy/signal-type.ts';
import type { Softness, SubjectFact } from '../policy/subject-fact.ts';
import { FAMILIES } from './contradiction.ts';
import { possibleValues } from './possible-signals.ts';
import { CONTRADICTIONS } from './registry.ts';

/** The name of the fact, which is its variable. */
const VARIABLE = 'contradictions';

/** What is told of all contradictions together. */
export const TOTALS = {
  count: {
    kind: 'int',
    most: CONTRADICTIONS.length,
    meaning:
      'How many contradictions are certain. Where some are unknown, a condition is true, or false, only if it is for every number that this could be.',
  },
  families: {
    kind: 'int',
    most: FAMILIES.length,
    meaning: `Of how many families those are (${FAMILIES.join(', ')}), likewise.`,
  },
  strongest: {
    kind: 'string',
    most: 0,
    meaning: 'The id of the strongest of them, in the order of this table; empty where there is none.',
  },
} as const;

/** In a known value: the contradictions that had nothing to compare. */
export const NOTHING_COMPARED = 'none';
/** In a known value: the least and the most that an unknown number can be, by its name. */
export const BETWEEN = 'between';
/** In a known value: both sides and the working, by the id of the contradiction. */
export const BECAUSE = 'because';

const type: ObjectType = {
  kind: 'object',
  fields: new Map<string, SignalType>([
    ...CONTRADICTIONS.map(({ id }) => [id, { kind: 'bool' }] as const),
    ...Object.entries(TOTALS).map(([name, { kind }]) => [name, { kind }] as const),
  ]),
};

/** Contradictions between pieces of evidence, as the variable `contradictions`. */
export const CONTRADICTIONS_FACT: SubjectFact = {
  name: VARIABLE,
  typeOf: () => type,
  whole: [],
  isOfAll: true,
  completionsMax: ([name = '']) => (name in TOTALS ? TOTALS[name as keyof typeof TOTALS].most + 1 : 1),
  softnessOf: toSoftness,
  addSoftness,
  valuesOf: ([name = '']) => possibleValues(name),
  needsOf: (paths) => wantedBy(paths).flatMap(({ needs = [] }) => needs),
  parametersOf: (paths) => wantedBy(paths).flatMap(({ params = {} }) => Object.keys(params)),
  whyAbsent: { none: 'nothing to compare', unknown: 'contradictions unavailable' },
};

/** The contradictions that are looked for where these fields are read: all of them for a total. */
export function wantedBy(paths: readonly (readonly string[])[]) {
  const names = new Set(paths.map(([name = '']) => name));
  if (Object.keys(TOTALS).some((name) => names.has(name))) return CONTRADICTIONS;
  return CONTRADICTIONS.filter(({ id }) => names.has(id));
}

/** A record's value has any shape: what it does not say is lost. */
function toSoftness(value: object, [name = '']: readonly string[]): Softness | null {
  const nothing: unknown = Reflect.get(value, NOTHING_COMPARED);
  if (Array.isArray(nothing) && nothing.includes(name)) return 'nothing';
  const range: unknown = Reflect.get(Object(Reflect.get(value, BETWEEN)), name);
  const [least, most]: unknown[] = [Reflect.get(Object(range), 'least'), Reflect.get(Object(range), 'most')];
  if (typeof least !== 'number' || typeof most !== 'number' || !(name in TOTALS)) return null;
  const end = Math.min(most, TOTALS[name as keyof typeof TOTALS].most);
  return least >= 0 && least <= end ? { least, most: end } : null;
}

function addSoftness(
  value: Record<string, unknown>,
  [name = '']: readonly string[],
  softness: Softness,
): void {
  if (softness === 'nothing') {
    const nothing: unknown = value[NOTHING_COMPARED];
    value[NOTHING_COMPARED] = [...(Array.isArray(nothing) ? nothing : []), name];
  } else value[BETWEEN] = { ...Object(value[BETWEEN]), [name]: softness };
}
