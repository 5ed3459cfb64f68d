import { spawnSync } from 'node:child_process';
import { installMissing, type RequiredProgram } from './install-programs.ts';

/** A program of operators that tests run. Machines that lack it, and cannot install it, leave its tests out. */
interface Tool {
  readonly name: string;
  /** Its place on this machine, or null. Installs it where that is possible. */
  find(): string | null;
  /** What a person has to install. */
  readonly hint: string;
}

interface Omission {
  pass(message: string, options: { readonly skip: string }): unknown;
}

const PROMETHEUS: RequiredProgram = {
  names: ['promtool'],
  packages: { 'apt-get': 'prometheus', apk: 'prometheus', brew: 'prometheus' },
};

export const PROMTOOL: Tool = {
  name: 'promtool',
  find: () => (installMissing([PROMETHEUS]).length === 0 ? 'promtool' : null),
  hint: 'the package prometheus',
};

/** Where the tool is. Null leaves the test out and says so; in CI every tool has to be there, and it throws. */
export function findTool(t: Omission, { name, find, hint }: Tool): string | null {
  const place = find();
  if (place !== null) return place;
  const reason = `${name} is not there: install ${hint}`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  t.pass(name, { skip: reason });
  return null;
}

/** Runs a program to its end. */
export function runTool(program: string, args: readonly string[], cwd?: string) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...(cwd !== undefined && { cwd }),
  });
  if (error) throw error;
  return { code: status, stdout, stderr };
}
