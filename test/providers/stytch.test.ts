import t from 'tap';
import { readAnswer } from '../../src/providers/read-answer.ts';
import { stytch } from '../../src/providers/stytch/index.ts';
import {
  CONTEXT,
  hashOf,
  NOW_MS,
  parseSettings,
  parseSignals,
  respond,
  signalsOf,
  summarise,
  UNTOLD,
} from './answer-support.ts';
import { STYTCH_FULL, STYTCH_GET_SAMPLE } from './payloads.ts';

const ENV = { STYTCH_PROJECT_ID: 'project-test-1', STYTCH_SECRET: 'secret-1' };
const POST = parseSettings(stytch, ENV);
const GET = parseSettings(stytch, { ...ENV, STYTCH_LOOKUP_METHOD: 'get' });
const QUERY = { id: STYTCH_FULL.telemetry_id };
const REQUEST_ID = 'request-id-test-1';

const answerTo = (status: number, body: unknown, headers = {}) =>
  readAnswer(stytch, respond(status, body, headers), QUERY, CONTEXT);
const errorBody = (status: number, type: string) => ({
  status_code: status,
  request_id: REQUEST_ID,
  error_type: type,
  error_message: 'message',
  error_url: 'https://stytch.com/docs',
});

t.test('sends a POST with Basic credentials and the id in the body', async (t) => {
  const request = stytch.toRequest(POST, QUERY);
  t.equal(stytch.baseUrl(POST), 'https://telemetry.stytch.com');
  t.same(request, {
    method: 'POST',
    path: '/v1/fingerprint/lookup',
    headers: {
      accept: 'application/json',
      authorization: `Basic ${Buffer.from('project-test-1:secret-1').toString('base64')}`,
      'user-agent': 'riskgate',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ telemetry_id: QUERY.id }),
  });
});

t.test('sends metadata only when the vendor accepts its characters and length', async (t) => {
  const bodyFor = (accountId: string, action: string) =>
    JSON.parse(stytch.toRequest(POST, { ...QUERY, accountId, action })?.body ?? '');
  t.same(bodyFor('user_1-a+b.c@d', 'login').external_metadata, {
    external_id: 'user_1-a+b.c@d',
    user_action: 'login',
  });
  t.same(bodyFor('a'.repeat(65), 'log in').external_metadata, { external_id: 'a'.repeat(65) });
  t.same(bodyFor('a'.repeat(66), 'pay/out').external_metadata, undefined);
  t.same(bodyFor('', 'ü').external_metadata, undefined);
  t.same(bodyFor('a\n', 'login\r').external_metadata, undefined);
});

t.test('sends the deprecated GET with nothing but the id', async (t) => {
  const request = stytch.toRequest(GET, { id: 'a&b=c/ü', accountId: 'user', action: 'login' });
  t.equal(request?.method, 'GET');
  t.equal(request?.path, '/v1/fingerprint/lookup?telemetry_id=a%26b%3Dc%2F%C3%BC');
  t.notOk(request !== null && ('body' in request || 'content-type' in request.headers));
});

t.test('refuses ids that cannot be sent as what they are', async (t) => {
  for (const settings of [POST, GET]) {
    t.equal(stytch.toRequest(settings, { id: '' }), null);
    t.equal(stytch.toRequest(settings, { id: 'a\ud800' }), null);
    t.not(stytch.toRequest(settings, { id: '..' }), null);
  }
});

