import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { emulatorEnvironment } from '../../src/emulators/server.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { runCommand } from '../support/run-cli.ts';
import { ROOT, runProgram, startProgram } from '../support/start-program.ts';
import { patienceOf } from '../support/start-service.ts';
import { createDirectory, portOf, startEmulators } from '../support/test-app.ts';

const BIN = join(ROOT, 'bin/riskgate.js');
const { PATH = '' } = process.env;
const WRITTEN = [
  '.env',
  'gateway-profiles.yaml',
  'policy.test.yaml',
  'policy.yaml',
  'secrets/.gitignore',
  'secrets/api-key',
  'secrets/api-keys.yaml',
  'secrets/id-hash-key',
];

function filesIn(directory: string): readonly string[] {
  const names = readdirSync(directory, { encoding: 'utf8', recursive: true });
  return names.filter((name) => statSync(join(directory, name)).isFile()).toSorted();
}

t.test('what it writes lacks credentials alone, is good, and serves', async (t) => {
  const cwd = createDirectory(t);
  const riskgate = (args: readonly string[], env: Record<string, string> = {}) =>
    runProgram(t, [process.execPath, BIN, ...args], { cwd, env: { PATH, ...env } });
  const began = await riskgate(['init']);
  t.match(began, { code: 0, stderr: '' });
  t.strictSame(filesIn(cwd), WRITTEN);
  t.match(began.stdout, 'Stytch Fingerprint Lookup: STYTCH_PROJECT_ID, STYTCH_SECRET');
  const config = ['config', 'check', '--environment', '.env'];
  const lacking = await riskgate([...config, '--json']);
  t.equal(lacking.code, 1);
  const { mistakes } = JSON.parse(lacking.stdout) as { readonly mistakes: readonly string[] };
  t.match(mistakes, [/^no provider is enabled/]);
  t.equal(mistakes.length, 1);

  const emulators = await startEmulators(t, {}, PROVIDERS);
  const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  const env = { ...emulatorEnvironment(PROVIDERS, origin), ...patienceOf(10_000), PORT: '0' };
  const checked = await riskgate([...config, '--json'], env);
  t.match(checked, { code: 0 });
  t.match(JSON.parse(checked.stdout), { ok: true, mistakes: [], misspelt: [], ignored: [], candidates: [] });
  t.match(await runCommand(['check', join(cwd, 'policy.yaml')]), { code: 0, text: /is good/ });
  t.match(await runCommand(['test', join(cwd, 'policy.test.yaml')]), { code: 0, text: / 0 failed/ });

  const command = [process.execPath, BIN, 'serve', '--environment', '.env'] as const;
  const service = await startProgram(t, command, { cwd, env: { PATH, DRAIN_DELAY_MS: '0', ...env } });
  const [, port] = await service.until(/"event":"service\.listening".*?"port":(\d+)/);
  const key = readFileSync(join(cwd, 'secrets/api-key'), 'utf8').trim();
  const response = await fetch(`http://127.0.0.1:${port}/v1/decide`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ telemetry_id: 'allow', device_id: 'active' }),
  });
  t.match(
    { status: response.status, body: await response.json() },
    { status: 200, body: { decision: 'ALLOW' } },
  );
  service.child.kill('SIGTERM');
  t.match(await service.ended, { code: 0 });
  t.ok(existsSync(join(cwd, 'data')), 'decisions are kept');
});

