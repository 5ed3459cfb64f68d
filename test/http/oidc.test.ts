import t from 'tap';
import {
  followRedirects,
  OPENID_CLIENT,
  type OpenIdIssuer,
  startOpenIdIssuer,
} from '../support/openid-issuer.ts';
import { createManualClock, createTestApp, KEYS, type TestApp } from '../support/test-app.ts';

const HOST = 'localhost:9';
const PUBLIC_URL = `http://${HOST}/risk`;
const CALLBACK = `${PUBLIC_URL}/v1/session/oidc/callback`;
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
const HOUR_MS = 3_600_000;

const ACCOUNTS = {
  'subject-ana': { name: 'Ana  Example\u202e', groups: ['staff', 'fraud=analysts'] },
  'subject-ben': { name: '=HYPERLINK("x")#12345678', groups: 'fraud-leads' },
  'subject-eve': { name: 'web-login', groups: ['staff'] },
  'subject-ned': { groups: ['fraud-leads', 7, null] },
};

const envOf = (issuer: string, more: Readonly<Record<string, string>> = {}) => ({
  PUBLIC_URL,
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: OPENID_CLIENT.id,
  OIDC_CLIENT_SECRET: OPENID_CLIENT.secret,
  OIDC_GROUPS: 'fraud=analysts=read review; fraud-leads = admin,read',
  DECISION_LOG: 'memory',
  ...more,
});

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly cookies: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: tests look into many shapes.
  readonly json: any;
}

async function get(app: TestApp, url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await app.app.server.inject({ method: 'GET', url, headers: { host: HOST, ...headers } });
  const cookies = [answer.headers['set-cookie'] ?? []].flat();
  return {
    status: answer.statusCode,
    location: String(answer.headers.location),
    cookies,
    json: answer.body.startsWith('{') ? answer.json() : null,
  };
}

/** The first of the cookies that is not taken away, as a browser sends it. */
const sent = (cookies: readonly string[]): string =>
  cookies.find((line) => !/=;/.test(line))?.split(';')[0] ?? '';

/** Signs somebody in, up to the redirect back from the issuer. */
async function begin(app: TestApp, to = '') {
  const begun = await get(app, `/v1/session/oidc?to=${encodeURIComponent(to)}`, SAME_ORIGIN);
  const back = await followRedirects(begun.location, CALLBACK);
  return { begun, cookie: sent(begun.cookies), path: back.slice(PUBLIC_URL.length) };
}

async function signIn(app: TestApp, issuer: OpenIdIssuer, account: string | null, to = '') {
  issuer.signInAs(account);
  const { cookie, path } = await begin(app, to);
  const ended = await get(app, path, { cookie, 'sec-fetch-site': 'cross-site' });
  return { ended, session: sent(ended.cookies) };
}

