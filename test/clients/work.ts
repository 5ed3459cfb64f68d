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

/** What a file of these tests may take: packages are downloaded, and generators compiled. */
const FILE_MS_MAX = 900_000;
/** More than any program of these tests takes, and less than its file has, so that it is named. */
const RUN_MS_MAX = 600_000;
/** A registry that does not answer is asked again after a minute, not after five. */
const REGISTRY = { npm_config_fetch_timeout: '60000', npm_config_fetch_retries: '4' };

/** A folder to build clients in, and a service that they can ask. */
export interface Work {
  readonly work: string;
  readonly origin: string;
  /**
   * Runs a program to its end in a folder below the working one. Returns what it printed; anything but success
   * within ten minutes fails the test with all that it said.
   */
  run(t: Test, folder: string, command: readonly [string, ...string[]]): Promise<string>;
}

/** Makes the folder, which goes with the test, and starts the service. */
export async function openWork(t: Test, environment: Readonly<Record<string, string>> = {}): Promise<Work> {
  t.setTimeout(FILE_MS_MAX);
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
  const env = { ...process.env, ...REGISTRY, GOBIN: join(work, 'bin'), ...environment };
  return {
    work,
    origin,
    run: async (t, folder, command) => {
      const cwd = join(work, folder);
      mkdirSync(cwd, { recursive: true });
      const { child, ended } = await startProgram(t, command, { cwd, env });
      const limit = setTimeout(() => {
        child.kill('SIGKILL');
        // Its own children may hold them open.
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, RUN_MS_MAX);
      const { code, signal, stdout, stderr } = await ended;
      clearTimeout(limit);
      if (code !== 0)
        throw new Error(`${command.join(' ')} ended with ${code ?? signal}:\n${stdout}\n${stderr}`);
      return stdout.trim();
    },
  };
}