t.test('secrets are random, and for their owner alone', async (t) => {
  const [one, other] = [join(createDirectory(t), 'one/two'), createDirectory(t)];
  for (const dir of [one, other]) t.equal((await runCommand(['init', '--dir', dir])).code, 0);
  const read = (dir: string, path: string) => readFileSync(join(dir, path), 'utf8');
  for (const path of ['secrets/api-key', 'secrets/id-hash-key']) {
    t.match(read(one, path), /^[0-9a-f]{64}\n$/);
    t.not(read(one, path), read(other, path));
  }
  t.match(read(one, 'secrets/api-keys.yaml'), hash('sha256', read(one, 'secrets/api-key').trim()));
  for (const path of ['.env', 'secrets/api-key', 'secrets/api-keys.yaml', 'secrets/id-hash-key'])
    t.equal(statSync(join(one, path)).mode & 0o777, 0o600, path);
  t.equal(statSync(join(one, 'secrets')).mode & 0o777, 0o700);
  for (const path of WRITTEN.filter((name) => !name.startsWith('secrets/')))
    t.notMatch(read(one, path), read(one, 'secrets/id-hash-key').trim(), path);
});

t.test('overwrites nothing, and then writes nothing', async (t) => {
  for (const there of ['.env', 'policy.yaml', 'a link']) {
    const dir = createDirectory(t);
    if (there === 'a link') symlinkSync('/nowhere/at/all', join(dir, 'gateway-profiles.yaml'));
    else writeFileSync(join(dir, there), 'mine');
    const { code, err, text } = await runCommand(['init', '--dir', dir]);
    t.match({ code, text }, { code: 3, text: '' }, there);
    t.match(err, /nothing was written: .* is there already/);
    t.equal(readdirSync(dir).length, 1, there);
    if (there !== 'a link') t.equal(readFileSync(join(dir, there), 'utf8'), 'mine');
  }
});

t.test('ends below /proc, where a directory that is missing cannot be made', async (t) => {
  if (process.platform !== 'linux') return;
  // As a process of its own: one that does not end answers no signal but this.
  const ends = (args: readonly string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, args, {
      cwd: ROOT,
      env: { PATH, ...env },
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
  for (const dir of ['/proc/x', '/proc/x/y', '/sys/x', '/dev/null/x'])
    t.match(
      ends([BIN, 'init', '--dir', dir]),
      { status: 3, stdout: '', stderr: new RegExp(`${dir} cannot be written to \\(E[A-Z]+\\)`) },
      dir,
    );
  const { status, stderr } = ends(['src/main.ts'], { DATA_DIR: '/proc/x' });
  t.match({ status, stderr }, { status: 1, stderr: /DATA_DIR \/proc\/x: cannot be written \(ENOENT\)/ });
});

t.test('says where it cannot write, and leaves no half of it', async (t) => {
  const dir = createDirectory(t);
  writeFileSync(join(dir, 'file'), '');
  t.match(await runCommand(['init', '--dir', join(dir, 'file'), '--json']), {
    code: 3,
    json: { error: { code: 'not_written', message: /cannot be written to \((EEXIST|ENOTDIR)\)/ } },
  });
  const half = createDirectory(t);
  // Something that is no folder stands where the secrets go.
  writeFileSync(join(half, 'secrets'), '');
  chmodSync(join(half, 'secrets'), 0o444);
  t.match(await runCommand(['init', '--dir', half]), { code: 3, err: /cannot be written to/ });
  t.strictSame(readdirSync(half), ['secrets']);
});

t.test(
  'a file of variables that cannot be read is said, and does not go before the environment',
  async (t) => {
    const cwd = createDirectory(t);
    const check = (env: Record<string, string>, ...args: string[]) =>
      runProgram(t, [process.execPath, BIN, 'config', 'check', ...args], { cwd, env: { PATH, ...env } });
    t.match(await check({}, '--environment', 'none'), { code: 3, stderr: /none cannot be read \(ENOENT\)/ });
    t.match(await check({}, '--environment', '.'), { code: 3, stderr: /\. cannot be read \(EISDIR\)/ });
    writeFileSync(join(cwd, 'env'), 'PORT=nonsense\n');
    t.match(await check({}, '--environment', 'env'), { code: 1, stdout: /PORT/ });
    t.notMatch((await check({ PORT: '1234' }, '--environment', 'env')).stdout, /PORT/);
  },
);
