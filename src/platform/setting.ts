import { z } from 'zod';

/**
 * One environment variable: how it parses, what it means, and what it is without. `schema` parses the raw
 * string.
 */
export interface Setting {
  readonly env: string;
  readonly schema: z.ZodType;
  readonly description: string;
  /**
   * The default as it would be written in the environment. Without one the variable is required, that of a
   * plug-in once the plug-in is in use, unless `isOptional`.
   */
  readonly default?: string;
  readonly isOptional?: boolean;
  /** A secret whose presence enables a plug-in. */
  readonly isCredential?: boolean;
  /** Secrets may also be given by a file, which the same variable with `_FILE` behind it names. */
  readonly isSecret?: boolean;
}

/** Declarations by the names under which their values are found. */
export type Settings = Readonly<Record<string, Setting>>;

/** What declared settings parse to, with `Absent` for an optional one that is not set. */
export type SettingValues<Declared extends Settings, Absent = undefined> = {
  readonly [Name in keyof Declared]:
    | z.output<Declared[Name]['schema']>
    | (Declared[Name] extends { readonly isOptional: true } ? Absent : never);
};

/** Digits between two bounds. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
