import type { SignalValue } from '../evidence.ts';
import type { ObjectType } from './signal-type.ts';

/** What a fact says of a subject, by field. A field that is absent is unknown. */
type KnownFact = { readonly [field: string]: SignalValue | undefined };

/**
 * One fact in one decision: `unknown` where nobody could tell it, and `none` where the subject lacks what it
 * would be about.
 */
type FactValue = KnownFact | 'unknown' | 'none';

/** The facts of one decision by their names. One that is not given is unknown. */
export type SubjectFacts = { readonly [name: string]: FactValue | undefined };

/**
 * What a known value tells of a field that it lacks: `nothing`, where there is nothing that the field would be
 * about, or what a number is at least and at most.
 */
export type Softness = 'nothing' | { readonly least: number; readonly most: number };

/** A field that a known value lacks, of which something is known all the same. */
export interface SoftValue {
  readonly softness: Softness;
}

/** What one field of a known fact says. Undefined where it is lost. */
export type FieldValue = boolean | number | string | SoftValue | undefined;

/**
 * Something about the subject that policies can read beside what providers say: what this service knows
 * itself. Conditions name its fields one by one.
 */
export interface SubjectFact {
  /** Its variable, or its variable and a part of that, as in `variable.part`. */
  readonly name: string;
  /** Its fields in policies of this document, which may have any shape. */
  readonly typeOf: (document: unknown) => ObjectType;
  /** Fields that a known value has unless they were lost: without one it is in doubt, whoever reads it. */
  readonly whole: readonly string[];
  /** True where every subject has it: it is known or unknown, and there is never none of it. */
  readonly isOfAll?: boolean;
  /**
   * Where a number stops to count, by the names of its field: it stands for that and more. Null for what has
   * no such bound; absent where nothing has.
   */
  readonly mostOf?: (path: readonly string[]) => number | null;
  /** What a known value that lacks this field tells of it; null where it is lost. Absent: always lost. */
  readonly softnessOf?: (value: object, path: readonly string[]) => Softness | null;
  /** Adds to a value that lacks this field what is known of it: `softnessOf` tells it again. */
  readonly addSoftness?: (
    value: Record<string, unknown>,
    path: readonly string[],
    softness: Softness,
  ) => void;
  /** Every value that this field can have, where they are few; the first stands for all is well. */
  readonly valuesOf?: (path: readonly string[]) => readonly FieldValue[];
  /** The most values that this field can be tried with where it is lacking. Absent where it has no softness. */
  readonly completionsMax?: (path: readonly string[]) => number;
  /** What is asked for besides, as names of facts, where these fields are read. */
  readonly needsOf?: (paths: readonly (readonly string[])[]) => readonly string[];
  /** The parameters of a policy that it reads where these fields are read: numbers above 0. */
  readonly parametersOf?: (paths: readonly (readonly string[])[]) => readonly string[];
  /** Why it is absent, as a trace says it. */
  readonly whyAbsent: { readonly [Absence in 'none' | 'unknown']: string };
}

/** A fact that some rule of a policy reads. */
export interface FactRead {
  readonly fact: SubjectFact;
  /** Its fields in this policy. */
  readonly type: ObjectType;
  /** What is read of it, each by the names from the outside inwards, and what makes it whole. */
  readonly paths: readonly (readonly string[])[];
}

const NONE: readonly number[] = [];

/** The places of those of these fields that a known value lacks. */
export function findGaps(paths: readonly (readonly string[])[], value: object): readonly number[] {
  let gaps: number[] | null = null;
  for (let place = 0; place < paths.length; place += 1) {
    if (hasPath(value, paths[place] ?? [])) continue;
    gaps ??= [];
    gaps.push(place);
  }
  return gaps ?? NONE;
}

function hasPath(value: object, path: readonly string[]): boolean {
  let field: unknown = value;
  for (const name of path) {
    if (typeof field !== 'object' || field === null || !Object.hasOwn(field, name)) return false;
    field = Reflect.get(field, name);
  }
  return field !== undefined;
}

/** A field of a fact. */
interface FactField {
  readonly fact: SubjectFact;
  /** Its name, and those within it that are read. */
  readonly path: readonly string[];
}

/** The field that these names lead to; null where no fact stands there, or no field of it is named. */
export function findFactField(facts: readonly SubjectFact[], names: readonly string[]): FactField | null {
  for (const fact of facts) {
    const own = fact.name.split('.');
    if (names.length > own.length && own.every((name, place) => names[place] === name))
      return { fact, path: names.slice(own.length) };
  }
  return null;
}

/** The variable that a fact is, or is a part of. */
export function variableOf({ name }: SubjectFact): string {
  return name.split('.', 1)[0] ?? name;
}
