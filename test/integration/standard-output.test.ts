import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import t, { type Test } from 'tap';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { findFreePort, ROOT } from '../support/start-program.ts';
import { askForDecision, createServiceEnvironment } from '../support/start-service.ts';
import { VENDORS } from '../support/vendors.ts';

const emulators = createEmulatorServer({ providers: VENDORS });
const upstream = await emulators.app.listen({ host: '127.0.0.1', port: 0 });
t.teardown(() => emulators.app.close());

/** More lines than fit into one block of the logger, so that every one of these services has had to write. */
const DECISIONS = 60;

/** Starts the service with this standard output, asks it often, ends it, and answers how it ended. */
async function runWithOutput(t: Test, stdout: number | 'pipe'): Promise<number | null> {
  const port = await findFreePort();
  const env = { ...createServiceEnvironment(t, upstream), PORT: String(port), LOG_DECISIONS: 'on' };
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', stdout, 'ignore'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  // A pipe that nobody reads from any more.
  child.stdout?.destroy();
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const origin = `http://127.0.0.1:${port}`;
  while ((await fetch(`${origin}/livez`).catch(() => null)) === null) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
  }
  for (let count = 0; count < DECISIONS; count += 1) {
    const answer = await askForDecision(origin, { telemetry_id: 'allow', device_id: 'active' });
    t.equal(answer.status, 200);
    await answer.text();
  }
  child.kill('SIGTERM');
  const [code] = await exited;
  return code;
}

t.test('decides and ends although nobody reads its log', async (t) => {
  t.equal(await runWithOutput(t, 'pipe'), 0);
});

t.test('decides and ends although the disk of its log is full', async (t) => {
  if (!existsSync('/dev/full')) {
    t.pass('this system has no /dev/full');
    return;
  }
  t.equal(await runWithOutput(t, openSync('/dev/full', 'w')), 0);
});
