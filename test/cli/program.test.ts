import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { JSON_OPTION } from '../../src/cli/program.ts';
import { COMMANDS, GROUPS } from '../../src/cli/registry.ts';
import { loadKeyring, SCOPES } from '../../src/http/callers/api-keys.ts';
import { runCommand } from '../support/run-cli.ts';
import { ROOT } from '../support/start-program.ts';
import { createDirectory } from '../support/test-app.ts';

t.test('helps without a configuration, with every command and group', async (t) => {
  const { code, text, err } = await runCommand([]);
  t.match({ code, err }, { code: 0, err: '' });
  const words = COMMANDS.map(({ name }) => name.split(' ')[0] ?? '');
  t.ok(words.length > 5);
  for (const word of words) t.match(text, new RegExp(`^  ${word} `, 'm'), word);
  for (const [group, about] of Object.entries(GROUPS)) t.match(text, `  ${group} `, about);
  t.match(text, /Exit codes: 0 done, 1 .* 2 wrong usage, 3 /);
  for (const { name, options = [], summary } of COMMANDS) {
    const help = await runCommand([...name.split(' '), '--help']);
    t.equal(help.code, 0, name);
    t.match(help.text, `${summary}.`);
    for (const { flags } of [...options, JSON_OPTION]) t.match(help.text, `  ${flags} `);
  }
});

t.test('names each command once, and a group for each first word of two', async (t) => {
  const names = COMMANDS.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  const groups = names.flatMap((name) => (name.includes(' ') ? [name.split(' ')[0]] : []));
  t.same(new Set(groups), new Set(Object.keys(GROUPS)));
});

t.test('says what was meant where a command or an option is not known', async (t) => {
  t.match(await runCommand(['sreve']), {
    code: 2,
    text: '',
    err: /unknown command 'sreve'\n\(Did you mean serve\?\)/,
  });
  t.match(await runCommand(['history', 'exprot']), { code: 2, err: /Did you mean export\?/ });
  t.match(await runCommand(['keys', 'new', 'shop', '--scope', 'read']), {
    code: 2,
    err: /Did you mean --scopes\?/,
  });
  t.match(await runCommand(['history', 'export', '--format', 'xml']), {
    code: 2,
    err: /ndjson, csv, parquet/,
  });
  t.match(await runCommand(['config', 'check', 'more']), { code: 2, err: /too many arguments/ });
  t.match(await runCommand(['history']), { code: 2, text: '', err: /Commands:/ });
  t.match(await runCommand(['emulators', '--port', 'x']), { code: 2, err: /a port is a number/ });
  t.match(await runCommand(['keys', 'new']), { code: 2, err: /missing required argument 'id'/ });
});

t.test('reports failures as JSON where JSON is asked for', async (t) => {
  t.match(await runCommand(['sreve', '--json']), {
    code: 2,
    err: '',
    json: { error: { code: 'usage', message: /^unknown command 'sreve'/ } },
  });
  t.match(await runCommand(['history', '--json']), { code: 2, err: '', json: { error: { code: 'usage' } } });
  t.match(await runCommand(['keys', 'new', 'a b', '--json']), {
    code: 2,
    json: { error: { code: 'usage' } },
  });
});

t.test('prints its version', async (t) => {
  t.match(await runCommand(['--version']), { code: 0, text: '0.0.0-test\n', err: '' });
});

t.test('makes a key whose entry the key file takes', async (t) => {
  const { code, json } = await runCommand(['keys', 'new', 'shop.1', '--scopes', 'decide,read', '--json']);
  t.equal(code, 0);
  t.match(json.key, /^[\da-f]{64}$/);
  const loaded = loadKeyring(JSON.stringify({ keys: [json.entry] }));
  t.equal(loaded.ok, true);
  if (loaded.ok) t.match(loaded.value.find(json.key), { id: 'shop.1', scopes: new Set(['decide', 'read']) });
  const { text } = await runCommand(['keys', 'new', 'shop']);
  const [, key = '', , , ...entry] = text.trimEnd().split('\n');
  const file = loadKeyring(`keys:\n${entry.join('\n')}\n`);
  t.equal(file.ok && file.value.find(key)?.id, 'shop');
  t.notSame(key, json.key);
  t.match(await runCommand(['keys', 'new', 'shop', '--scopes', 'root']), {
    code: 2,
    err: new RegExp(SCOPES.join(', ')),
  });
});

t.test('hashes a key from standard input alone', async (t) => {
  const sha256 = hash('sha256', 'a key');
  t.match(await runCommand(['keys', 'hash'], { stdin: 'a key' }), { code: 0, text: `${sha256}\n` });
  t.match(await runCommand(['keys', 'hash', '--json'], { stdin: 'a key\r\n' }), { json: { sha256 } });
  t.match(await runCommand(['keys', 'hash'], { stdin: '\n' }), { code: 2, err: /no key/ });
  t.match(await runCommand(['keys', 'hash'], { stdin: 'x'.repeat(5000) }), { code: 2, err: /too long/ });
  t.match(await runCommand(['keys', 'hash', 'secret']), { code: 2, err: /too many arguments/ });
});

t.test('says what is wrong with a configuration, and prints no value of it', async (t) => {
  const { code, text } = await runCommand(['config', 'check']);
  t.equal(code, 1);
  t.match(text, /^mistake: API_KEYS_FILE is missing/m);
  t.match(text, /The service would not start\.\n$/);
  const directory = createDirectory(t);
  const keys = join(directory, 'keys.yaml');
  writeFileSync(keys, `keys: [{id: shop, sha256: ${hash('sha256', 'k')}, scopes: [decide]}]`, {
    mode: 0o600,
  });
  const secret = 'a-secret-of-this-test-0123456789-abcdef';
  const env = {
    API_KEYS_FILE: keys,
    ID_HASH_KEY: secret,
    MOBILERUN_API_KEY: secret,
    POLICY_FILE: join(ROOT, 'policies/default.yaml'),
    REDIS_ULR: 'redis://x',
    HISTORY_BYTES: '1',
  };
  const good = await runCommand(['config', 'check', '--json'], { env });
  t.match(good, { code: 0, json: { ok: true, mistakes: [], misspelt: [{ variable: 'REDIS_ULR' }, {}] } });
  t.notMatch(good.text, secret);
  const bad = await runCommand(['config', 'check'], { env: { ...env, PORT: secret } });
  t.match(bad, { code: 1, text: /^mistake: PORT /m });
  t.match(bad.text, /^warning: nothing reads REDIS_ULR; REDIS_URL\?$/m);
  t.notMatch(bad.text, secret);
});

t.test('lists every variable, and no value', async (t) => {
  const { code, json } = await runCommand(['config', 'table', '--json'], {
    env: { ID_HASH_KEY: 'secret-value' },
  });
  t.equal(code, 0);
  t.ok(json.variables.length > 60);
  t.match(
    json.variables.find(({ variable }: { variable: string }) => variable === 'HISTORY_RETENTION_DAYS'),
    { default: '90', optional: true, secret: false, meaning: /Days/ },
  );
  t.notMatch(JSON.stringify(json), 'secret-value');
  t.match((await runCommand(['config', 'table'])).text, /^PORT=8080\n {4}\S/m);
});