t.test('gives every documented error one outcome', async (t) => {
  const table: readonly [number, string, string][] = [
    [400, 'invalid_authorization_header', 'unauthorized invalid_authorization_header'],
    [400, 'invalid_project_id_authentication', 'unauthorized invalid_project_id_authentication'],
    [400, 'invalid_external_metadata', 'invalid_request http_400'],
    [401, 'unauthorized_credentials', 'unauthorized http_401'],
    [401, 'unauthorized_credentials_error', 'unauthorized http_401'],
    [403, 'use_https', 'unauthorized http_403'],
    [404, 'telemetry_id_not_found', 'not_found'],
    [404, 'route_not_found', 'unauthorized route_not_found'],
    [404, 'another_not_found', 'malformed http_404'],
    [405, 'method_not_allowed', 'invalid_request http_405'],
    [408, 'request_timeout', 'timeout http_408'],
    [429, 'too_many_requests', 'rate_limited http_429'],
    [499, 'client_closed_request', 'unavailable http_499'],
    [500, 'internal_server_error', 'unavailable http_500'],
    [500, 'telemetry_id_not_found', 'unavailable http_500'],
    [501, 'not_implemented', 'unavailable http_501'],
    [503, 'service_unavailable', 'unavailable http_503'],
    [302, 'telemetry_id_not_found', 'malformed redirect'],
    [200, 'internal_server_error', 'malformed status_error'],
    [204, 'telemetry_id_not_found', 'malformed http_204'],
  ];
  for (const [status, type, expected] of table) {
    t.equal(summarise(answerTo(status, errorBody(status, type))), expected, `${status} ${type}`);
  }
});

t.test('takes no 404 for not found unless the vendor says so in JSON', async (t) => {
  const body = errorBody(404, 'telemetry_id_not_found');
  t.equal(summarise(answerTo(404, '<html>')), 'malformed http_404');
  t.equal(summarise(answerTo(404, body, { 'content-type': 'text/html' })), 'malformed http_404');
  t.equal(summarise(answerTo(404, [body])), 'malformed http_404');
  t.match(answerTo(404, body), { signals: { found: false }, upstreamRequestId: REQUEST_ID });
});

t.test('marks what may be retried, and when', async (t) => {
  const retryable = (status: number, headers = {}) => answerTo(status, errorBody(status, 'x'), headers);
  for (const status of [408, 429, 499, 500, 502, 503]) t.match(retryable(status), { isRetryable: true });
  for (const status of [400, 401, 404, 501, 302]) t.match(retryable(status), { isRetryable: false });
  t.match(retryable(429, { 'retry-after': '3' }), { retryAfterMs: 3000 });
  t.match(retryable(429), { retryAfterMs: null });
});

t.test('reads a full POST lookup', async (t) => {
  const answer = answerTo(200, STYTCH_FULL);
  t.match(answer, {
    outcome: 'ok',
    upstreamRequestId: STYTCH_FULL.request_id,
    validUntilMs: Date.parse('2033-01-01T00:00:00Z'),
  });
  const presented = stytch.present(signalsOf(answer), NOW_MS, UNTOLD);
  t.same(presented, {
    found: true,
    action: 'BLOCK',
    reasons: ['RULE_MATCH', 'KNOWN_DATACENTER_IP'],
    is_authentic: true,
    device_type: 'MACOS',
    rule_match_type: 'VISITOR_ID',
    rule_match_identifier_hash: hashOf('canary-rule-visitor'),
    overridden_reasons: ['VIRTUAL_MACHINE'],
    overrides: ['VIRTUAL_MACHINE=ALLOW'],
    is_proxy: true,
    is_vpn: false,
    asn: 4764,
    asn_name: 'Example Networks',
    network: '203.0.113.0/24',
    country: 'AU',
    region: 'Victoria',
    city: 'Melbourne',
    ip_hash: hashOf('203.0.113.77'),
    user_agent_hash: hashOf('canary-agent/1.0'),
    fingerprints: {
      visitor_id_hash: hashOf(STYTCH_FULL.fingerprints.visitor_id),
      browser_id_hash: hashOf(STYTCH_FULL.fingerprints.browser_id),
      visitor_hash: hashOf(STYTCH_FULL.fingerprints.visitor_fingerprint),
      browser_hash: hashOf(STYTCH_FULL.fingerprints.browser_fingerprint),
      hardware_hash: hashOf(STYTCH_FULL.fingerprints.hardware_fingerprint),
      network_hash: hashOf(STYTCH_FULL.fingerprints.network_fingerprint),
    },
    created_at: '2023-01-01T00:00:00.000Z',
    created_at_unix_seconds: 1672531200,
    expires_at: '2033-01-01T00:00:00.000Z',
    expires_at_unix_seconds: 1988150400,
    age_seconds: 94694400,
    expires_in_seconds: 220924800,
  });
  t.strictSame(parseSignals(stytch, presented), presented);
});