t.test(
  'signs people in by their groups, under their names, and takes them back to where they were',
  async (t) => {
    const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS });
    const app = await createTestApp(t, { env: envOf(issuer.issuer) });
    t.match((await get(app, '/v1/session')).json, { signed_in: false, openid: true });
    t.equal(issuer.asked.size, 0, 'a start asks the issuer for nothing');
    const { ended, session } = await signIn(app, issuer, 'subject-ana', '?decision=BLOCK&note=a b#x\r\ny');
    t.equal(ended.status, 302);
    t.equal(ended.location, `${PUBLIC_URL}/dashboard?decision=BLOCK&note=a+b%23x%0D%0Ay`);
    t.match(ended.cookies[0], /^riskgate-oidc=; Max-Age=0/);
    t.match(
      ended.cookies[1],
      /^riskgate-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const headers = { cookie: session, ...SAME_ORIGIN };
    const state = (await get(app, '/v1/session', headers)).json;
    t.match(state, { signed_in: true, caller: /^Ana Example #[0-9a-f]{8}$/, scopes: ['read', 'review'] });
    t.equal((await get(app, '/v1/policy', headers)).status, 200);
    const { json: decided } = await app.decide({ telemetry_id: 'forged', device_id: 'active' });
    const label = await app.app.server.inject({
      method: 'POST',
      url: `/v1/decisions/${decided.decision_id}/outcome`,
      headers: { host: HOST, 'content-type': 'application/json', ...headers },
      payload: { label: 'fraud' },
    });
    t.equal(label.statusCode, 200);
    t.match(label.json(), { labels: [{ label: 'fraud', caller: state.caller }] }, 'an act has a name');
    const decide = await app.app.server.inject({
      method: 'POST',
      url: '/v1/decide',
      headers: { host: HOST, 'content-type': 'application/json', ...headers },
      payload: { telemetry_id: 'allow', device_id: 'active' },
    });
    t.equal(decide.statusCode, 403, 'people ask for no decisions');
    const out = await app.app.server.inject({
      method: 'DELETE',
      url: '/v1/session',
      headers: { host: HOST, ...headers },
    });
    t.equal(out.statusCode, 204);
    t.match((await get(app, '/v1/session', headers)).json, { signed_in: false });
    t.notMatch(app.logText(), /subject-ana|Ana/, 'a sign-in writes no names into the log');
  },
);

t.test('keeps names apart that people choose, and lets nobody in who is in no group', async (t) => {
  const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS, isInToken: true });
  const app = await createTestApp(t, { env: envOf(issuer.issuer) });
  const nameOf = async (account: string) => {
    const { session } = await signIn(app, issuer, account);
    return (await get(app, '/v1/session', { cookie: session, ...SAME_ORIGIN })).json;
  };
  t.match(await nameOf('subject-ben'), {
    caller: /^HYPERLINK x 12345678 #[0-9a-f]{8}$/,
    scopes: ['admin', 'read', 'review'],
  });
  t.notOk(issuer.asked.has('/me'), 'nobody is asked for what the token says');
  t.match(await nameOf('subject-ned'), { caller: /^somebody #[0-9a-f]{8}$/ });
  const { ended, session } = await signIn(app, issuer, 'subject-eve', '?x=1');
  t.equal(ended.location, `${PUBLIC_URL}/dashboard?x=1#sign-in=no_group`);
  t.equal(session, '');
  t.match(
    app.logs.find(({ event }) => event === 'sign_in.failed'),
    { why: 'no_group', code: null },
  );
});

t.test('says that it was refused, and repeats nothing of what the issuer says', async (t) => {
  const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS });
  const app = await createTestApp(t, { env: envOf(issuer.issuer) });
  const { ended, session } = await signIn(app, issuer, null);
  t.equal(ended.location, `${PUBLIC_URL}/dashboard#sign-in=refused`);
  t.equal(session, '');
  t.notMatch(app.logText(), /<b>/);
});

t.test('takes a code from the browser alone that asked for it, and once', async (t) => {
  const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS });
  const app = await createTestApp(t, { env: envOf(issuer.issuer) });
  const mine = await begin(app);
  const other = await begin(app);
  const failed = async (path: string, cookie: string, why: string, what: string) => {
    const ended = await get(app, path, { cookie });
    t.equal(ended.location, `${PUBLIC_URL}/dashboard#sign-in=${why}`, what);
    t.equal(sent(ended.cookies), '', what);
  };
  await failed(mine.path, '', 'late', 'a browser that has begun nothing');
  await failed(mine.path, 'riskgate-oidc=x', 'late', 'a cookie that is none');
  await failed(mine.path, other.cookie, 'failed', 'a browser that has begun something else');
  await failed(`${mine.path}&state=x`, mine.cookie, 'failed', 'two states');
  await failed(mine.path.replace(/state=[^&]+/, 'state=x'), mine.cookie, 'failed', 'another state');
  await failed(mine.path.replace(/code=[^&]+/, 'code=x'), mine.cookie, 'failed', 'a made-up code');
  await failed('/v1/session/oidc/callback', mine.cookie, 'failed', 'nothing at all');
  await failed(
    mine.path.replace(/iss=[^&]+/, 'iss=http%3A%2F%2Fother'),
    mine.cookie,
    'failed',
    'another issuer',
  );
  const right = await get(app, mine.path, { cookie: mine.cookie });
  t.equal(right.location, `${PUBLIC_URL}/dashboard`);
  await failed(mine.path, mine.cookie, 'failed', 'the same code again');
});

