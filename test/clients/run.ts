/**
 * `npm run test:clients`: generates clients from openapi/openapi.json, compiles them, and asks the service
 * with each. Installs what is missing where it can, and fails where it cannot: nothing is skipped. The last
 * line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { ensurePrograms, type RequiredProgram, thisMachine } from '../support/install-programs.ts';
import { ROOT } from '../support/start-program.ts';

/** Generators are downloaded and compiled on a new machine. */
const TIMEOUT_SECONDS = 900;

const PROGRAMS: readonly RequiredProgram[] = [
  {
    names: ['javac'],
    packages: { 'apt-get': 'openjdk-17-jdk-headless', apk: 'openjdk17', brew: 'openjdk@17' },
  },
  { names: ['mvn'], packages: { 'apt-get': 'maven', apk: 'maven', brew: 'maven' } },
  {
    names: ['python3'],
    packages: { 'apt-get': 'python3-venv', apk: 'python3', brew: 'python' },
    isMissing: () => lacks('python3', '-c', 'import venv, ensurepip'),
  },
];

function lacks(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status !== 0;
}

const lack = ensurePrograms(thisMachine, PROGRAMS);
if (lack === null) {
  const tests = [
    'test/support/run-tests.ts',
    '--jobs=1',
    `--timeout=${TIMEOUT_SECONDS}`,
    'test/clients/generated.ts',
    'test/clients/typescript-package.ts',
    'test/clients/python-package.ts',
  ];
  process.exitCode = spawnSync(process.execPath, tests, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
} else {
  console.error(lack);
  process.exitCode = 1;
}
