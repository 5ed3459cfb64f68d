import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { allSettings, type Config, loadConfig } from '../../src/config/config.ts';
import { findMisspeltVariables } from '../../src/config/misspelt-variables.ts';
import { readTextFile } from '../../src/platform/read-text-file.ts';
import type { Result } from '../../src/platform/result.ts';
import { PLUG_INS } from '../support/plug-ins.ts';

const directory = mkdtempSync(join(tmpdir(), 'riskgate-secrets-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

const HASH_KEY = 'k'.repeat(32);
const PLAIN = {
  API_KEYS_FILE: 'keys.yaml',
  ID_HASH_KEY: HASH_KEY,
  STYTCH_PROJECT_ID: 'project-1',
  STYTCH_SECRET: 'secret-1',
};

let files = 0;
function write(text: string | Uint8Array): string {
  files += 1;
  const path = join(directory, String(files));
  writeFileSync(path, text);
  return path;
}

function load(env: Readonly<Record<string, string>>): Result<Config> {
  return loadConfig(
    { ...PLAIN, ...env },
    PLUG_INS,
    () => [],
    (path) => readTextFile(path, 1_000),
  );
}

function mistakesOf(env: Readonly<Record<string, string>>): readonly string[] {
  const loaded = load(env);
  return loaded.ok ? [] : loaded.mistakes;
}

function stytchSecretIn(env: Readonly<Record<string, string>>): unknown {
  const loaded = load({ STYTCH_SECRET: '', ...env });
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value.providers.find(({ id }) => id === 'stytch')?.settings['secret'];
}

t.test('takes every secret from a file', async (t) => {
  const names = allSettings(PLUG_INS).map(({ env }) => env);
  const secrets = names.filter((name) => /(?:SECRET|PASSWORD|TOKEN|KEYS?|REDIS_URL)$/.test(name));
  t.ok(secrets.length >= 7, secrets.join());
  for (const name of secrets) t.ok(names.includes(`${name}_FILE`), name);
  t.equal(new Set(names).size, names.length);
  const loaded = load({
    ID_HASH_KEY: '',
    ID_HASH_KEY_FILE: write(`${HASH_KEY}\n`),
    STYTCH_PROJECT_ID: '',
    STYTCH_PROJECT_ID_FILE: write('project-2'),
    MOBILERUN_API_KEY_FILE: write('key-2\n'),
    REDIS_URL_FILE: write('rediss://user:pass@redis:1/2\n'),
    REDIS_TLS_SERVER_NAME: 'name',
  });
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  t.match(loaded.value.redis, {
    credentials: { username: 'user', password: 'pass' },
    database: 2,
    tls: { serverName: 'name' },
  });
  t.match(loaded.value.providers, [
    { id: 'stytch', isEnabled: true, settings: { projectId: 'project-2', secret: 'secret-1' } },
    { id: 'mobilerun', isEnabled: true, settings: { apiKey: 'key-2' } },
    { id: 'prefactor', isEnabled: false },
  ]);
});

t.test('cuts off one line break, and nothing else', async (t) => {
  for (const text of ['secret-2', 'secret-2\n', 'secret-2\r\n', '\ufeffsecret-2\n'])
    t.equal(stytchSecretIn({ STYTCH_SECRET_FILE: write(text) }), 'secret-2', JSON.stringify(text));
  const password = (text: string) => {
    const loaded = load({
      REDIS_SENTINELS: 'a',
      REDIS_MASTER: 'm',
      REDIS_USERNAME: 'u',
      REDIS_PASSWORD_FILE: write(text),
    });
    return loaded.ok && loaded.value.redis?.credentials.password;
  };
  t.equal(password(' a b \n'), ' a b ');
  t.equal(password('a\n\n'), 'a\n');
});

t.test('holds what a file says to what a variable has to be, and does not repeat it', async (t) => {
  t.match(mistakesOf({ ID_HASH_KEY: '', ID_HASH_KEY_FILE: write('canary') }), [
    /^ID_HASH_KEY must be at least/,
  ]);
  const mistakes = mistakesOf({ STYTCH_SECRET: '', STYTCH_SECRET_FILE: write('canary canary') });
  t.match(mistakes, [/^STYTCH_SECRET must be visible ASCII/]);
  t.notMatch(mistakes.join(), /canary/);
});

t.test(
  'refuses a secret that is given twice, cannot be read or is empty, and says nothing else of it',
  async (t) => {
    const path = write('secret-2');
    t.same(mistakesOf({ STYTCH_SECRET_FILE: path }), [
      'STYTCH_SECRET and STYTCH_SECRET_FILE exclude each other: set one of them',
    ]);
    const mistakesIn = (file: string) => mistakesOf({ STYTCH_SECRET: '', STYTCH_SECRET_FILE: file });
    const empty = write('');
    t.same(mistakesIn(empty), [`STYTCH_SECRET_FILE ${empty}: is empty`]);
    const blank = write('\n');
    t.same(mistakesIn(blank), [`STYTCH_SECRET_FILE ${blank}: is empty`]);
    t.same(mistakesIn('/nowhere'), ['STYTCH_SECRET_FILE /nowhere: cannot be read (ENOENT)']);
    t.match(mistakesIn(directory), [/^STYTCH_SECRET_FILE .*: is not a regular file/]);
    t.match(mistakesIn(write('x'.repeat(1_001))), [/^STYTCH_SECRET_FILE .*: holds 1001 bytes/]);
    t.match(mistakesIn(write(new Uint8Array([0xff]))), [/^STYTCH_SECRET_FILE .*: is not UTF-8/]);
  },
);

t.test('does not ignore a file where none is read', async (t) => {
  const loaded = loadConfig({ ...PLAIN, STYTCH_SECRET: '', STYTCH_SECRET_FILE: '/x' }, PLUG_INS);
  t.match(loaded, { ok: false, mistakes: [/^STYTCH_SECRET_FILE/] });
});

t.test('takes an empty variable for one that is absent', async (t) => {
  t.equal(stytchSecretIn({ STYTCH_SECRET_FILE: write('secret-2'), ID_HASH_KEY_FILE: '' }), 'secret-2');
});

t.test('knows the variables of files when one is misspelt', async (t) => {
  const find = (name: string) => findMisspeltVariables({ [name]: 'x' }, PLUG_INS);
  t.same(find('STYTCH_SECRET_FILE'), []);
  t.same(find('STYTCH_SECRET_FIEL'), [{ variable: 'STYTCH_SECRET_FIEL', meant: 'STYTCH_SECRET_FILE' }]);
});
