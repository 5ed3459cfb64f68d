import { z } from 'zod';
import type { SubjectFacts } from '../policy/subject-fact.ts';

/** The variables of facts that a record has a place for; custody has one of its own. */
const FACT_VARIABLES = ['activity', 'step_up', 'lists', 'shared', 'contradictions'] as const;

const recordedFact = (what: string) =>
  z
    .union([z.looseObject({}).meta({ title: 'Values' }), z.enum(['unknown', 'none']), z.null()])
    .optional()
    .describe(
      `${what} as the policy read it; \`unknown\` where it could not be known, \`none\` where there was nothing to ask about, null where no rule needs it. Records of before it was kept lack it.`,
    );

/** The places of facts in a record. */
export const recordedFactsShape = {
  activity: recordedFact('The activity of the subject'),
  step_up: recordedFact('The step-up of the subject'),
  lists: recordedFact('What lists say of the subject'),
  shared: recordedFact('What others have told of the subject'),
  contradictions: recordedFact('Contradictions between pieces of evidence'),
} as const satisfies Record<(typeof FACT_VARIABLES)[number], z.ZodType>;

/** What a record keeps of facts. */
export type RecordedFacts = {
  readonly [Name in (typeof FACT_VARIABLES)[number]]: z.output<(typeof recordedFactsShape)[Name]>;
};

/** Of a policy that reads none. */
export const NO_RECORDED_FACTS: RecordedFacts = Object.freeze({
  activity: null,
  step_up: null,
  lists: null,
  shared: null,
  contradictions: null,
});

/** The facts that a policy needs, as it read them: what was not told was unknown. */
export function toRecordedFacts(names: readonly string[], facts: SubjectFacts): RecordedFacts {
  let recorded: Record<string, unknown> | null = null;
  for (const name of names) {
    const place = placeOf(name);
    if (place === null) continue;
    const { variable, part } = place;
    recorded ??= { ...NO_RECORDED_FACTS };
    const value = facts[name] ?? 'unknown';
    // Parts of one variable stand together under it, in an object of this record's own.
    if (part === undefined) recorded[variable] = value;
    else {
      recorded[variable] ??= {};
      (recorded[variable] as Record<string, unknown>)[part] = value;
    }
  }
  return (recorded as RecordedFacts | null) ?? NO_RECORDED_FACTS;
}

/** Where a fact stands in records. */
interface FactPlace {
  readonly variable: (typeof FACT_VARIABLES)[number];
  /** Undefined for a fact that is all of its variable. */
  readonly part: string | undefined;
}

/** Of names that policies have, which are few. */
const places = new Map<string, FactPlace | null>();

/** Null for a fact that records have another place for. */
function placeOf(name: string): FactPlace | null {
  let place = places.get(name);
  if (place === undefined) {
    const [variable = '', part] = name.split('.');
    place = isFactVariable(variable) ? { variable, part } : null;
    places.set(name, place);
  }
  return place;
}

/** The value of a fact as a record has it; undefined where it was not recorded. */
export function recordedFactOf(recorded: Partial<RecordedFacts>, name: string): SubjectFacts[string] {
  const place = placeOf(name);
  if (place === null) return undefined;
  const { variable, part } = place;
  const value = recorded[variable] ?? undefined;
  // A record's facts were written from SubjectFacts.
  if (part === undefined) return value as SubjectFacts[string];
  return typeof value === 'object' && Object.hasOwn(value, part)
    ? (value[part] as SubjectFacts[string])
    : undefined;
}

function isFactVariable(name: string): name is (typeof FACT_VARIABLES)[number] {
  return (FACT_VARIABLES as readonly string[]).includes(name);
}
