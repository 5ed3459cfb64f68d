import { hash } from 'node:crypto';
import t from 'tap';
import { loadKeyring } from '../../src/http/callers/api-keys.ts';
import { createSessions, SESSION_IDLE_SECONDS } from '../../src/http/callers/sessions.ts';
import { createMemorySessionStore } from '../../src/stores/callers/memory-sessions.ts';
import { createManualClock, createTestApp, KEYS, until } from '../support/test-app.ts';

const app = await createTestApp(t);
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const HOST = 'localhost:80';

const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, headers: Record<string, string>) =>
  app.app.server.inject({ method, url, headers: { host: HOST, ...headers } });

/** Signs in, and returns the cookie as a browser sends it. */
async function signIn(key: string, host = HOST): Promise<string> {
  const answer = await ask('POST', '/v1/session', { authorization: `Bearer ${key}`, host });
  return String(answer.headers['set-cookie']).split(';')[0] ?? '';
}

t.test('gives a session for a key, to be held where no script reads it', async (t) => {
  const answer = await ask('POST', '/v1/session', { authorization: `Bearer ${KEYS.read}` });
  t.equal(answer.statusCode, 201);
  t.match(answer.json(), { caller: 'read', scopes: ['read'], expires_at: /^\d{4}-/ });
  const cookie = String(answer.headers['set-cookie']);
  t.match(cookie, /^riskgate-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  t.notMatch(cookie, KEYS.read);
  t.equal(answer.headers['cache-control'], 'no-store');
});

t.test('gives it over TLS alone off loopback', async (t) => {
  for (const host of ['riskgate.example', 'localhost.example', '10.0.0.1:8080']) {
    const answer = await ask('POST', '/v1/session', { authorization: `Bearer ${KEYS.read}`, host });
    t.match(answer.headers['set-cookie'], /^__Host-riskgate-session=.*; Secure/, host);
  }
  const cookie = await signIn(KEYS.read, 'riskgate.example');
  const headers = { cookie, ...SAME_ORIGIN };
  t.equal((await ask('GET', '/v1/policy', { ...headers, host: 'riskgate.example' })).statusCode, 200);
  t.equal(
    (await ask('GET', '/v1/policy', headers)).statusCode,
    401,
    'the name of one is not taken for the other',
  );
});

t.test('lets a page of the same origin in as the key would', async (t) => {
  const cookie = await signIn(KEYS.read);
  const policy = await ask('GET', '/v1/policy', { cookie, ...SAME_ORIGIN });
  t.equal(policy.statusCode, 200);
  const state = await ask('GET', '/v1/session', { cookie, ...SAME_ORIGIN });
  t.match(state.json(), { signed_in: true, caller: 'read' });
  t.match(state.headers['set-cookie'], cookie, 'it lasts from now');
  const decide = await ask('POST', '/v1/decide', {
    cookie,
    ...SAME_ORIGIN,
    'content-type': 'application/json',
  });
  t.equal(decide.statusCode, 403, 'and no further');
});

t.test('lets no page elsewhere use it', async (t) => {
  const cookie = await signIn(KEYS.all);
  for (const site of ['cross-site', 'same-site', 'none', '', 'same-origin, cross-site', null]) {
    const headers = { cookie, ...(site === null ? {} : { 'sec-fetch-site': site }) };
    const text = String(site);
    t.equal((await ask('GET', '/v1/policy', headers)).statusCode, 401, text);
    t.same((await ask('GET', '/v1/session', headers)).json(), { signed_in: false, openid: false }, text);
    t.equal((await ask('DELETE', '/v1/session', headers)).statusCode, 401, text);
  }
  t.equal((await ask('GET', '/v1/policy', { cookie, ...SAME_ORIGIN })).statusCode, 200, 'it goes on');
});

t.test('ends it for good', async (t) => {
  const cookie = await signIn(KEYS.read);
  const ended = await ask('DELETE', '/v1/session', { cookie, ...SAME_ORIGIN });
  t.equal(ended.statusCode, 204);
  t.match(ended.headers['set-cookie'], /^riskgate-session=; Max-Age=0/);
  t.equal((await ask('GET', '/v1/policy', { cookie, ...SAME_ORIGIN })).statusCode, 401);
});

t.test('takes nothing else for a session', async (t) => {
  const cookie = await signIn(KEYS.read);
  const [name = '', token = ''] = cookie.split('=');
  for (const odd of [
    `${name}=`,
    `${name}=${token.slice(1)}`,
    `${name}=${token}x`,
    `${name}=${'A'.repeat(43)}`,
    `${name}=${KEYS.read}`,
    `other=${token}`,
    `${name}=%00`,
    ';;;',
  ])
    t.equal(
      (await ask('GET', '/v1/policy', { cookie: odd, ...SAME_ORIGIN })).statusCode,
      401,
      odd.slice(0, 24),
    );
  const wrong = { cookie, ...SAME_ORIGIN, authorization: 'Bearer nobody' };
  t.equal((await ask('GET', '/v1/policy', wrong)).statusCode, 401, 'a wrong key beside it counts');
});

t.test('opens none with a session, with a key that may only decide, or without any', async (t) => {
  const cookie = await signIn(KEYS.read);
  t.equal((await ask('POST', '/v1/session', { cookie, ...SAME_ORIGIN })).statusCode, 400);
  t.equal((await ask('POST', '/v1/session', { authorization: `Bearer ${KEYS.decide}` })).statusCode, 403);
  t.equal((await ask('POST', '/v1/session', {})).statusCode, 401);
});

t.test('lasts twelve hours without use, a week with it, and as long as its key', async (t) => {
  const clock = createManualClock(Date.UTC(2027, 0, 1));
  const keyringOf = (key: string, fields: object = {}) => {
    const loaded = loadKeyring(
      JSON.stringify({ keys: [{ id: 'ana', sha256: hash('sha256', key), scopes: ['read'], ...fields }] }),
    );
    if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
    return loaded.value;
  };
  let keyring = keyringOf('k');
  const sessions = createSessions({
    store: createMemorySessionStore({ clock }),
    keyring: () => keyring,
    clock,
  });
  const isOpen = async (token: string | null) => typeof (await sessions.find(token ?? '')) === 'object';
  const first = await sessions.open('k');
  clock.advance(SESSION_IDLE_SECONDS * 1000 - 1);
  t.equal(await isOpen(first), true);
  clock.advance(SESSION_IDLE_SECONDS * 1000);
  t.equal(await isOpen(first), false);

  const used = await sessions.open('k');
  for (let hours = 11; hours < 7 * 24; hours += 11) {
    clock.advance(11 * 3_600_000);
    t.equal(await isOpen(used), true, `after ${hours} hours`);
  }
  clock.advance(11 * 3_600_000);
  t.equal(await isOpen(used), false);

  const held = await sessions.open('k');
  const session = await sessions.find(held ?? '');
  if (typeof session === 'string') throw new Error('there is a session');
  t.equal(sessions.isOpen(session, 'read'), true);
  t.equal(sessions.isOpen(session, 'admin'), false);
  keyring = keyringOf('k', { not_after: new Date(clock.nowMs() + 60_000).toISOString() });
  t.equal(await isOpen(held), true);
  clock.advance(60_000);
  t.same([await isOpen(held), sessions.isOpen(session, 'read')], [false, false], 'its key has expired');
  keyring = keyringOf('another');
  t.same([await isOpen(held), sessions.isOpen(session, 'read')], [false, false], 'its key is gone');
  keyring = keyringOf('k');
  t.same([await isOpen(held), sessions.isOpen(session, 'read')], [true, true]);
  await sessions.end(held ?? '');
  t.equal(sessions.isOpen(session, 'read'), false, 'a long answer ends with it');
});

t.test('sees within seconds that another replica ended it', async (t) => {
  const clock = createManualClock();
  const store = createMemorySessionStore({ clock });
  const loaded = loadKeyring(
    JSON.stringify({ keys: [{ id: 'ana', sha256: hash('sha256', 'k'), scopes: ['read'] }] }),
  );
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const options = { store, keyring: () => loaded.value, clock };
  const [here, there] = [createSessions(options), createSessions(options)];
  const token = (await here.open('k')) ?? '';
  const session = await here.find(token);
  if (typeof session === 'string') throw new Error('there is a session');
  t.equal(here.isOpen(session, 'read'), true);
  await there.end(token);
  t.equal(here.isOpen(session, 'read'), true, 'not yet');
  clock.advance(5_000);
  await until('it is known', async () => !here.isOpen(session, 'read'));
});
