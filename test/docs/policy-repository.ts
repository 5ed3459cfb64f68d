import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ROOT } from '../support/start-program.ts';
import { createDirectory } from '../support/test-app.ts';

/** A policy of one rule. */
export const POLICY = `policy: shop
otherwise: ALLOW
rules:
  - id: not-found
    when: '!stytch.found'
    verdict: BLOCK
    reason: NOT_FOUND
`;

/** The same with a milder verdict. */
export const SOFTER = POLICY.replace('verdict: BLOCK', 'verdict: CHALLENGE');

/** A case that only the first of them passes. */
export const CASES = `policy: shop.yaml
evidence:
  stytch: { outcome: not_found }
cases:
  - name: who is not known is not let in
    decision: BLOCK
`;

/** Makes `npx riskgate` work in a directory. */
export function installRiskgate(directory: string): void {
  mkdirSync(join(directory, 'node_modules/.bin'), { recursive: true });
  symlinkSync(join(ROOT, 'bin/riskgate.js'), join(directory, 'node_modules/.bin/riskgate'));
  writeFileSync(join(directory, 'package.json'), '{}');
}

/** A repository with one policy in its first commit, and riskgate as `npm ci` would have installed it. */
export function createRepository(t: Test) {
  const directory = createDirectory(t);
  const summary = join(directory, 'summary.md');
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.com',
    GITHUB_STEP_SUMMARY: summary,
  };
  const run = (command: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const ran = spawnSync(command, args, { cwd: directory, env: { ...env, ...more }, encoding: 'utf8' });
    return { code: ran.status, text: `${ran.stdout}${ran.stderr}` };
  };
  const write = (policy: string, cases: string) => {
    writeFileSync(join(directory, 'policies/shop.yaml'), policy);
    writeFileSync(join(directory, 'policies/shop.test.yaml'), cases);
    run('git', ['add', 'policies']);
  };
  mkdirSync(join(directory, 'policies'));
  installRiskgate(directory);
  run('git', ['init', '-q', '-b', 'main']);
  write(POLICY, CASES);
  run('git', ['commit', '-q', '-m', 'first']);
  return { directory, summary, run, write };
}
