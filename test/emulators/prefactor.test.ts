import t from 'tap';
import { createEmulators, prefactorLookup } from './emulated-providers.ts';

const SAMPLE = '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1';

t.test('answers the known device ids with their status and echoes the id', async (t) => {
  const { app } = createEmulators(t);
  const statuses = {
    active: 'active',
    unsupported: 'active',
    minimal: 'active',
    'never-seen': 'active',
    revoked: 'revoked',
    [SAMPLE]: 'active',
  };
  for (const [id, status] of Object.entries(statuses)) {
    const response = await app.inject(prefactorLookup(id));
    t.match(
      { status: response.statusCode, body: response.json() },
      { status: 200, body: { status: 'success', summary: { id, status, type: 'device' } } },
    );
  }
});

t.test('gives interactions in Unix seconds of the recent past', async (t) => {
  const { app } = createEmulators(t);
  const { first_seen: first, last_seen: last } = (await app.inject(prefactorLookup('active'))).json().summary;
  const nowSeconds = Date.now() / 1_000;
  t.ok(first.at < last.at && last.at < nowSeconds);
  t.ok(nowSeconds - last.at < 3_600);
  t.type(last.asn, 'number');
});

t.test('answers minimal with old interactions and never-seen with none', async (t) => {
  const { app } = createEmulators(t);
  const minimal = (await app.inject(prefactorLookup('minimal'))).json().summary;
  t.strictSame(Object.keys(minimal.last_seen), ['at', 'remote_ip', 'user_agent']);
  t.equal(minimal.dynamic_client_details, null);
  const neverSeen = (await app.inject(prefactorLookup('never-seen'))).json().summary;
  t.strictSame([neverSeen.first_seen, neverSeen.last_seen], [null, null]);
});

t.test('answers each documented code with its status, or with the one that is asked for', async (t) => {
  const { app } = createEmulators(t);
  const statuses = {
    bad_request: 400,
    bad_authtoken: 401,
    not_authenticated: 401,
    not_permitted: 403,
    not_implemented: 501,
    unknown: 500,
    not_found: 404,
    unexpected_ref_type: 400,
    unexpected: 500,
    invalid_action: 409,
    invalid_value: 400,
    required_value: 400,
  };
  for (const [code, status] of Object.entries(statuses)) {
    const response = await app.inject(prefactorLookup(`error-${code}`));
    t.equal(response.statusCode, status, code);
    t.match(response.json(), { status: 'error', code, message: String });
    t.equal((await app.inject(prefactorLookup(`error-422-${code}`))).statusCode, 422);
  }
});

t.test('answers 200 with status error to fault-status-error-200', async (t) => {
  const { app } = createEmulators(t);
  const response = await app.inject(prefactorLookup('fault-status-error-200'));
  t.equal(response.statusCode, 200);
  t.equal(response.json().status, 'error');
});

t.test('answers 404 not_found to unknown ids, documented shape or not', async (t) => {
  const { app } = createEmulators(t);
  for (const id of ['unknown', 'constructor', 'error-nonsense', 'a/b', `0${'1'.repeat(31)}`]) {
    const response = await app.inject(prefactorLookup(id));
    t.equal(response.statusCode, 404);
    t.match(response.json(), { status: 'error', code: 'not_found' }, id);
  }
});

t.test('answers 401 bad_authtoken without a token and with a wrong one', async (t) => {
  const { app } = createEmulators(t, { prefactor: { credentials: { apiToken: 'token-1' } } });
  const ask = async (headers: Record<string, string>) =>
    app.inject({ ...prefactorLookup('active'), headers });
  t.equal((await ask({ authorization: 'Bearer token-1' })).statusCode, 200);
  for (const headers of [{}, { authorization: 'Bearer token-2' }]) {
    const response = await ask(headers);
    t.equal(response.statusCode, 401);
    t.equal(response.json().code, 'bad_authtoken');
  }
});

t.test('answers an HTML 404 on wrong paths and methods', async (t) => {
  const { app } = createEmulators(t);
  const paths = [
    '/api/v1/device/',
    '/api/v1/devices/active',
    '/v1/device/active',
    '/api/v1/device/active/more',
  ];
  for (const url of paths) {
    const response = await app.inject({ ...prefactorLookup('active'), url });
    t.equal(response.statusCode, 404, url);
    t.match(response.headers['content-type'], /^text\/html/);
  }
  t.equal((await app.inject({ ...prefactorLookup('active'), method: 'POST' })).statusCode, 404);
});

t.test('names another device in the answer to fault-wrong-subject', async (t) => {
  const { app } = createEmulators(t);
  t.equal((await app.inject(prefactorLookup('fault-wrong-subject'))).json().summary.id, SAMPLE);
});
