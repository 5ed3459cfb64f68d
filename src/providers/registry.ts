import { failure, type Result, success } from '../domain/result.ts';
import { findNameMistakes } from '../platform/plug-in-names.ts';
import type { ProviderDefinition } from './definition.ts';
import { mobilerun } from './mobilerun/index.ts';
import { prefactor } from './prefactor/index.ts';
import { stytch } from './stytch/index.ts';

/** Every provider that riskgate can ask, in the order of answers and reasons. */
export const PROVIDERS: readonly ProviderDefinition[] = [stytch, mobilerun, prefactor];

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
  const named = definitions.map(({ id, settings }) => ({
    id,
    variables: Object.values(settings).map(({ env }) => env),
  }));
  const mistakes = [
    ...definitions.flatMap((definition) => mistakesOf(definition)),
    ...findNameMistakes('Provider', named),
  ];
  return mistakes.length === 0 ? success(definitions) : failure(mistakes);
}

function mistakesOf(definition: ProviderDefinition): string[] {
  const mistakes: string[] = [];
  const { id } = definition;
  if (RESERVED_IDS.has(id)) mistakes.push(`Provider id "${id}" is a reserved word in policies.`);
  if (!Object.values(definition.settings).some((setting) => setting.isCredential === true)) {
    mistakes.push(`Provider "${id}" has no credential, so nothing can enable it.`);
  }
  if (definition.signals.shape['found'] === undefined) {
    mistakes.push(`The signals of provider "${id}" lack "found".`);
  }
  return mistakes;
}
