import { dirname, join, resolve } from 'node:path';
import { toSpaceProviders } from '../../app/space-providers.ts';
import { countriesOfTimeZone } from '../../app/time-zone-countries.ts';
import { type LocatedCase, parseCases } from '../../application/load-policy-cases.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { SpaceProvider } from '../../domain/policy-analysis/build-space.ts';
import type { TestCompileOptions } from '../../domain/policy-tests/condition-policies.ts';
import { compileLinearPattern } from '../../platform/linear-pattern.ts';
import { parseYaml } from '../../platform/yaml-document.ts';
import { PROVIDERS } from '../../providers/registry.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';
import type { CasePath } from './find-cases.ts';
import { type Finding, toFinding } from './finding.ts';
import { openPolicy, readFile } from './open-policy.ts';

/** A file of cases with the policy that they are for. */
export interface OpenCases {
  /** As it was given or found. */
  readonly path: string;
  readonly text: string;
  readonly policyPath: string;
  readonly policyText: string;
  readonly policy: CompiledPolicy;
  readonly cases: readonly LocatedCase[];
}

/** As long as a policy may be, several times. */
const CASES_BYTES_MAX = 4 * 1024 * 1024;

/** The providers that cases are about. */
export const CASE_PROVIDERS: readonly SpaceProvider[] = toSpaceProviders(PROVIDERS);

/** What parts and mutants of a policy are compiled with. */
export const TEST_COMPILE_OPTIONS: TestCompileOptions = {
  providers: CASE_PROVIDERS,
  compilePattern: compileLinearPattern,
  countriesOfTimeZone,
};

/**
 * Reads files of cases and their policies. Throws a `CommandFailure` of wrong usage with every mistake in any of
 * them, or where one cannot be read.
 */
export function openCases(paths: readonly CasePath[]): readonly OpenCases[] {
  const mistakes: Finding[] = [];
  const opened = paths.flatMap((one) => {
    const found = openOne(one);
    if (!Array.isArray(found)) return [found as OpenCases];
    mistakes.push(...(found as Finding[]));
    return [];
  });
  if (mistakes.length === 0) return opened;
  const lines = [...new Set(mistakes.map(({ text }) => text))];
  throw new CommandFailure('bad_cases', lines.join('\n'), EXIT_CODES.usage);
}

function openOne({ path, policyPath: expected }: CasePath): OpenCases | readonly Finding[] {
  const at = (mistakes: readonly string[]) => mistakes.map((mistake) => toFinding(path, mistake));
  const text = readFile(path, CASES_BYTES_MAX, EXIT_CODES.usage);
  const document = parseCases(text, parseYaml);
  if (!document.ok) return at(document.mistakes);
  const { policyFile, refusePolicy, read } = document.value;
  const policyPath = join(dirname(path), policyFile);
  if (expected !== null && resolve(expected) !== resolve(policyPath))
    return at([refusePolicy(`these are cases for ${policyFile}, and not for the policy beside them`)]);
  const { policy, text: policyText, mistakes } = openPolicy(policyPath, false, EXIT_CODES.usage);
  if (policy === null) return mistakes;
  const cases = read(policy, CASE_PROVIDERS);
  if (!cases.ok) return at(cases.mistakes);
  return { path, text, policyPath, policyText, policy, cases: cases.value };
}
