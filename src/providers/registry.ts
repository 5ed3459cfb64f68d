import { failure, type Result, success } from '../domain/result.ts';
import type { ProviderDefinition } from './definition.ts';
import { mobilerun } from './mobilerun/index.ts';
import { prefactor } from './prefactor/index.ts';
import { stytch } from './stytch/index.ts';

/** Every provider that riskgate can ask, in the order of answers and reasons. */
export const PROVIDERS: readonly ProviderDefinition[] = [stytch, mobilerun, prefactor];

/** An id names a CEL variable, an environment prefix and a metrics label. */
const ID = /^[a-z][a-z0-9_]{0,31}$/;
const ENV = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Reserved words of CEL, the other variables of policies, and a property that every object has. */
const RESERVED_IDS: ReadonlySet<string> = new Set(
  (
    'as break const continue else false for function if import in let loop namespace null package return true var ' +
    'void while bool bytes double duration dyn int list map string timestamp type uint providers request telemetry constructor'
  ).split(' '),
);

/**
 * The definitions, or every reason to refuse them: an ill-formed or duplicate id, an ill-formed or duplicate
 * environment variable, signals without a boolean `found`.
 */
export function checkProviders(
  definitions: readonly ProviderDefinition[],
): Result<readonly ProviderDefinition[], string> {
  const mistakes = definitions.flatMap((definition) => mistakesOf(definition));
  const ids = definitions.map((definition) => definition.id);
  const envs = definitions.flatMap((definition) =>
    Object.values(definition.settings).map((setting) => setting.env),
  );
  for (const id of duplicatesIn(ids)) mistakes.push(`Provider id "${id}" is used twice.`);
  for (const env of duplicatesIn(envs)) mistakes.push(`Environment variable ${env} is used twice.`);
  return mistakes.length === 0 ? success(definitions) : failure(mistakes);
}

function mistakesOf(definition: ProviderDefinition): string[] {
  const mistakes: string[] = [];
  const { id } = definition;
  if (!ID.test(id)) mistakes.push(`Provider id "${id}" is not lower snake case of at most 32 characters.`);
  if (RESERVED_IDS.has(id)) mistakes.push(`Provider id "${id}" is a reserved word in policies.`);
  for (const { env } of Object.values(definition.settings)) {
    if (!ENV.test(env))
      mistakes.push(`Environment variable "${env}" of provider "${id}" is not upper snake case.`);
  }
  if (!Object.values(definition.settings).some((setting) => setting.isCredential === true)) {
    mistakes.push(`Provider "${id}" has no credential, so nothing can enable it.`);
  }
  if (definition.signals.shape['found'] === undefined) {
    mistakes.push(`The signals of provider "${id}" lack "found".`);
  }
  return mistakes;
}

function duplicatesIn(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
