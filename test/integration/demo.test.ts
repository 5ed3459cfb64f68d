import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import t, { type Test } from 'tap';
import { findFreePort, type Program, runProgram, startProgram } from '../support/start-program.ts';
import { until } from '../support/test-app.ts';

const DEMO: [string, string] = [process.execPath, 'src/emulators/demo.ts'];

interface Demo extends Program {
  readonly origin: string;
  /** The folder that its temporary files are in. */
  readonly temporary: string;
}

t.test('answers its own curl lines with the verdicts that it promises', async (t) => {
  const demo = await startDemo(t);
  const { input } = await demo.until(/The API is described at/);
  const promises = [...input.matchAll(/^# (\w+): .*\n(curl .*)$/gm)];
  t.strictSame(
    promises.map(([, verdict]) => verdict),
    ['ALLOW', 'CHALLENGE', 'BLOCK'],
  );
  // In every order, and again: what is asked once must not change what is answered to another.
  for (const [, verdict, command = ''] of [...promises, ...promises.toReversed(), ...promises]) {
    const { code, stdout } = await runProgram(t, ['sh', '-c', command], { env: path() });
    t.equal(code, 0, command);
    t.match(JSON.parse(stdout), { decision: verdict, degraded: false }, command);
  }
});

t.test('describes its API where it says', async (t) => {
  const demo = await startDemo(t);
  const [, docs = ''] = await demo.until(/described at (\S+),/);
  t.equal((await fetch(docs)).status, 200);
});

t.test('says that the service was not ready in time, and not that it ended well', async (t) => {
  const port = await findFreePort();
  const { code, stderr } = await runProgram(t, [...DEMO, '--wait-seconds=0'], {
    env: { PORT: String(port), TMPDIR: t.testdir({}) },
  });
  t.equal(code, 1);
  t.match(stderr, /^The demo ends: its service was not ready within 0 s\..* --wait-seconds/m);
  t.notMatch(stderr, /exit code 0/);
});

t.test('with --traffic asks by itself, as several callers, and ends as promptly', async (t) => {
  const demo = await startDemo(t, {}, ['--traffic']);
  await demo.until(/traffic: a calm day/);
  const headers = { authorization: 'Bearer demo-key' };
  await until('callers have asked', async () => {
    const answer = await fetch(`${demo.origin}/v1/stats?window=5m&group_by=caller`, { headers });
    // A machine that is busy refuses reads for a while.
    if (!answer.ok) return false;
    const { totals } = (await answer.json()) as { totals: { counts: Record<string, number> } };
    return Object.keys(totals.counts).length >= 2;
  });
  demo.child.kill('SIGTERM');
  t.match(await demo.ended, { code: 0, signal: null });
});

t.test('keeps its key file from other users, and gives the key every scope', async (t) => {
  const demo = await startDemo(t);
  const [directory = ''] = readdirSync(demo.temporary);
  t.match(directory, /^riskgate-demo-/);
  const { mode } = statSync(`${demo.temporary}/${directory}/api-keys.yaml`);
  t.equal(mode & 0o777, 0o600);
  const headers = { authorization: 'Bearer demo-key' };
  t.equal((await fetch(`${demo.origin}/v1/policy`, { headers })).status, 200);
  const purge = await fetch(`${demo.origin}/v1/evidence?device_id=active`, { method: 'DELETE', headers });
  t.equal(purge.status, 200);
});

t.test('ignores the Redis, the policy and the credentials of its environment', async (t) => {
  const demo = await startDemo(t, {
    REDIS_URL: 'redis://127.0.0.1:1',
    POLICY_FILE: '/nowhere.yaml',
    API_KEYS_FILE: '/nowhere.yaml',
    STYTCH_SECRET: 'a-real-secret',
    STYTCH_BASE_URL: 'http://127.0.0.1:1',
  });
  const ready = await fetch(`${demo.origin}/readyz`);
  t.match(await ready.json(), {
    status: 'ready',
    policy: { id: 'default' },
    redis: 'absent',
    providers: ['stytch', 'mobilerun', 'prefactor'],
  });
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`ends the service and leaves nothing behind on ${signal}`, async (t) => {
    const demo = await startDemo(t);
    const children = childrenOf(demo.child.pid);
    t.equal(children.length, 1);
    // npm repeats what the terminal has already sent.
    demo.child.kill(signal);
    demo.child.kill(signal);
    t.match(await demo.ended, { code: 0, signal: null, stderr: '' });
    for (const pid of children) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    t.strictSame(readdirSync(demo.temporary), []);
  });
}

t.test('ends with the exit code of a service that ends by itself, and says so', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, DEMO, {
    env: { PORT: '0', DECISION_DEADLINE_MS: 'soon' },
  });
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, /DECISION_DEADLINE_MS must be a whole number/);
  t.match(stderr, /The demo ends: its service ended with exit code 1\.\n$/);
});

t.test('says in one line that the port is taken', async (t) => {
  const demo = await startDemo(t);
  const { port } = new URL(demo.origin);
  const { code, stdout, stderr } = await runProgram(t, DEMO, { env: { PORT: port } });
  t.equal(code, 1);
  t.equal(stdout, '');
  t.equal(stderr, `The demo cannot listen on 127.0.0.1:${port} (EADDRINUSE). Set PORT to a free port.\n`);
});

/** A demo that is ready, on a free port and with a temporary folder of its own. */
async function startDemo(
  t: Test,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<Demo> {
  const temporary = t.testdir({});
  const port = await findFreePort();
  const demo = await startProgram(t, [...DEMO, ...args], {
    env: { ...env, PORT: String(port), TMPDIR: temporary },
  });
  const [, origin = ''] = await demo.until(/decides at (\S+),/);
  t.equal(origin, `http://127.0.0.1:${port}`);
  return { ...demo, origin, temporary };
}

/** `sh` and `curl` are wherever they are for whoever runs the tests. */
function path(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] };
}

/** The children of a process: from /proc where there is one, since a bare Debian has no `ps`. */
function childrenOf(parent: number | undefined): number[] {
  const rows = existsSync('/proc/self/stat') ? readProcesses() : listProcesses();
  return rows.filter(({ ppid }) => ppid === parent).map(({ pid }) => pid);
}

interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
}

function readProcesses(): ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // `pid (name) state ppid …`; a name may hold anything, parentheses too.
        const [, ppid] = /\) \S (\d+) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return [{ pid: Number(pid), ppid: Number(ppid) }];
      } catch {
        // The process ended between the two reads.
        return [];
      }
    });
}

function listProcesses(): ProcessRow[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return stdout.split('\n').map((line) => {
    const [pid, ppid] = line.trim().split(/\s+/).map(Number);
    return { pid: pid ?? 0, ppid: ppid ?? 0 };
  });
}
