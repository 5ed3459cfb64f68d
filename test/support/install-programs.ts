import { spawnSync } from 'node:child_process';
import { findPostgres } from './postgres-programs.ts';

/** A program that tests run. */
export interface RequiredProgram {
  /** Any one of these on the PATH will do. */
  readonly names: readonly string[];
  /** Names of packages, separated by spaces. */
  readonly packages: Readonly<Record<Manager, string>>;
  /** Where being on the PATH is not all. */
  isMissing?(): boolean;
}

type Manager = 'apt-get' | 'apk' | 'brew';

/** A server of our own for each test that needs one. */
export const POSTGRES: RequiredProgram = {
  names: ['postgres'],
  packages: { 'apt-get': 'postgresql', apk: 'postgresql', brew: 'postgresql@17' },
  // Debian keeps it off the PATH.
  isMissing: () => findPostgres() === null,
};

/** What `npm test` runs beside Node. */
export const REQUIRED: readonly RequiredProgram[] = [
  {
    names: ['redis-server', 'valkey-server'],
    packages: { 'apt-get': 'redis-server', apk: 'redis', brew: 'redis' },
  },
  POSTGRES,
  { names: ['curl'], packages: { 'apt-get': 'curl', apk: 'curl', brew: 'curl' } },
  { names: ['openssl'], packages: { 'apt-get': 'openssl', apk: 'openssl', brew: 'openssl' } },
];

/** What the tests of the page need too: some 300 MB, which nobody else is asked for. */
export const BROWSER: RequiredProgram = {
  names: ['chromium', 'chromium-browser', 'google-chrome'],
  packages: { 'apt-get': 'chromium', apk: 'chromium', brew: 'chromium' },
};

/** What `npm run durability` needs too. */
export const ROTATING: RequiredProgram = {
  names: ['logrotate'],
  packages: { 'apt-get': 'logrotate', apk: 'logrotate', brew: 'logrotate' },
};

/** What installs packages of PyPI, each into a folder of its own. */
const PYTHON: RequiredProgram = {
  names: ['python3'],
  packages: { 'apt-get': 'python3-venv', apk: 'python3', brew: 'python' },
  isMissing: () => spawnSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' }).status !== 0,
};

/** What test/deploy runs. A machine that has none of it leaves out what needs it, but in CI. */
export const DEPLOYING: readonly RequiredProgram[] = [
  { names: ['promtool'], packages: { 'apt-get': 'prometheus', apk: 'prometheus', brew: 'prometheus' } },
  PYTHON,
];

/** What Kafka and ClickHouse's engine run on, and what fetches them. */
export const KAFKA: readonly RequiredProgram[] = [
  {
    names: ['java'],
    packages: { 'apt-get': 'openjdk-17-jre-headless', apk: 'openjdk17-jre', brew: 'openjdk@17' },
  },
  { names: ['mvn'], packages: { 'apt-get': 'maven', apk: 'maven', brew: 'maven' } },
  PYTHON,
];

const INSTALL: Readonly<Record<Manager, readonly (readonly string[])[]>> = {
  'apt-get': [['update'], ['install', '--yes', '--no-install-recommends']],
  apk: [['add', '--no-cache']],
  brew: [['install']],
};

/** How this machine is asked and changed. */
export interface Machine {
  has(program: string): boolean;
  readonly isRoot: boolean;
  /** Runs a command to its end; false when it fails. */
  run(program: string, args: readonly string[]): boolean;
}

/**
 * Makes sure of the programs that tests run: installs what is missing where that is possible. Returns null,
 * or the one line that says what a person has to install.
 */
export function ensurePrograms(
  machine: Machine = thisMachine,
  required: readonly RequiredProgram[] = REQUIRED,
): string | null {
  const lacking = installMissing(required, machine);
  if (lacking.length === 0) return null;
  const needs = lacking.map(({ names }) => names.join(' or ')).join(' and ');
  const packages = (name: Manager) => lacking.map((one) => one.packages[name]).join(' ');
  return `The tests need ${needs} on the PATH: as root \`apt-get install ${packages('apt-get')}\` or \`apk add ${packages('apk')}\`, or \`brew install ${packages('brew')}\`.`;
}

/** Installs what is missing where that is possible, and returns what is missing then. */
export function installMissing(
  required: readonly RequiredProgram[],
  machine: Machine = thisMachine,
): readonly RequiredProgram[] {
  const findMissing = () =>
    required.filter(({ names, isMissing }) => isMissing?.() ?? !names.some((name) => machine.has(name)));
  const missing = findMissing();
  const manager = findManager(machine);
  if (missing.length === 0 || manager === null) return missing;
  install(machine, manager, missing);
  return findMissing();
}

/** apt-get and apk serve root only; Homebrew refuses it. */
function findManager(machine: Machine): Manager | null {
  const managers: readonly Manager[] = machine.isRoot ? ['apt-get', 'apk'] : ['brew'];
  return managers.find((manager) => machine.has(manager)) ?? null;
}

function install(machine: Machine, manager: Manager, missing: readonly RequiredProgram[]): void {
  const packages = missing.flatMap((one) => one.packages[manager].split(' '));
  const steps = INSTALL[manager];
  steps.every((step, index) =>
    machine.run(manager, index < steps.length - 1 ? step : [...step, ...packages]),
  );
}

export const thisMachine: Machine = {
  has: (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined,
  isRoot: process.getuid?.() === 0,
  run: (program, args) => {
    console.error(`> ${program} ${args.join(' ')}`);
    // A runlevel in which a package does not start its service.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    // Standard output is the tests'.
    return spawnSync(program, args, { env, stdio: ['ignore', 2, 2] }).status === 0;
  },
};
