import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { prefactorLookup } from './emulated-providers.ts';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`prints where it listens, and exits 0 on ${signal} although an answer hangs`, async (t) => {
    const child = start(t, ['--port', '0']);
    const line = await firstOutput(child.stdout);
    const [origin = '', ...assignments] = line.trim().split(' ');
    t.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/);
    t.match(Object.fromEntries(assignments.map((assignment) => assignment.split('='))), {
      STYTCH_BASE_URL: origin,
      STYTCH_SECRET: 'emulated',
      MOBILERUN_BASE_URL: `${origin}/v1`,
      PREFACTOR_BASE_URL: origin,
    });

    const ask = (id: string) => {
      const { url, headers } = prefactorLookup(id);
      return fetch(origin + url, { headers });
    };
    const hanging = ask('fault-hang').catch((error: unknown) => error);
    t.equal((await ask('active')).status, 200);
    child.kill(signal);
    t.strictSame(await once(child, 'exit'), [0, null]);
    t.type(await hanging, TypeError);
  });
}

t.test('refuses flags that make no sense', async (t) => {
  for (const flags of [['--port', 'x'], ['--port', '65536'], ['--prot', '1'], ['--port']]) {
    const child = start(t, flags);
    const said = firstOutput(child.stderr);
    t.strictSame(await once(child, 'exit'), [2, null], flags.join(' '));
    t.match(await said, /port|prot/);
  }
});

t.test('says in one line that the port is taken', async (t) => {
  const first = start(t, ['--port', '0']);
  const [origin = ''] = (await firstOutput(first.stdout)).split(' ');
  const { port } = new URL(origin);
  const second = start(t, ['--port', port]);
  const said = firstOutput(second.stderr);
  t.strictSame(await once(second, 'exit'), [1, null]);
  t.equal(
    await said,
    `The emulators cannot listen on 127.0.0.1:${port} (EADDRINUSE). Set --port to a free port.\n`,
  );
});

function start(t: { teardown(fn: () => void): void }, flags: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['src/emulators/main.ts', ...flags], {
    cwd: new URL('../..', import.meta.url),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function firstOutput(stream: NodeJS.ReadableStream | null): Promise<string> {
  if (stream === null) throw new Error('the stream is not piped');
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  return String(chunk);
}
