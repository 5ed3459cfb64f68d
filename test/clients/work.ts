import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { startProgram } from '../support/start-program.ts';
import { patienceOf } from '../support/start-service.ts';
import { createDirectory, createTestApp, KEYS } from '../support/test-app.ts';

/** The key that gets answers to test ids. */
export const TEST_KEY = 'test-key-of-test-ids';

/** A folder to build clients in, and a service that they can ask. */
export interface Work {
  readonly work: string;
  readonly origin: string;
  /**
   * Runs a program to its end in a folder below the working one. Returns what it printed; anything but success
   * fails the test with all that it said.
   */
  run(t: Test, folder: string, command: readonly [string, ...string[]]): Promise<string>;
}

/** Makes the folder, which goes with the test, and starts the service. */
export async function openWork(t: Test, environment: Readonly<Record<string, string>> = {}): Promise<Work> {
  const work = mkdtempSync(join(tmpdir(), 'riskgate-clients-'));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const apiKeys = writeApiKeys(createDirectory(t), [
    { id: 'all', key: KEYS.all },
    { id: 'rehearsal', key: TEST_KEY, scopes: ['test'] },
  ]);
  const app = await createTestApp(t, {
    env: { ...patienceOf(10_000), API_KEYS_FILE: apiKeys, TEST_IDS: 'on' },
  });
  const origin = `http://127.0.0.1:${await app.listen()}`;
  // What is built may be run: `npm` and the like find their own programs by the PATH.
  const env = { ...process.env, GOBIN: join(work, 'bin'), ...environment };
  return {
    work,
    origin,
    run: async (t, folder, command) => {
      const cwd = join(work, folder);
      mkdirSync(cwd, { recursive: true });
      const program = await startProgram(t, command, { cwd, env });
      const { code, stdout, stderr } = await program.ended;
      if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
      return stdout.trim();
    },
  };
}
