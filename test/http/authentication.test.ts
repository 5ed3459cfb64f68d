import { hash, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { createDirectory, createTestApp, KEYS, until } from '../support/test-app.ts';

const app = await createTestApp(t);
const BODY = { telemetry_id: 'allow', device_id: 'active' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Headers that name a caller. */
const TAKEN: readonly (readonly [string, Record<string, string>])[] = [
  ['a bearer token', bearer(KEYS.decide)],
  ['a lower-case scheme', { authorization: `bearer ${KEYS.decide}` }],
  ['an upper-case scheme', { authorization: `BEARER ${KEYS.decide}` }],
  ['several spaces after the scheme', { authorization: `Bearer   ${KEYS.decide}` }],
  ['X-API-Key', { 'x-api-key': KEYS.decide }],
  ['the same key in both headers', { ...bearer(KEYS.decide), 'x-api-key': KEYS.decide }],
];

for (const [what, headers] of TAKEN) {
  t.test(`takes ${what}`, async (t) => {
    t.equal((await app.decide(BODY, { key: null, headers })).status, 200);
  });
}

/** Headers that name nobody. */
const REFUSED: readonly (readonly [string, Record<string, string>])[] = [
  ['no key', {}],
  ['an unknown bearer token', bearer('unknown')],
  ['an unknown X-API-Key', { 'x-api-key': 'unknown' }],
  ['an empty bearer token', { authorization: 'Bearer ' }],
  ['the scheme alone', { authorization: 'Bearer' }],
  ['an empty Authorization header', { authorization: '' }],
  ['an empty X-API-Key', { 'x-api-key': '' }],
  ['a token without a scheme', { authorization: KEYS.decide }],
  ['another scheme', { authorization: `Basic ${Buffer.from(`x:${KEYS.decide}`).toString('base64')}` }],
  ['two tokens in one header', { authorization: `Bearer ${KEYS.decide} ${KEYS.decide}` }],
  ['a token in quotes', { authorization: `Bearer "${KEYS.decide}"` }],
  ['a list in X-API-Key', { 'x-api-key': `${KEYS.decide}, ${KEYS.decide}` }],
  ['the hash of a key', bearer(hash('sha256', KEYS.decide))],
  ['the id of a key', bearer('decide')],
  ['a key in other case', bearer(KEYS.decide.toUpperCase())],
  ['the beginning of a key', bearer(KEYS.decide.slice(0, -1))],
  ['a key and more', bearer(`${KEYS.decide}x`)],
  ['two good keys that differ', { ...bearer(KEYS.decide), 'x-api-key': KEYS.all }],
  ['a good and a bad key', { ...bearer(KEYS.decide), 'x-api-key': 'unknown' }],
  ['a bad and a good key', { ...bearer('unknown'), 'x-api-key': KEYS.decide }],
  ['a key in a cookie', { cookie: `key=${KEYS.decide}` }],
];

for (const [what, headers] of REFUSED) {
  t.test(`refuses ${what}`, async (t) => {
    const { status, headers: answered, json, text } = await app.refused(BODY, { key: null, headers });
    t.equal(status, 401);
    t.match(json, { status: 401, code: 'unauthenticated', title: String });
    t.match(answered['content-type'], /^application\/problem\+json/);
    t.match(answered['www-authenticate'], /^Bearer/);
    t.equal(json.request_id, answered['x-request-id']);
    t.notMatch(text, KEYS.decide);
  });
}

t.test('asks for a key before it reads anything else of the request', async (t) => {
  for (const body of ['{', { nonsense: 1 }, 'x'.repeat(20_000)]) {
    t.equal((await app.refused(body, { key: 'unknown' })).status, 401);
    t.equal((await app.refused(body, { key: KEYS.read })).status, 403);
  }
  app.emulators.resetCallCounts();
  await app.refused(BODY, { key: 'unknown' });
  t.same(app.emulators.callCounts(), { stytch: 0, mobilerun: 0, prefactor: 0 });
});

/** Route, the scope it needs, and how it answers a key that has it. */
const ROUTES = [
  ['POST', '/v1/decide', 'decide'],
  ['GET', '/v1/policy', 'read'],
  ['DELETE', '/v1/evidence?telemetry_id=x', 'admin'],
] as const;

for (const [method, url, scope] of ROUTES) {
  t.test(`grants ${method} ${url} to the scope ${scope} alone`, async (t) => {
    for (const key of ['decide', 'read', 'admin', 'all'] as const) {
      const isGranted = key === scope || key === 'all';
      const { status, json } =
        method === 'POST'
          ? await app.refused(BODY, { key: KEYS[key] })
          : await app.ask<{ code: string }>(method, url, { key: KEYS[key] });
      t.equal(status, isGranted ? 200 : 403, key);
      if (!isGranted) t.equal(json.code, 'forbidden');
    }
  });
}

t.test('explains decisions to callers who may read too', async (t) => {
  const url = '/v1/decide?explain=full';
  const { status, json } = await app.refused(BODY, { url, key: KEYS.decide });
  t.equal(status, 403);
  t.equal(json.code, 'forbidden');
  t.equal((await app.refused(BODY, { url, key: KEYS.read })).status, 403);
  t.equal((await app.refused(BODY, { url, key: KEYS.all })).status, 200);
});

t.test('asks no upstream for an explanation that it refuses', async (t) => {
  app.emulators.resetCallCounts();
  await app.refused({ ...BODY, max_age_ms: 0 }, { url: '/v1/decide?explain=full', key: KEYS.decide });
  t.same(app.emulators.callCounts(), { stytch: 0, mobilerun: 0, prefactor: 0 });
});

t.test('names the key in the log by its id, and never logs the key', async (t) => {
  await app.decide(BODY, { key: KEYS.decide });
  const made = app.logs.filter(({ event }) => event === 'decision.made').at(-1);
  t.equal(made?.['caller'], 'decide');
  for (const key of Object.values(KEYS)) t.notOk(app.logText().includes(key));
});

t.test('takes no key that everybody knows from a changed file, where others can reach it', async (t) => {
  const file = writeApiKeys(createDirectory(t), [{ id: 'login', key: 'drawn' }]);
  const env = { HOST: '0.0.0.0', API_KEYS_FILE: file, ID_HASH_KEY: randomBytes(32).toString('base64') };
  const own = await createTestApp(t, { emulators: app.emulators, env });
  const ask = async (key: string) => (await own.ask('GET', '/v1/policy', { key })).status;
  t.equal(await ask('drawn'), 200);
  writeApiKeys(dirname(file), [{ id: 'login', key: 'demo-key' }]);
  await until('the changed file is refused', () => own.events().includes('api_keys.refused'));
  t.equal(await ask('demo-key'), 401);
  t.equal(await ask('drawn'), 200, 'the last good one stays');
});

t.test('takes no changed file that others may read, where others can reach it', async (t) => {
  const directory = createDirectory(t);
  const file = writeApiKeys(directory, [{ id: 'login', key: 'drawn' }]);
  const env = { HOST: '0.0.0.0', API_KEYS_FILE: file, ID_HASH_KEY: randomBytes(32).toString('base64') };
  const own = await createTestApp(t, { emulators: app.emulators, env });
  const ask = async (key: string) => (await own.ask('GET', '/v1/policy', { key })).status;
  const refusals = () => own.logs.filter(({ event }) => event === 'api_keys.refused');
  chmodSync(file, 0o644);
  writeApiKeys(directory, [{ id: 'login', key: 'redrawn' }]);
  await until('the open file is refused', () => refusals().length > 0);
  t.match(refusals(), [{ mistakes: [/own-api-keys\.yaml: its mode is 0644; .*chmod/] }]);
  t.same([await ask('drawn'), await ask('redrawn')], [200, 401], 'the last good one stays');
  chmodSync(file, 0o440);
  await until('the closed file is taken', () => own.events().includes('api_keys.reloaded'));
  t.same([await ask('drawn'), await ask('redrawn')], [401, 200]);
});

t.test('revokes a key by a file that has the time and the size of the last one', async (t) => {
  const directory = createDirectory(t);
  const write = (name: string, key: string) => {
    const file = join(directory, name);
    writeFileSync(file, `keys: [{id: only, sha256: ${hash('sha256', key)}, scopes: [read]}]\n`);
    // As image-based systems deliver every file.
    utimesSync(file, 0, 0);
    return file;
  };
  const file = write('keys.yaml', 'leaked');
  const own = await createTestApp(t, { emulators: app.emulators, env: { API_KEYS_FILE: file } });
  const ask = async (key: string) => (await own.ask('GET', '/v1/policy', { key })).status;
  t.equal(await ask('leaked'), 200);
  renameSync(write('keys.new', 'drawn'), file);
  await until('the file is reloaded', () => own.events().includes('api_keys.reloaded'));
  t.same([await ask('leaked'), await ask('drawn')], [401, 200]);
});

t.test('follows the file of API keys, and keeps the last good one', async (t) => {
  const file = join(createDirectory(t), 'api-keys.yaml');
  const write = (key: string) =>
    writeFileSync(file, `keys: [{id: only, sha256: ${hash('sha256', key)}, scopes: [decide]}]\n`);
  write('first');
  const own = await createTestApp(t, { env: { API_KEYS_FILE: file, WRONG_KEYS_PER_MINUTE: '10000' } });
  const statusOf = async (key: string) => (await own.decide(BODY, { key })).status;
  t.equal(await statusOf('first'), 200);
  write('second');
  await until('the new key is known', async () => (await statusOf('second')) === 200);
  t.equal(await statusOf('first'), 401);
  writeFileSync(file, 'keys: nonsense, and longer than before');
  await until('the broken file is refused', () => own.events().includes('api_keys.refused'));
  t.equal(await statusOf('second'), 200);
  t.match(readFileSync(file, 'utf8'), /nonsense/);
});
