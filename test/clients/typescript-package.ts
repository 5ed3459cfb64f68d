/** The package @riskgate/client as a stranger gets it: packed, and installed into an empty project. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import t from 'tap';
import { findWorkerd } from '../gateways/real/workerd.ts';
import { ROOT, startProgram } from '../support/start-program.ts';
import { KEYS, until } from '../support/test-app.ts';
import { openWork, TEST_KEY } from './work.ts';

/** Runtimes beside Node that npm has; one that cannot be installed here fails the test. */
const RUNTIMES = ['bun@1.4.5', 'deno@2.9.6'] as const;

/** More than the worker lets its own questions take. */
const WORKER_MS_MAX = 50_000;

const { work, origin, run } = await openWork(t);
const SOURCE = 'checkout/clients/typescript';
const USER = 'user';

async function npm(folder: string, ...args: string[]): Promise<string> {
  return run(t, folder, ['npm', ...args, '--silent', '--no-audit', '--no-fund']);
}

/** Packed from a copy, so that nothing of the checkout is used or left behind. */
async function pack(): Promise<void> {
  cpSync(join(ROOT, 'clients/typescript'), join(work, SOURCE), {
    recursive: true,
    filter: (path) => !/(?:node_modules|dist|api\.ts)$/.test(path),
  });
  mkdirSync(join(work, 'checkout/openapi'));
  cpSync(join(ROOT, 'openapi/openapi.json'), join(work, 'checkout/openapi/openapi.json'));
  await npm(SOURCE, 'ci');
  await npm(SOURCE, 'pack', '--pack-destination', work);
}

await pack();
const [archive = ''] = readdirSync(work).filter((name) => name.endsWith('.tgz'));
mkdirSync(join(work, USER));
writeFileSync(join(work, USER, 'package.json'), '{"private": true, "type": "module"}');
await npm(USER, 'install', `../${archive}`);
cpSync(join(ROOT, 'test/clients/typescript-package'), join(work, USER), { recursive: true });

t.test('brings no other package along', async (t) => {
  const installed = readdirSync(join(work, USER, 'node_modules')).filter((name) => !name.startsWith('.'));
  t.strictSame(installed, ['@riskgate']);
  t.strictSame(readdirSync(join(work, USER, 'node_modules/@riskgate')), ['client']);
});

/** The Node that the machine itself has may be older than ours: the client has to run there too. */
const NODES = ['/usr/bin/node', '/usr/local/bin/node', process.execPath];

t.test('keeps its promises on Node, Bun and Deno', async (t) => {
  await npm('runtimes', 'install', '--prefix', '.', ...RUNTIMES);
  const runtime = (name: string) => join(work, 'runtimes/node_modules/.bin', name);
  const nodes = NODES.filter((path) => readdirSync(join(path, '..')).includes('node'));
  const commands: readonly (readonly [string, ...string[]])[] = [
    ...nodes.map((path) => [path] as const),
    [runtime('bun')],
    [runtime('deno'), 'run', '--quiet', '--no-lock', '--allow-all', '--node-modules-dir=manual'],
  ];
  for (const command of commands) {
    const said = await run(t, USER, [...command, 'checks.mjs', origin, KEYS.all, TEST_KEY]);
    t.match(said, /^\d\d kept$/, command[0]);
    t.comment(`${command[0]}: ${said}`);
  }
});

t.test('can be required, and its types compile with strict settings', async (t) => {
  t.equal(await run(t, USER, [process.execPath, 'ask.cjs', origin, KEYS.all]), 'ALLOW ALLOW');
  const tsc = join(work, SOURCE, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom'];
  for (const module of ['nodenext', 'esnext'])
    await run(t, USER, [
      process.execPath,
      tsc,
      ...options,
      '--module',
      module,
      '--moduleResolution',
      module === 'esnext' ? 'bundler' : module,
      'typed.ts',
    ]);
  t.pass();
});

t.test('the example of its README runs as it is', async (t) => {
  const readme = readFileSync(join(ROOT, 'clients/typescript/README.md'), 'utf8');
  const [, example = ''] = /```js\n(.*?)```/s.exec(readme) ?? [];
  t.equal(example.trim().split('\n').length, 5);
  writeFileSync(join(work, USER, 'example.mjs'), example);
  const env = ['env', `RISKGATE_URL=${origin}`, `RISKGATE_API_KEY=${KEYS.all}`] as const;
  t.equal(await run(t, USER, [...env, process.execPath, 'example.mjs']), 'ALLOW');
});

t.test('runs in a worker', async (t) => {
  const workerd = findWorkerd();
  if (workerd === null) throw new Error('workerd is not installed');
  const folder = join(work, USER);
  const outfile = join(folder, 'worker.js');
  await build({
    entryPoints: [join(folder, 'worker.mjs')],
    outfile,
    bundle: true,
    format: 'esm',
    logLevel: 'error',
  });
  const port = await freePort();
  writeFileSync(
    join(folder, 'worker.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2026-01-01",
      bindings = [(name = "URL", text = "${origin}"), (name = "KEY", text = "${KEYS.all}")],
      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
`,
  );
  await startProgram(t, [workerd, 'serve', join(folder, 'worker.capnp')], { cwd: folder });
  let answer: Response | null = null;
  await until('the worker listens', async () => {
    answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(WORKER_MS_MAX) }).catch(
      () => null,
    );
    return answer !== null;
  });
  t.equal(await (answer as Response | null)?.text(), 'ALLOW BLOCK CHALLENGE network');
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

t.teardown(() => rmSync(join(work, 'runtimes'), { recursive: true, force: true }));
