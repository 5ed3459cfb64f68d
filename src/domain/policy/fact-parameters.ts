import type { PolicyDocument, PolicyMistake } from './document.ts';
import { toSeconds } from './duration.ts';
import type { Parameters } from './parameters.ts';
import type { FactRead } from './subject-fact.ts';

interface FactParameterContext {
  readonly parameters: Parameters;
  readonly mistakes: PolicyMistake[];
}

/** Notes the parameters that facts read beside conditions. They have to be numbers above 0. */
export function readFactParameters(
  reads: readonly FactRead[],
  { parameters: given }: PolicyDocument,
  { parameters, mistakes }: FactParameterContext,
): void {
  for (const { fact, paths } of reads)
    for (const name of fact.parametersOf?.(paths) ?? []) {
      const parameter = given[name];
      if (parameter === undefined) continue;
      parameters.read.add(name);
      const value = numberOf(parameter);
      if (value !== null && value > 0) continue;
      const message = `must be a number above 0: ${fact.name} reads it`;
      mistakes.push({ path: ['parameters', name], isKey: false, offset: null, message });
    }
}

/** The parameters of a document that are numbers, by their names; a duration is its seconds. */
export function numberParameters({ parameters }: PolicyDocument): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = numberOf(parameter);
    if (value !== null) numbers[name] = value;
  }
  return numbers;
}

function numberOf({ type, value }: { readonly type: string; readonly value?: unknown }): number | null {
  if (type === 'duration') return toSeconds(String(value));
  return typeof value === 'number' ? value : null;
}
