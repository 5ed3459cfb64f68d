import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { makeSbom } from '../../deploy/make-sbom.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { findConfigFile, SERVICES } from '../support/compose-file.ts';
import { CYCLONEDX, findTool } from '../support/deployment-tools.ts';
import { copyImageFiles, readDockerfile } from '../support/image-files.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { findFreePort, ROOT, runProgram, startProgram } from '../support/start-program.ts';
import { until } from '../support/test-app.ts';

interface Sbom {
  readonly components: readonly { readonly purl: string; readonly licenses?: readonly object[] }[];
}

const EMULATORS = 'docker/emulators.Dockerfile';
const image = readDockerfile(join(ROOT, 'Dockerfile'));
const emulators = readDockerfile(join(ROOT, EMULATORS));
const { riskgate } = SERVICES;

t.test('the image is small, on Node 24, and runs as nobody special', async (t) => {
  t.strictSame(image.bases, ['node:24-bookworm-slim', 'dependencies', 'node:24-bookworm-slim']);
  // By number: Kubernetes' `runAsNonRoot` cannot tell whether a name is root.
  t.match(image.user, /^[1-9]\d*:[1-9]\d*$/);
  t.strictSame(image.runs.slice(0, 2), [
    'npm ci --omit=dev --omit=optional',
    'mkdir .compiled && chown 1000:1000 .compiled',
  ]);
  t.equal(image.runs.at(-1), 'install -d -o 1000 -g 1000 -m 0750 /var/lib/riskgate');
  const volume = `history:${riskgate.environment?.['DATA_DIR']}`;
  t.ok(riskgate.volumes?.includes(volume), 'the history is in a volume');
  t.strictSame(image.command, ['node', '--max-semi-space-size=16', 'src/cli/main.ts', 'serve']);
  const flags = image.command.filter((word) => word.startsWith('--'));
  t.match(
    image.runs[2],
    `node ${flags.join(' ')} --eval`,
    'code that is compiled for other flags is not used',
  );
  t.match(image.env, { HOST: '0.0.0.0', PORT: '8080', NODE_ENV: 'production' });
});

t.test('the image of the emulators has the same base, packages and user', async (t) => {
  const { bases, runs, user } = image;
  const { bases: own, runs: commands } = emulators;
  t.strictSame(own, [bases[0], bases.at(-1)]);
  t.strictSame(commands, runs.slice(0, 1));
  t.equal(emulators.user, user);
});

t.test('the image holds no credentials', async (t) => {
  const settings = PROVIDERS.flatMap((provider) => Object.values(provider.settings));
  const secrets = [
    ...settings.map(({ env }) => env),
    'ID_HASH_KEY',
    'ID_HASH_KEYS',
    'API_KEYS_FILE',
    'REDIS_URL',
  ];
  t.strictSame(
    Object.keys(image.env).filter((name) => secrets.includes(name)),
    [],
  );
});

t.test('what the image copies installs, starts, is healthy, decides, and writes nothing', async (t) => {
  const app = createFolder(t);
  copyImageFiles(ROOT, app, image.copies);
  const [installPackages = '', , compile = ''] = image.runs;
  await install(t, app, installPackages);
  t.match(await runProgram(t, ['sh', '-c', compile], { cwd: app, env: onThisNode() }), {
    code: 0,
    stderr: '',
  });
  const files = listFiles(app);
  t.ok(files.filter((path) => path.startsWith('.compiled/')).length > 300, 'it holds compiled code');
  t.strictSame(
    files.filter(
      (path) => /\.test\.|^test|^docker|README|emulat/.test(path) && path !== 'src/cli/commands/emulators.ts',
    ),
    [],
  );

  checkSbom(t, app);
  const env = await startDependencies(t, app);
  const service = await startProgram(t, toCommand(image.command), { cwd: app, env });
  await service.until(/"event":"service\.listening"/);
  const origin = `http://127.0.0.1:${env['PORT']}`;
  t.match(await (await fetch(`${origin}/readyz`)).json(), { status: 'ready', redis: 'up' });
  // A first moment that is slow makes custody unknown, and a CHALLENGE of it.
  await until('a good device is allowed', async () => {
    const answer = await fetch(`${origin}/v1/decide`, {
      method: 'POST',
      headers: { authorization: 'Bearer demo-key', 'content-type': 'application/json' },
      body: '{"telemetry_id":"allow","device_id":"active"}',
    });
    const { decision, degraded } = (await answer.json()) as { decision: string; degraded: boolean };
    return decision === 'ALLOW' && !degraded;
  });

  const check = () => runProgram(t, toCommand(image.healthcheck), { cwd: app, env });
  t.match(await check(), { code: 0, stdout: '', stderr: '' });
  t.strictSame(listFiles(app), files);
  service.child.kill('SIGTERM');
  t.match(await service.ended, { code: 0, stderr: '' });
  const command = (...args: string[]) =>
    runProgram(t, toCommand([...image.command.slice(0, -1), ...args]), { cwd: app, env });
  const exported = await command('history', 'export', '--engine', 'sqlite');
  t.match(exported, { code: 0, stdout: /"decision":"ALLOW"/ }, 'it is the command of its history too');
  t.match(await command('demo'), { code: 3, stdout: '', stderr: /run the demo in a checkout/ });
  t.match(await command('emulators'), { code: 3, stdout: '', stderr: /run them in a checkout/ });
  t.match(await check(), { code: 1 }, 'a service that is gone is not healthy');
});