t.test('reads the GET sample, where empty texts and missing parts are absent', async (t) => {
  const signals = signalsOf(answerTo(200, STYTCH_GET_SAMPLE));
  t.match(signals, { found: true, action: 'ALLOW', overridden_reasons: [] });
  for (const name of ['rule_match_type', 'rule_match_identifier_hash', 'is_proxy', 'asn', 'country']) {
    t.notOk(name in signals, name);
  }
});

t.test('reads a lookup of a device without cookies, and passes an unknown action on', async (t) => {
  const { visitor_id: _visitor, browser_id: _browser, ...fingerprints } = STYTCH_FULL.fingerprints;
  const verdict = { ...STYTCH_FULL.verdict, action: 'REVIEW', reasons: [] };
  const signals = signalsOf(answerTo(200, { ...STYTCH_FULL, fingerprints, verdict, later: { year: 1 } }));
  t.equal(signals['action'], 'REVIEW');
  t.notOk('visitor_id_hash' in Object(signals['fingerprints']));
});

t.test('normalises times to UTC', async (t) => {
  const signals = signalsOf(answerTo(200, { ...STYTCH_FULL, created_at: '2025-06-01t02:00:00.5+02:00' }));
  t.equal(signals['created_at'], '2025-06-01T00:00:00.500Z');
});

t.test('leaves out network facts it cannot read', async (t) => {
  const network = { ip_geolocation: { country: 'Australia', region: 'x'.repeat(500) }, is_vpn: null };
  for (const asn of ['', 'AS', '0', '-1', '4294967296', '47.64', '1e3', null]) {
    const properties = { network_properties: { ...network, asn: { asn } } };
    const signals = signalsOf(answerTo(200, { ...STYTCH_FULL, properties }));
    for (const name of ['asn', 'country', 'region', 'is_vpn', 'is_proxy']) t.notOk(name in signals, name);
  }
  const asName = { network_properties: { asn: { asn: 'AS4764' } } };
  t.equal(signalsOf(answerTo(200, { ...STYTCH_FULL, properties: asName }))['asn'], 4764);
});

t.test('keeps a network only where it is no narrower than what is routed', async (t) => {
  const networkOf = (network: unknown) => {
    const properties = { network_properties: { asn: { network } } };
    return signalsOf(answerTo(200, { ...STYTCH_FULL, properties }))['network'];
  };
  t.equal(networkOf(' 203.0.113.0/24 '), '203.0.113.0/24');
  t.equal(networkOf('2001:DB8:0::/32'), '2001:db8::/32');
  for (const none of [
    '203.0.113.128/25',
    '203.0.113.7/32',
    '2001:db8::/49',
    '203.0.113.7/24',
    '203.0.113.0',
    '',
    null,
  ])
    t.equal(networkOf(none), undefined, String(none));
});

t.test('lists an override only with the action that it gave', async (t) => {
  const verdict_reason_overrides = [
    { verdict_reason: 'VIRTUAL_MACHINE' },
    { verdict_reason: 'IPINFO', override_action: '' },
    { verdict_reason: 'KNOWN_DATACENTER_IP', override_action: 'BLOCK' },
  ];
  const verdict = { ...STYTCH_FULL.verdict, verdict_reason_overrides };
  const signals = signalsOf(answerTo(200, { ...STYTCH_FULL, verdict }));
  t.same(signals['overridden_reasons'], ['VIRTUAL_MACHINE', 'IPINFO', 'KNOWN_DATACENTER_IP']);
  t.same(signals['overrides'], ['KNOWN_DATACENTER_IP=BLOCK']);
});

t.test('compares what Stytch saw with what this request brings', async (t) => {
  const stored = signalsOf(answerTo(200, STYTCH_FULL));
  const compare = (ip?: string, userAgent?: string, signals = stored) => {
    const presented = stytch.present(signals, NOW_MS, { ip, userAgent, hash: hashOf });
    return [presented['ip_matches_request'], presented['user_agent_matches_request']];
  };
  t.same(compare('203.0.113.77', 'canary-agent/1.0'), [true, true], 'space around a header is no difference');
  t.same(compare('203.0.113.78', 'Canary-agent/1.0'), [false, false]);
  t.same(compare('203.0.113.77'), [true, undefined]);
  t.same(compare(undefined, ' '), [undefined, undefined], 'not told is not false');
  t.notOk('ip_matches_request' in stytch.present(stored, NOW_MS, UNTOLD));
  t.same(compare('203.0.113.77', 'x', signalsOf(answerTo(200, STYTCH_GET_SAMPLE))), [undefined, undefined]);
  t.same(compare('203.0.113.77', 'x', { ...stored, ip_hash: 7, user_agent_hash: 8 }), [undefined, undefined]);
});

