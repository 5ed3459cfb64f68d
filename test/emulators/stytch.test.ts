import t from 'tap';
import { basic, createEmulators, stytchLookup } from './emulated-providers.ts';

const SAMPLE = '026ac93b-8cdf-4fcb-bfa6-36a31cfecac1';
const GET_HEADERS = basic('project-test-1', 'secret-test-1');

t.test('answers each known telemetry id with its verdict and echoes the id', async (t) => {
  const { app } = createEmulators(t);
  const expected = {
    allow: { action: 'ALLOW', is_authentic_device: true, reasons: [] },
    [SAMPLE]: { action: 'ALLOW', is_authentic_device: true },
    challenge: { action: 'CHALLENGE' },
    block: { action: 'BLOCK', is_authentic_device: false },
    headless: { action: 'BLOCK', reasons: ['HEADLESS_BROWSER_AUTOMATION'] },
    inauthentic: { action: 'ALLOW', is_authentic_device: false },
    minimal: { action: 'ALLOW', is_authentic_device: true },
    'unknown-action': { action: 'REVIEW' },
    'rule-match': { action: 'BLOCK', reasons: ['RULE_MATCH'], rule_match_type: 'VISITOR_ID' },
  };
  for (const [id, verdict] of Object.entries(expected)) {
    const response = await app.inject(stytchLookup(id));
    t.match(
      { status: response.statusCode, body: response.json() },
      { status: 200, body: { telemetry_id: id, status_code: 200, verdict } },
      id,
    );
  }
});

t.test('answers a known telemetry id with a suffix as that id, and echoes it whole', async (t) => {
  const { app } = createEmulators(t);
  for (const [id, verdict] of [
    ['allow-2', { action: 'ALLOW', reasons: [] }],
    ['allow-block', { action: 'ALLOW' }],
    ['allow-\n', { action: 'ALLOW' }],
    ['challenge-of-today', { action: 'CHALLENGE' }],
    ['unknown-action-2', { action: 'REVIEW' }],
    ['rule-match-2', { reasons: ['RULE_MATCH'] }],
    ['fault-unknown-fields-2', { reasons: ['REASON_OF_A_LATER_YEAR'] }],
  ] as const) {
    const response = await app.inject(stytchLookup(id));
    t.match(
      { status: response.statusCode, body: response.json() },
      { status: 200, body: { telemetry_id: id, verdict } },
      id,
    );
  }
  for (const id of ['allow-', 'allow2', 'not-allow-2', 'ALLOW-2', `${SAMPLE}-2`, 'rule-2'])
    t.equal((await app.inject(stytchLookup(id))).statusCode, 404, id);
});

t.test('dates the answer a minute back and lets it expire in the future', async (t) => {
  const { app } = createEmulators(t);
  const { created_at: createdAt, expires_at: expiresAt } = (await app.inject(stytchLookup('allow'))).json();
  t.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.ok(Date.parse(createdAt) < Date.now());
  t.ok(Date.parse(expiresAt) > Date.now());
  const young = (await app.inject(stytchLookup('just-taken-1'))).json();
  t.ok(Date.parse(young.created_at) > Date.parse(createdAt), 'but for one that was taken just now');

  const expired = (await app.inject(stytchLookup('fault-expired-answer'))).json();
  t.ok(Date.parse(expired.expires_at) < Date.now());
});

t.test('leaves everything optional out for the id minimal', async (t) => {
  const { app } = createEmulators(t);
  const body = (await app.inject(stytchLookup('minimal'))).json();
  t.notOk('properties' in body || 'raw_signals' in body);
  t.notOk('visitor_id' in body.fingerprints || 'browser_id' in body.fingerprints);
  t.notOk('rule_match_type' in body.verdict);
});

t.test('answers the deprecated GET in the shape of its sample', async (t) => {
  const { app } = createEmulators(t);
  const url = `/v1/fingerprint/lookup?telemetry_id=${SAMPLE}`;
  const response = await app.inject({ url, headers: GET_HEADERS });
  t.equal(response.statusCode, 200);
  const body = response.json();
  t.equal(body.telemetry_id, SAMPLE);
  t.notOk('properties' in body || 'verdict_reason_overrides' in body.verdict);
  t.match(body.verdict, { action: 'ALLOW', rule_match_type: '', rule_match_identifier: '' });
});

t.test('answers 404 telemetry_id_not_found to unknown, empty and missing ids', async (t) => {
  const { app } = createEmulators(t);
  const lookup = stytchLookup('unknown');
  const requests = [
    lookup,
    stytchLookup('constructor'),
    stytchLookup(''),
    { ...lookup, payload: '{}' },
    { ...lookup, payload: '' },
    { ...lookup, payload: '{"telemetry_id":7}' },
    { ...lookup, payload: '[]' },
    { method: 'GET', url: '/v1/fingerprint/lookup', headers: GET_HEADERS } as const,
    {
      method: 'GET',
      url: '/v1/fingerprint/lookup?telemetry_id=allow&telemetry_id=allow',
      headers: GET_HEADERS,
    } as const,
  ];
  for (const request of requests) {
    const response = await app.inject(request);
    t.equal(response.statusCode, 404);
    t.match(response.json(), {
      status_code: 404,
      request_id: /^request-id-test-/,
      error_type: 'telemetry_id_not_found',
      error_message: String,
      error_url: String,
    });
  }
});

