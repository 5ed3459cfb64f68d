import { existsSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import { casesBeside } from '../../app/cases-beside.ts';
import { generateCases } from '../../domain/policy-tests/generate-cases.ts';
import { toYaml } from '../../platform/yaml-text.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';
import { CASE_PROVIDERS, openCases } from './open-cases.ts';
import { requirePolicy } from './require-policy.ts';
import { writeTextFile } from './write-text-file.ts';

/** The most classes without a case that are listed; all are in the JSON. */
const LEFT_LISTED = 5;

/**
 * Writes cases for what no case beside a policy is about, where a file for them is named. Throws a `CommandFailure`
 * where it exists or cannot be written, and where the cases beside the policy have mistakes.
 */
export function generateTests(
  policyPath: string,
  given: string | boolean | undefined,
): { readonly lines: readonly string[]; readonly json: object } | null {
  if (typeof given !== 'string') return null;
  if (existsSync(given))
    throw new CommandFailure('file_exists', `${given}: there is such a file`, EXIT_CODES.usage);
  const beside = casesBeside(policyPath);
  const cases = beside === null ? [] : openCases([{ path: beside, policyPath }]).flatMap((one) => one.cases);
  const policyFile = relative(dirname(given), policyPath).replaceAll(sep, '/');
  const found = generateCases(requirePolicy(policyPath), cases, CASE_PROVIDERS, policyFile);
  if (found === null)
    return {
      lines: ['No cases were written: there is too much to combine.'],
      json: { file: null, classes: null },
    };
  const { document, classes, covered, generated, left } = found;
  if (document !== null) writeTextFile(given, toYaml(document));
  return {
    lines: [
      `The cases come to ${covered} of ${classes} ways to decide.`,
      ...left.slice(0, LEFT_LISTED).map((name) => `no case could be written: ${name}`),
      ...(left.length > LEFT_LISTED ? [`and ${left.length - LEFT_LISTED} more`] : []),
      document === null
        ? 'No cases were written.'
        : `${generated} cases were written to ${given}. They say what the policy does: see whether it should.`,
    ],
    json: { file: document === null ? null : given, classes, covered, generated, left },
  };
}
