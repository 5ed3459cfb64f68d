import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import t, { type Test } from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { runProgram } from '../support/start-program.ts';
import { createServiceEnvironment, startService } from '../support/start-service.ts';
import { createDirectory } from '../support/test-app.ts';

/** Nobody is asked anything in these tests. */
const UPSTREAM = 'http://127.0.0.1:9';

/** A service on every address of the machine, with secrets that were drawn. */
function createExposedEnvironment(t: Test): { env: Record<string, string>; file: string } {
  const key = randomBytes(32).toString('base64url');
  const file = writeApiKeys(createDirectory(t), [{ id: 'login', key }]);
  const secrets = { API_KEYS_FILE: file, ID_HASH_KEY: randomBytes(32).toString('base64') };
  return { env: { ...createServiceEnvironment(t, UPSTREAM), HOST: '0.0.0.0', ...secrets }, file };
}

async function mistakesOf(t: Test, env: Record<string, string>): Promise<readonly string[]> {
  const { code, stderr } = await runProgram(t, [process.execPath, 'src/main.ts'], { env });
  t.equal(code, 1);
  return stderr.split('\n').filter((line) => line.startsWith('  - '));
}

t.test('starts where others can reach it, with secrets that nobody knows', async (t) => {
  const { env } = createExposedEnvironment(t);
  const { origin } = await startService(t, env);
  t.equal((await fetch(`${origin}/livez`)).status, 200);
});

t.test('does not start there with open files and known secrets, and names them all at once', async (t) => {
  const { env } = createExposedEnvironment(t);
  const file = writeApiKeys(createDirectory(t), [{ id: 'login', key: 'demo-key' }]);
  chmodSync(file, 0o644);
  const exposed = {
    ...env,
    API_KEYS_FILE: file,
    ID_HASH_KEY: 'demo-only-and-known-to-everybody-0123456789',
    LOG_LEVEL: 'loud',
  };
  const mistakes = await mistakesOf(t, exposed);
  t.equal(mistakes.length, 4);
  t.match(mistakes.join('\n'), /LOG_LEVEL /);
  t.match(mistakes.join('\n'), /ID_HASH_KEY is a placeholder/);
  t.match(mistakes.join('\n'), /own-api-keys\.yaml: its mode is 0644/);
  t.match(mistakes.join('\n'), /own-api-keys\.yaml: everybody knows the key of "login"/);
  t.notMatch(mistakes.join('\n'), /known-to-everybody/);
});

t.test('does not start there without keys, or with a short secret', async (t) => {
  const { env } = createExposedEnvironment(t);
  const mistakes = await mistakesOf(t, { ...env, API_KEYS_FILE: '', ID_HASH_KEY: 'short' });
  t.match(mistakes.join('\n'), /API_KEYS_FILE is missing/);
  t.match(mistakes.join('\n'), /ID_HASH_KEY must be at least 32 bytes long/);
  t.equal(mistakes.length, 2);
});

t.test('starts as a demo where that is said in so many words, and logs it', async (t) => {
  const { env, file } = createExposedEnvironment(t);
  chmodSync(file, 0o644);
  const service = await startService(t, {
    ...env,
    ID_HASH_KEY: 'k'.repeat(32),
    ALLOW_INSECURE_START: 'true',
  });
  service.child.kill('SIGTERM');
  const { code, stdout } = await service.ended;
  t.equal(code, 0);
  t.match(stdout, /"event":"service\.insecure"/);
});