/** The list of packages is of what is installed, whole and with where each is from. */
function checkSbom(t: Test, app: string): void {
  const tool = findTool(t, CYCLONEDX);
  if (tool === null) return;
  const output = join(createFolder(t), 'sbom.json');
  makeSbom(tool, app, output);
  const sbom = JSON.parse(readFileSync(output, 'utf8')) as Sbom;
  t.match(sbom, { bomFormat: 'CycloneDX', specVersion: '1.6' });
  const lock = readFileSync(join(app, 'node_modules/.package-lock.json'), 'utf8');
  const installed = Object.entries(
    (JSON.parse(lock) as { packages: Record<string, { version: string }> }).packages,
  );
  t.ok(installed.length > 100);
  t.strictSame(
    [...new Set(sbom.components.map(({ purl }) => decodeURIComponent(purl.replace(/\?.*$/, ''))))].toSorted(),
    [
      ...new Set(
        installed.map(([path, { version }]) => `pkg:npm/${path.replace(/^.*node_modules\//, '')}@${version}`),
      ),
    ].toSorted(),
  );
  for (const { purl, licenses = [] } of sbom.components) t.ok(licenses.length > 0, purl);
}

function createFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'riskgate-image-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs the image's own install command. Packages that are in npm's cache are not fetched again. */
async function install(t: Test, cwd: string, command: string): Promise<void> {
  // A script of npm's tells the npm below it which project it is in.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_(lifecycle|package|config_local)/.test(name),
  );
  const env = Object.fromEntries(inherited);
  const { code, stderr } = await runProgram(t, ['sh', '-c', `${command} --prefer-offline`], { cwd, env });
  t.equal(code, 0, stderr);
}

/**
 * Starts what compose starts before the service: a Redis, and the emulators from their image, with the
 * packages of `app`. Gives the environment that compose gives the service, with their addresses here.
 */
async function startDependencies(t: Test, app: string): Promise<Record<string, string>> {
  const redis = await startRedisServer(t);
  const places: Record<string, string> = { 'redis:6379': `127.0.0.1:${redis.port}`, '0.0.0.0': '127.0.0.1' };
  places['8081'] = String(await findFreePort());
  const folder = createFolder(t);
  copyImageFiles(ROOT, folder, emulators.copies, `${EMULATORS}.dockerignore`);
  symlinkSync(join(app, 'node_modules'), join(folder, 'node_modules'));
  const place = (command: readonly string[]) =>
    toCommand(command.map((word) => places[word] ?? word.replace(/\b8081\b/, places['8081'] ?? '')));
  const upstream = await startProgram(t, place(emulators.command), { cwd: folder, env: emulators.env });
  await upstream.until(/^http:/);
  t.match(
    await runProgram(t, place(emulators.healthcheck), { cwd: folder }),
    { code: 0 },
    'they are healthy',
  );
  places['emulators:8081'] = `127.0.0.1:${places['8081']}`;
  const composed = Object.entries(riskgate.environment ?? {}).map(([name, value]) => [
    name,
    value.replace(/redis:6379|emulators:8081/, (host) => places[host] ?? host),
  ]);
  const apiKeysFile = findConfigFile(riskgate, riskgate.environment?.['API_KEYS_FILE'] ?? '');
  const port = String(await findFreePort());
  const own = { API_KEYS_FILE: apiKeysFile, DATA_DIR: createFolder(t), PORT: port };
  return { ...image.env, ...Object.fromEntries(composed), ...own };
}

/** An environment in which `node` is this Node. */
function onThisNode(): Record<string, string> {
  return { PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` };
}

/** The command on this Node, which is the image's major version. */
function toCommand([program, ...args]: readonly string[]): [string, ...string[]] {
  if (program !== 'node') throw new Error(`not a command of Node: ${program}`);
  return [process.execPath, ...args];
}

/** Everything in the folder but what npm has installed. */
function listFiles(app: string): string[] {
  const paths = readdirSync(app, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => !path.startsWith('node_modules')).toSorted();
}
