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
  const declared: Record<string, unknown> = {};
  for (const name of Object.keys(schema.shape)) {
    const value: unknown = Reflect.get(given, name);
    if (value !== undefined) declared[name] = value;
  }
  // `Given` holds all that the schema declares and nothing else, of which the compiler keeps no account.
  return declared as DeclaredSignals<Schema>;
}
