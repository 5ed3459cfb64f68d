import type { z } from 'zod';
import type { Signals } from '../domain/evidence.ts';

/** The schema of a provider's signals. */
export type SignalsSchema = z.ZodObject & z.ZodType<Signals>;

declare const DECLARED: unique symbol;

/**
 * Signals that `toSignals` has made: nothing in them is undeclared. The mark exists for the compiler alone.
 */
export type DeclaredSignals<Schema extends SignalsSchema> = z.output<Schema> & {
  readonly [DECLARED]: Schema;
};

/** `Given`, where everything that `Declared` does not name is `never`, at any depth. */
type Only<Declared, Given> = Given extends object
  ? Given extends readonly unknown[]
    ? Given
    : {
        [Name in keyof Given]: Name extends keyof Declared
          ? Only<NonNullable<Declared[Name]>, Given[Name]>
          : never;
      }
  : Given;

/**
 * The signals that a provider answers, without those whose value is undefined: absence is the absence of the
 * key. A signal that the schema does not declare, at any depth, does not compile.
 */
export function toSignals<Schema extends SignalsSchema, Given extends z.output<Schema>>(
  schema: Schema,
  given: Given & Only<z.output<Schema>, Given>,
): DeclaredSignals<Schema> {
  const names = Object.keys(schema.shape);
  const values = names.map((name): [string, unknown] => [name, Reflect.get(given, name)]);
  // At once: an object that many names are added to one by one becomes a hash table in V8, which costs every
  // later decision several times as much to read and to copy.
  const declared = Object.fromEntries(values.filter(([, value]) => value !== undefined));
  // `Given` holds all that the schema declares and nothing else, of which the compiler keeps no account.
  return declared as DeclaredSignals<Schema>;
}
