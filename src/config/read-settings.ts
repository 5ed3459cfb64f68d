import type { Setting, Settings, SettingValues } from '../platform/setting.ts';
import { UNREAD } from './secret-files.ts';

type Environment = Readonly<Record<string, string | undefined>>;
/** What variables parse to, by the names of their declarations; null for an optional one that is not set. */
export type ConfigValues<Declared extends Settings> = SettingValues<Declared, null>;

/** The same, with undefined for each variable that is missing or wrong. */
export type ReadValues<Declared extends Settings> = {
  readonly [Name in keyof Declared]: ConfigValues<Declared>[Name] | undefined;
};

/** Reads every declared variable, and adds one line to `mistakes` for each that is missing or wrong. */
export function readSettings<Declared extends Settings>(
  env: Environment,
  declarations: Declared,
  mistakes: string[],
): ReadValues<Declared> {
  const entries = Object.entries(declarations).map(([name, setting]) => [
    name,
    readSetting(env, setting, mistakes),
  ]);
  // `Object.fromEntries` forgets which name has which type; each value is what its own schema returned.
  return Object.fromEntries(entries) as ReadValues<Declared>;
}

/** Whether nothing is missing or wrong. */
export function isComplete<Declared extends Settings>(
  values: ReadValues<Declared>,
): values is ConfigValues<Declared> {
  return Object.values(values).every((value) => value !== undefined);
}

function readSetting(env: Environment, setting: Setting, mistakes: string[]): unknown {
  const text = env[setting.env] || setting.default;
  if (text === undefined) {
    if (setting.isOptional) return null;
    mistakes.push(`${setting.env} is missing: ${setting.description}`);
    return undefined;
  }
  if (text === UNREAD) return undefined;
  const parsed = setting.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  // The value itself is never repeated: it may be a secret.
  mistakes.push(`${setting.env} ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
  return undefined;
}
