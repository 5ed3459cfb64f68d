import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { casesBeside } from '../../app/cases-beside.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';
import { defaultPolicyPath } from './open-policy.ts';

const CASES = /\.test\.ya?ml$/;
const YAML = /\.ya?ml$/;

/** A file of cases, and the policy beside which it was looked for; null where the file itself was named. */
export interface CasePath {
  readonly path: string;
  readonly policyPath: string | null;
}

/**
 * The files of cases that are meant: a file of cases stands for itself, a policy for the cases beside it. Without
 * any, all those in the folder of the policy that a service would take. Throws a `CommandFailure` of wrong usage
 * where there are none.
 */
export function findCases(
  files: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly CasePath[] {
  return files.length > 0 ? files.map(casesOf) : findAll(dirname(defaultPolicyPath(env)));
}

function casesOf(file: string): CasePath {
  if (CASES.test(file)) return { path: file, policyPath: null };
  if (!YAML.test(file)) throw refuse(`${file}: neither a policy nor its cases: *.yaml or *.test.yaml`);
  const path = casesBeside(file);
  if (path === null)
    throw refuse(`${file}: there are no cases beside it: ${file.replace(YAML, '.test.yaml')}`);
  return { path, policyPath: file };
}

function findAll(directory: string): readonly CasePath[] {
  const found = namesIn(directory)
    .filter((name) => CASES.test(name))
    .toSorted();
  if (found.length === 0) throw refuse(`${directory}: there are no cases in it: *.test.yaml`);
  return found.map((name) => ({ path: join(directory, name), policyPath: null }));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    throw refuse(`${directory}: cannot be read (${String(code)})`);
  }
}

function refuse(message: string): CommandFailure {
  return new CommandFailure('no_cases', message, EXIT_CODES.usage);
}
