import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { emulatorEnvironment } from '../../src/emulators/server.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { writeApiKeys } from '../support/api-key-file.ts';
import { SERVICES } from '../support/compose-file.ts';
import { findFreePort, ROOT } from '../support/start-program.ts';
import { createDirectory, until } from '../support/test-app.ts';

/** What docs/running.md says of the image: what it adds to its base, at most. */
const ADDED_BYTES_MAX = 100_000_000;
const PROJECT = 'riskgate-test';
const BASE = 'node:24-bookworm-slim';
/** As docker-compose.yml and the chart run it. */
const HARDENED = [
  '--network=host',
  '--read-only',
  '--tmpfs=/tmp',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges:true',
];

/** The layers of two images are made where they are not there yet. */
const PATIENCE_MS = 600_000;
t.setTimeout(PATIENCE_MS);

const lacking = whyNoEngine();

t.test('the image is built, runs hardened, decides and drains', async (t) => {
  if (lacking !== null) return void t.pass('an engine', { skip: lacking });
  const image = build(t, 'Dockerfile');
  const emulators = build(t, 'docker/emulators.Dockerfile');
  const sizeOf = (name: string) => Number(docker('image', 'inspect', '--format={{.Size}}', name));
  const added = sizeOf(image) - sizeOf(BASE);
  t.ok(added > 0 && added < ADDED_BYTES_MAX, `${added} bytes are added to the base`);

  const upstreamPort = String(await findFreePort());
  const origin = `http://127.0.0.1:${upstreamPort}`;
  start(t, emulators, [], ['node', 'src/emulators/main.ts', '--host', '127.0.0.1', '--port', upstreamPort]);
  const port = String(await findFreePort());
  const folder = createDirectory(t);
  const key = randomBytes(16).toString('hex');
  const env: Record<string, string> = {
    ...emulatorEnvironment(PROVIDERS, origin),
    API_KEYS_FILE: '/etc/riskgate/own-api-keys.yaml',
    DATA_DIR: '/var/lib/riskgate',
    HOST: '127.0.0.1',
    ID_HASH_KEY: randomBytes(32).toString('base64'),
    PORT: port,
  };
  writeApiKeys(folder, [{ id: 'engine', key }]);
  // The user of the image is another than that of the test.
  spawnSync('chown', ['-R', '1000:1000', folder]);
  const variables = Object.entries(env).map(([name, value]) => `--env=${name}=${value}`);
  const mounts = [`--volume=${folder}:/etc/riskgate:ro`, '--mount=type=volume,target=/var/lib/riskgate'];
  const container = start(t, image, [...variables, ...mounts], []);
  await until('it decides', () => isAllowed(`http://127.0.0.1:${port}`, key));

  const status = docker('exec', container, 'cat', '/proc/1/status');
  t.match(status, /^Uid:\t1000\t1000\t1000\t1000$/m);
  t.match(status, /^CapEff:\t0+$/m);
  t.match(status, /^NoNewPrivs:\t1$/m);
  for (const path of ['/app/x', '/app/src/x', '/app/.compiled/x'])
    t.not(tryDocker(['exec', container, 'touch', path]).status, 0, `${path} cannot be written`);
  t.match(docker('exec', container, 'ls', '/var/lib/riskgate'), /history/, 'the volume can');
  docker('stop', '--time=20', container);
  t.equal(docker('inspect', '--format={{.State.ExitCode}}', container), '0');
  t.match(docker('logs', container), /"event":"service\.stopped"/);
});

t.test('Compose takes its file, and brings up a demo that decides', async (t) => {
  const reason = lacking ?? whyNoCompose();
  if (reason !== null) return void t.pass('Compose', { skip: reason });
  const compose = (...args: string[]) => docker('compose', `--project-name=${PROJECT}`, ...args);
  compose('config', '--quiet');
  compose('--profile=observability', '--profile=history', 'config', '--quiet');
  // Under the names that Compose gives them, so that it builds nothing: it could not share the host's network.
  build(t, 'Dockerfile', `${PROJECT}-riskgate`);
  build(t, 'docker/emulators.Dockerfile', `${PROJECT}-emulators`);
  t.teardown(() => tryDocker(['compose', `--project-name=${PROJECT}`, 'down', '--volumes', '--timeout=15']));
  compose('up', '--detach', '--wait');
  const origin = 'http://127.0.0.1:8080';
  await until('it decides', () => isAllowed(origin, 'demo-key'));
  t.notOk(await isAllowed(origin, 'another-key'), 'for who has the key alone');
});

async function isAllowed(origin: string, key: string): Promise<boolean> {
  try {
    const answer = await fetch(`${origin}/v1/decide`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: `{"telemetry_id":"allow-${randomBytes(8).toString('hex')}","device_id":"active"}`,
    });
    return ((await answer.json()) as { decision?: string }).decision === 'ALLOW';
  } catch {
    // It does not listen yet.
    return false;
  }
}

/** Builds an image, which is removed at the end; its layers stay for the next time. */
function build(t: Test, dockerfile: string, name = `${PROJECT}-${randomBytes(6).toString('hex')}`): string {
  const file = join(ROOT, dockerfile);
  docker('build', '--quiet', '--network=host', `--file=${file}`, `--tag=${name}`, ROOT);
  t.teardown(() => tryDocker(['image', 'rm', name]));
  return name;
}

function start(t: Test, image: string, options: readonly string[], command: readonly string[]): string {
  const container = docker('run', '--detach', ...HARDENED, ...options, image, ...command);
  t.teardown(() => tryDocker(['rm', '--force', '--volumes', container]));
  return container;
}

/** What a command of Docker says. Throws where it fails. */
function docker(...args: string[]): string {
  const { status, stdout, stderr } = tryDocker(args);
  if (status !== 0) throw new Error(`docker ${args[0]} ended with ${status}: ${stderr}`);
  return stdout.trim();
}

function tryDocker(args: readonly string[], input = '') {
  const env = { ...process.env, DOCKER_BUILDKIT: '1' };
  return spawnSync('docker', args, { encoding: 'utf8', env, input });
}

function whyNoEngine(): string | null {
  if (process.platform !== 'linux') return 'containers share the network of their host on Linux alone';
  if (tryDocker(['info']).status !== 0) return 'no Docker engine answers';
  // Docker's command may be there without what builds.
  if (tryDocker(['build', '--quiet', '-'], 'FROM scratch\nLABEL probe=yes\n').status !== 0)
    return 'Docker has no BuildKit';
  return whyNoImage(BASE);
}

function whyNoCompose(): string | null {
  if (tryDocker(['compose', 'version']).status !== 0) return 'Docker has no Compose';
  return whyNoImage(SERVICES.redis.image ?? '');
}

function whyNoImage(name: string): string | null {
  const isThere = [['image', 'inspect'], ['pull']].some((words) => tryDocker([...words, name]).status === 0);
  return isThere ? null : `the image ${name} cannot be had`;
}