t.test('leads nowhere but to the issuer and to the page', async (t) => {
  const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS });
  const app = await createTestApp(t, { env: envOf(issuer.issuer) });
  for (const to of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '@evil.example',
    'x'.repeat(9_000),
  ]) {
    const begun = await get(app, `/v1/session/oidc?to=${encodeURIComponent(to)}`, SAME_ORIGIN);
    t.ok(begun.location.startsWith(`${issuer.issuer}/auth?`));
    const back = await get(app, '/v1/session/oidc/callback', { cookie: sent(begun.cookies) });
    t.ok(back.location.startsWith(`${PUBLIC_URL}/dashboard`), back.location.slice(0, 80));
    t.ok(new URL(back.location).origin === new URL(PUBLIC_URL).origin);
    t.ok(String(begun.cookies[0]).length < 4_000);
  }
  for (const site of ['cross-site', 'same-site']) {
    const begun = await get(app, '/v1/session/oidc', { 'sec-fetch-site': site });
    t.match(begun, { location: `${PUBLIC_URL}/dashboard`, cookies: [] }, 'a page elsewhere begins nothing');
  }
  const { location, cookies } = await get(app, '/v1/session/oidc', { host: 'risk.example' });
  t.match(cookies[0], /^__Host-riskgate-oidc=.*; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const asked = new URL(location).searchParams;
  t.match(Object.fromEntries(asked), {
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid profile',
    code_challenge_method: 'S256',
    state: /^[\w-]{43}$/,
    nonce: /^[\w-]{43}$/,
  });
  t.equal(new Set([asked.get('state'), asked.get('nonce'), asked.get('code_challenge')]).size, 3);
});

t.test('goes on deciding while the issuer is away, says so to people, and recovers', async (t) => {
  const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS });
  const clock = createManualClock();
  const app = await createTestApp(t, { env: envOf(issuer.issuer), clock });
  issuer.fail(true);
  const begin503 = await get(app, '/v1/session/oidc?to=a%3D1', SAME_ORIGIN);
  t.equal(begin503.location, `${PUBLIC_URL}/dashboard?a=1#sign-in=unavailable`);
  t.equal((await app.decide({ telemetry_id: 'allow', device_id: 'active' })).status, 200);
  t.equal((await app.ask('GET', '/readyz')).status, 200);
  issuer.fail(false);
  await get(app, '/v1/session/oidc');
  t.equal([...issuer.asked.values()][0], 1, 'it is not asked again at once');
  clock.advance(3_000);
  const pending = await begin(app);
  issuer.fail(true);
  const ended = await get(app, pending.path, { cookie: pending.cookie });
  t.equal(ended.location, `${PUBLIC_URL}/dashboard#sign-in=unavailable`);
  issuer.fail(false);
  t.not((await signIn(app, issuer, 'subject-ana')).session, '');
  t.match(
    app.logs.find(({ event }) => event === 'sign_in.failed'),
    { why: 'unavailable', code: '503' },
  );
});

t.test('bounds how often one address may try', async (t) => {
  const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS });
  const app = await createTestApp(t, { env: envOf(issuer.issuer, { WRONG_KEYS_PER_MINUTE: '3' }) });
  const cookie = `riskgate-oidc=${'A'.repeat(43)}.`;
  for (let tries = 0; tries < 5; tries += 1) await get(app, '/v1/session/oidc/callback?code=x', { cookie });
  t.equal((await get(app, '/v1/session/oidc')).location, `${PUBLIC_URL}/dashboard#sign-in=too_many`);
});

t.test('ends after twelve hours, however much it is used', async (t) => {
  const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS });
  const clock = createManualClock();
  const app = await createTestApp(t, { env: envOf(issuer.issuer), clock });
  const { session } = await signIn(app, issuer, 'subject-ana');
  const headers = { cookie: session, ...SAME_ORIGIN };
  for (let hour = 0; hour < 11; hour += 1) {
    clock.advance(HOUR_MS);
    t.equal((await get(app, '/v1/policy', headers)).status, 200);
  }
  clock.advance(HOUR_MS);
  t.equal((await get(app, '/v1/policy', headers)).status, 401);
});

t.test('is not there where it is not configured', async (t) => {
  const app = await createTestApp(t);
  t.match((await get(app, '/v1/session')).json, { openid: false });
  t.equal((await get(app, '/v1/session/oidc', { authorization: `Bearer ${KEYS.all}` })).status, 404);
});

t.test('proves itself as the issuer takes it', async (t) => {
  const authMethod = 'client_secret_post';
  const issuer = await startOpenIdIssuer(t, { redirectUri: CALLBACK, accounts: ACCOUNTS, authMethod });
  const app = await createTestApp(t, { env: envOf(issuer.issuer) });
  t.not((await signIn(app, issuer, 'subject-ana')).session, '');
  const wrong = await createTestApp(t, { env: envOf(issuer.issuer, { OIDC_CLIENT_SECRET: 'another' }) });
  t.equal(
    (await signIn(wrong, issuer, 'subject-ana')).ended.location,
    `${PUBLIC_URL}/dashboard#sign-in=failed`,
  );
});
