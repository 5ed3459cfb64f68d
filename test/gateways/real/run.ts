/**
 * `npm run test:gateways`: every gateway program that is there, or can be installed, against riskgate with
 * its recipe. The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { installMissing, type RequiredProgram } from '../../support/install-programs.ts';
import { ROOT } from '../../support/start-program.ts';
import { findEnvoy, installEnvoy } from './install-envoy.ts';
import { findWorkerd } from './workerd.ts';

interface Gateway {
  readonly name: string;
  /** What is installed where it is missing; absent where npm brings it, or has none for this system. */
  readonly program?: RequiredProgram;
  /** Files that are as necessary as the program, by patterns. */
  readonly files?: readonly string[];
  /** Where it is not a program on the PATH. */
  readonly find?: () => string | null;
  readonly install?: () => void;
  /** Its absence is a failure. */
  readonly isRequired: boolean;
}

/** A slow machine installs nothing in here, but starts services and waits for outages. */
const TIMEOUT_SECONDS = 300;

const program = (name: string, packages: string): RequiredProgram => ({
  names: [name],
  packages: { 'apt-get': packages, apk: packages, brew: packages },
});

const ENVOY = {
  program: { ...program('python3', 'python3-venv'), isMissing: () => !hasVenv() },
  find: findEnvoy,
  install: installEnvoy,
};

/** In CI none may be left out; a developer's machine may lack some, and is told. */
const IS_CI = process.env['CI'] === 'true';

const GATEWAYS: readonly Gateway[] = [
  { name: 'nginx', program: program('nginx', 'nginx-light'), isRequired: true },
  { name: 'caddy', program: program('caddy', 'caddy'), isRequired: true },
  { name: 'haproxy', program: program('haproxy', 'haproxy'), isRequired: true },
  {
    name: 'apache',
    program: program('apache2', 'apache2 lua-socket'),
    files: ['/usr/lib/apache2/modules/mod_lua.so', '/usr/share/lua/5.3/socket.lua'],
    isRequired: IS_CI,
  },
  {
    name: 'varnish',
    program: program('varnishd', 'varnish varnish-modules'),
    files: ['/usr/lib/{,*/}varnish/vmods/libvmod_header.so'],
    isRequired: IS_CI,
  },
  { name: 'envoy', ...ENVOY, isRequired: IS_CI },
  { name: 'envoy-grpc', ...ENVOY, isRequired: IS_CI },
  { name: 'cloudflare-worker', find: findWorkerd, isRequired: IS_CI },
];

process.exitCode = run(process.argv.slice(2));

/** Runs those that are named, or all. */
function run(names: readonly string[]): number {
  const wanted = GATEWAYS.filter(({ name }) => names.length === 0 || names.includes(name));
  const absent = wanted.filter((gateway) => !isThere(gateway));
  // One by one: a package that cannot be had must not keep the others out.
  for (const gateway of absent) install(gateway);
  const present = wanted.filter(isThere);
  const files = present.map(({ name }) => `test/gateways/real/${name}.ts`);
  const tests = ['test/support/run-tests.ts', '--jobs=1', `--timeout=${TIMEOUT_SECONDS}`, ...files];
  const notRun = wanted.filter((gateway) => !present.includes(gateway));
  const lacking = notRun.filter(({ isRequired }) => isRequired);
  for (const { name, isRequired } of notRun)
    console.log(`not run: ${name}, which is not installed${isRequired ? ' and has to be' : ''}`);
  if (files.length === 0) return 1;
  const { status } = spawnSync(process.execPath, tests, { cwd: ROOT, stdio: 'inherit' });
  return status === 0 && lacking.length === 0 ? 0 : 1;
}

function install(gateway: Gateway): void {
  if (isThere(gateway)) return;
  const { program } = gateway;
  if (program) installMissing([{ isMissing: () => !isThere(gateway), ...program }]);
  gateway.install?.();
}

function hasVenv(): boolean {
  return spawnSync('python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' }).status === 0;
}

function isThere({ program, files = [], find }: Gateway): boolean {
  if (find) return find() !== null;
  if (!program) return false;
  const isOnPath = program.names.some(
    (name) => spawnSync(name, ['-v'], { stdio: 'ignore' }).error === undefined,
  );
  return isOnPath && files.every((pattern) => globSync(pattern).length > 0);
}