t.test('answers 404 route_not_found to wrong paths and methods', async (t) => {
  const { app } = createEmulators(t);
  const paths = ['/v1/v1/fingerprint/lookup', '/v2/fingerprint/lookup', '/fingerprint/lookup', '/v1'];
  for (const url of paths) {
    const response = await app.inject({ ...stytchLookup('allow'), url });
    t.match(
      { status: response.statusCode, type: response.json().error_type },
      { status: 404, type: 'route_not_found' },
      url,
    );
  }
  const put = await app.inject({ ...stytchLookup('allow'), method: 'PUT' });
  t.equal(put.json().error_type, 'route_not_found');
});

t.test('answers 400 without a well-formed Basic header', async (t) => {
  const { app } = createEmulators(t);
  const { authorization: _authorization, ...bare } = stytchLookup('allow').headers;
  for (const authorization of [undefined, 'Bearer x', 'Basic', 'Basic ====', `Basic ${btoa('no-colon')}`]) {
    const headers = authorization === undefined ? bare : { ...bare, authorization };
    const response = await app.inject({ ...stytchLookup('allow'), headers });
    t.equal(response.statusCode, 400, String(authorization));
    t.equal(response.json().error_type, 'invalid_authorization_header');
  }
});

t.test('answers 401 to a secret or project other than the configured ones', async (t) => {
  const { app } = createEmulators(t, { stytch: { credentials: { projectId: 'p', secret: 's:1' } } });
  const ask = async (projectId: string, secret: string) =>
    app.inject({ ...stytchLookup('allow'), headers: basic(projectId, secret) });
  t.equal((await ask('p', 's:1')).statusCode, 200);
  const refused = await ask('p', 's');
  t.equal(refused.statusCode, 401);
  t.equal(refused.json().error_type, 'unauthorized_credentials');
  t.equal((await ask('q', 's:1')).statusCode, 401);
});

t.test('echoes good metadata and refuses bad metadata before it looks the id up', async (t) => {
  const { app } = createEmulators(t);
  const ask = async (metadata: unknown) =>
    app.inject({
      ...stytchLookup('allow'),
      payload: JSON.stringify({ telemetry_id: 'allow', external_metadata: metadata }),
    });
  const good = { external_id: `${'a'.repeat(59)}_-+.@9`, user_action: 'login' };
  t.strictSame((await ask(good)).json().external_metadata, good);
  for (const bad of [
    { external_id: 'a'.repeat(66) },
    { user_action: 'log in' },
    { organization_id: 7 },
    'x',
    [],
  ]) {
    const response = await ask(bad);
    t.equal(response.statusCode, 400, JSON.stringify(bad));
    t.equal(response.json().error_type, 'invalid_external_metadata');
  }
});

t.test('takes members of the metadata that are null for ones that are not there', async (t) => {
  const { app } = createEmulators(t);
  const ask = async (metadata: unknown) => {
    const payload = JSON.stringify({ telemetry_id: 'allow', external_metadata: metadata });
    const response = await app.inject({ ...stytchLookup('allow'), payload });
    return [response.statusCode, response.json().external_metadata];
  };
  // As the vendor's Python client 15.3.0 writes `Metadata(user_action='login')`.
  const sent = { external_id: null, organization_id: null, user_action: 'login' };
  t.strictSame(await ask(sent), [200, { user_action: 'login' }]);
  t.strictSame(await ask({ external_id: null, organization_id: null, user_action: null }), [200, {}]);
  t.strictSame(await ask(null), [200, {}], 'clients require the member in the answer');
});

t.test('answers error-<status>-<type> with that error', async (t) => {
  const { app } = createEmulators(t);
  const ids = [
    'error-400-invalid_project_id_authentication',
    'error-403-use_https',
    'error-499-client_closed',
  ];
  for (const id of ids) {
    const [, status, type] = id.split('-');
    const response = await app.inject(stytchLookup(id));
    t.match(
      { status: response.statusCode, body: response.json() },
      { status: Number(status), body: { status_code: Number(status), error_type: type } },
    );
  }
  t.equal((await app.inject(stytchLookup('error-200-x'))).statusCode, 404);
});

t.test('names another telemetry id in the answer to fault-wrong-subject', async (t) => {
  const { app } = createEmulators(t);
  t.equal((await app.inject(stytchLookup('fault-wrong-subject'))).json().telemetry_id, SAMPLE);
});