t.test('compares addresses in their one spelling, and none that cannot be read', async (t) => {
  const isSame = (ip_address: unknown, ip: string) => {
    const properties = { network_properties: { ip_address } };
    const stored = signalsOf(answerTo(200, { ...STYTCH_FULL, properties }));
    return stytch.present(stored, NOW_MS, { ip, userAgent: undefined, hash: hashOf })['ip_matches_request'];
  };
  t.equal(isSame('2001:DB8::0:1', '2001:db8::1'), true);
  t.equal(isSame('::ffff:203.0.113.7', '203.0.113.7'), true);
  for (const unreadable of ['', 'localhost', '010.0.0.1', null])
    t.equal(isSame(unreadable, '10.0.0.1'), undefined);
});

t.test('calls a 200 malformed unless it fits and is about the id that was asked for', async (t) => {
  const { verdict } = STYTCH_FULL;
  const table: readonly [string, unknown, string][] = [
    ['not JSON', '{"truncated"', 'not_json'],
    ['empty', '', 'not_json'],
    ['an array', [STYTCH_FULL], 'schema'],
    ['null', 'null', 'schema'],
    ['no verdict', { ...STYTCH_FULL, verdict: undefined }, 'schema'],
    ['no action', { ...STYTCH_FULL, verdict: { ...verdict, action: '' } }, 'schema'],
    ['action null', { ...STYTCH_FULL, verdict: { ...verdict, action: null } }, 'schema'],
    [
      'authenticity as text',
      { ...STYTCH_FULL, verdict: { ...verdict, is_authentic_device: 'true' } },
      'schema',
    ],
    ['reasons missing', { ...STYTCH_FULL, verdict: { ...verdict, reasons: null } }, 'schema'],
    ['too many reasons', { ...STYTCH_FULL, verdict: { ...verdict, reasons: Array(65).fill('R') } }, 'schema'],
    ['a huge reason', { ...STYTCH_FULL, verdict: { ...verdict, reasons: ['R'.repeat(129)] } }, 'schema'],
    ['unreadable created_at', { ...STYTCH_FULL, created_at: 'yesterday' }, 'schema'],
    ['zero expires_at', { ...STYTCH_FULL, expires_at: '0001-01-01T00:00:00Z' }, 'schema'],
    ['another status in the body', { ...STYTCH_FULL, status_code: 500 }, 'contradiction'],
    ['a status that is none', { ...STYTCH_FULL, status_code: 'fine' }, 'schema'],
    ['another subject', { ...STYTCH_FULL, telemetry_id: 'someone-else' }, 'subject_mismatch'],
    ['no subject', { ...STYTCH_FULL, telemetry_id: undefined }, 'schema'],
  ];
  for (const [title, body, failure] of table) {
    t.equal(summarise(answerTo(200, body)), `malformed ${failure}`, title);
  }
  t.equal(summarise(answerTo(200, STYTCH_FULL, { 'content-type': 'text/html' })), 'malformed not_json');
  t.equal(summarise(answerTo(201, { ...STYTCH_FULL, status_code: 201 })), 'malformed http_201');
});

t.test('accepts the id in another case', async (t) => {
  const body = { ...STYTCH_FULL, telemetry_id: STYTCH_FULL.telemetry_id.toUpperCase() };
  t.match(
    answerTo(200, body),
    { outcome: 'ok', validUntilMs: NOW_MS },
    'void at once: no purge would find it',
  );
  t.match(answerTo(200, STYTCH_FULL), { validUntilMs: Date.parse(STYTCH_FULL.expires_at) });
});

t.test('presents signals without times as they are', async (t) => {
  t.same(stytch.present(stytch.notFoundSignals, NOW_MS, UNTOLD), { found: false });
});
