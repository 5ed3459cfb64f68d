import t from 'tap';
import { prefactor } from '../../src/providers/prefactor/index.ts';
import { readAnswer } from '../../src/providers/read-answer.ts';
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
import { PREFACTOR_FULL, PREFACTOR_INTERACTION } from './payloads.ts';

const SETTINGS = parseSettings(prefactor, {
  PREFACTOR_API_TOKEN: 'token-1',
  PREFACTOR_BASE_URL: 'https://admin.example/prefix/',
});
const QUERY = { id: PREFACTOR_FULL.summary.id };

const answerTo = (status: number, body: unknown, headers = {}) =>
  readAnswer(prefactor, respond(status, body, headers), QUERY, CONTEXT);
const withSummary = (changes: Readonly<Record<string, unknown>>) => ({
  ...PREFACTOR_FULL,
  summary: { ...PREFACTOR_FULL.summary, ...changes },
});

t.test('sends a GET with the token', async (t) => {
  t.equal(prefactor.baseUrl(SETTINGS), 'https://admin.example/prefix');
  t.same(prefactor.toRequest(SETTINGS, { id: 'a/b', accountId: 'a', action: 'b' }), {
    method: 'GET',
    path: '/api/v1/device/a%2Fb',
    headers: { accept: 'application/json', authorization: 'Bearer token-1', 'user-agent': 'riskgate' },
  });
});

t.test('has no default base URL and requires one', async (t) => {
  t.match(prefactor.settings['baseUrl'], { env: 'PREFACTOR_BASE_URL' });
  t.equal(prefactor.settings['baseUrl']?.default, undefined);
  t.not(prefactor.settings['baseUrl']?.isOptional, true);
});

t.test('gives every documented code one outcome, whatever its status', async (t) => {
  const table: readonly [string, string][] = [
    ['bad_authtoken', 'unauthorized bad_authtoken'],
    ['not_authenticated', 'unauthorized not_authenticated'],
    ['not_permitted', 'unauthorized not_permitted'],
    ['not_found', 'not_found'],
    ['bad_request', 'invalid_request bad_request'],
    ['invalid_value', 'invalid_request invalid_value'],
    ['required_value', 'invalid_request required_value'],
    ['unexpected_ref_type', 'invalid_request unexpected_ref_type'],
    ['invalid_action', 'invalid_request invalid_action'],
    ['not_implemented', 'unavailable not_implemented'],
    ['unknown', 'unavailable unknown'],
    ['unexpected', 'unavailable unexpected'],
  ];
  for (const [code, expected] of table) {
    for (const status of [200, 400, 401, 404, 409, 422, 500, 501]) {
      const answer = answerTo(status, { status: 'error', code, message: 'text' });
      t.equal(summarise(answer), expected, `${status} ${code}`);
    }
  }
});

t.test('goes by the status where the code says nothing', async (t) => {
  const table: readonly [number, string][] = [
    [200, 'malformed status_error'],
    [204, 'malformed http_204'],
    [302, 'malformed redirect'],
    [400, 'invalid_request http_400'],
    [401, 'unauthorized http_401'],
    [403, 'unauthorized http_403'],
    [404, 'not_found'],
    [408, 'timeout http_408'],
    [409, 'invalid_request http_409'],
    [429, 'rate_limited http_429'],
    [499, 'unavailable http_499'],
    [500, 'unavailable http_500'],
    [501, 'unavailable http_501'],
    [503, 'unavailable http_503'],
  ];
  for (const [status, expected] of table) {
    t.equal(summarise(answerTo(status, { status: 'error', code: 'of_a_later_year' })), expected, `${status}`);
    t.equal(summarise(answerTo(status, { status: 'error' })), expected, `${status} without a code`);
  }
});

t.test('takes a 404 in any other shape for a wrong URL', async (t) => {
  for (const body of ['<html>', '', {}, [], { code: 'not_found' }, { status: 404, code: 'not_found' }]) {
    t.equal(summarise(answerTo(404, body)), 'malformed http_404');
  }
  const html = { 'content-type': 'text/html' };
  t.equal(summarise(answerTo(404, { status: 'error', code: 'not_found' }, html)), 'malformed http_404');
});

t.test('does not read the body of a redirect', async (t) => {
  t.equal(summarise(answerTo(307, { status: 'error', code: 'not_found' })), 'malformed redirect');
});

t.test('retries by status, and never what is settled', async (t) => {
  t.match(answerTo(500, { status: 'error', code: 'unexpected' }), { isRetryable: true });
  t.match(answerTo(200, { status: 'error', code: 'unexpected' }), { isRetryable: false });
  t.match(answerTo(501, { status: 'error', code: 'not_implemented' }), { isRetryable: false });
  t.notOk('isRetryable' in answerTo(500, { status: 'error', code: 'not_found' }));
});

t.test('reads a full device', async (t) => {
  const stored = signalsOf(answerTo(200, PREFACTOR_FULL));
  const presented = prefactor.present(stored, NOW_MS, UNTOLD);
  t.strictSame(parseSignals(prefactor, presented), presented);
  t.same(presented, {
    found: true,
    status: 'active',
    session_type: 'browser',
    type: 'device',
    auth_profile: 'openid',
    pkce_required: true,
    account_hash: hashOf(PREFACTOR_FULL.summary.account_id),
    domain_hash: hashOf(PREFACTOR_FULL.summary.domain_id),
    pool_hash: hashOf(PREFACTOR_FULL.summary.pool_id),
    first_seen: {
      at: '2009-02-13T23:31:30.000Z',
      at_unix_seconds: 1234567890,
      age_seconds: 532657710,
      asn: 4764,
      country: 'AU',
      region: 'VIC',
      latitude: -37.82,
      longitude: 144.97,
      ja4: 'q13d0314h3_55b375c5d22e_61e396c58b1f',
      ja4_transport: 'quic',
      ja4_tls_version: '1.3',
      ja4_alpn: 'h3',
      user_agent_family: 'Chrome',
      user_agent_major: 91,
      user_agent_os: 'macOS',
      time_zone: 'Australia/Melbourne',
    },
    last_seen: {
      at: '2025-12-31T23:50:00.000Z',
      at_unix_seconds: 1767225000,
      age_seconds: 600,
      asn: 3320,
      country: 'DE',
      region: 'VIC',
      latitude: 52.52,
      longitude: 13.41,
      ja4: 'q13d0314h3_55b375c5d22e_61e396c58b1f',
      ja4_transport: 'quic',
      ja4_tls_version: '1.3',
      ja4_alpn: 'h3',
      user_agent_family: 'Other',
      user_agent_os: 'Other',
      time_zone: 'Australia/Melbourne',
    },
    asn_changed: true,
    country_changed: true,
    ip_changed: true,
    ja4_changed: false,
    time_zone_changed: false,
    user_agent_family_changed: true,
    user_agent_os_changed: true,
    distance_km: 15974,
  });
});

t.test('leaves the stored signals as they are when it presents them', async (t) => {
  const stored = signalsOf(answerTo(200, PREFACTOR_FULL));
  const before = JSON.stringify(stored);
  prefactor.present(stored, NOW_MS, UNTOLD);
  t.equal(JSON.stringify(stored), before);
  t.notMatch(before, /age_seconds/);
});

t.test('reads a device that was never seen and has no client', async (t) => {
  const nothing = { first_seen: null, last_seen: null, dynamic_client_details: null, status: 'revoked' };
  const signals = prefactor.present(signalsOf(answerTo(200, withSummary(nothing))), NOW_MS, UNTOLD);
  t.equal(signals['status'], 'revoked');
  for (const name of ['first_seen', 'last_seen', 'auth_profile', 'asn_changed', 'distance_km']) {
    t.notOk(name in signals, name);
  }
});

t.test('reads old interactions, and compares only what both sides know', async (t) => {
  const { at, remote_ip, user_agent } = PREFACTOR_INTERACTION;
  const old = { at, remote_ip, user_agent };
  const signals = signalsOf(answerTo(200, withSummary({ first_seen: old })));
  t.match(signals, { ip_changed: true, first_seen: { user_agent_family: 'Chrome' } });
  for (const name of ['asn_changed', 'country_changed', 'ja4_changed', 'time_zone_changed', 'distance_km']) {
    t.notOk(name in signals, name);
  }
  t.strictSame(parseSignals(prefactor, signals), signals);
});

t.test('reads a summary of nothing but an id and a status', async (t) => {
  const body = { status: 'success', summary: { id: QUERY.id, status: 'paused' } };
  t.same(signalsOf(answerTo(200, body)), { found: true, status: 'paused' });
});

t.test('leaves out interaction facts it cannot read', async (t) => {
  const odd = {
    at: 1,
    asn: 0,
    country_code: 'au stralia',
    region_code: ' ',
    lat_long: [91, 0],
    timezone: 'a b',
    ja4_fingerprint: 'x y',
    user_agent: '',
    remote_ip: null,
  };
  const signals = signalsOf(answerTo(200, withSummary({ first_seen: odd })));
  t.same(signals['first_seen'], { at: '1970-01-01T00:00:01.000Z', at_unix_seconds: 1 });
});

t.test('takes the id in another case, and for this once only', async (t) => {
  const other = withSummary({ id: PREFACTOR_FULL.summary.id.toUpperCase() });
  t.match(
    answerTo(200, other),
    { outcome: 'ok', validUntilMs: NOW_MS },
    'void at once: no purge would find it',
  );
  t.match(answerTo(200, PREFACTOR_FULL), { outcome: 'ok', validUntilMs: null });
});

t.test('calls a 200 malformed unless it fits and is about the id that was asked for', async (t) => {
  const interaction = (changes: object) =>
    withSummary({ last_seen: { ...PREFACTOR_INTERACTION, ...changes } });
  const table: readonly [string, unknown, string][] = [
    ['not JSON', '{', 'not_json'],
    ['another status', { ...PREFACTOR_FULL, status: 'ok' }, 'schema'],
    ['no summary', { status: 'success' }, 'schema'],
    ['no device status', withSummary({ status: null }), 'schema'],
    ['a time as text', interaction({ at: '2020-01-01T00:00:00Z' }), 'schema'],
    ['a time in milliseconds', interaction({ at: NOW_MS }), 'schema'],
    ['an infinite time', JSON.stringify(interaction({ at: 0 })).replace('"at":0', '"at":1e999'), 'schema'],
    ['one coordinate', interaction({ lat_long: [1] }), 'schema'],
    ['another subject', withSummary({ id: 'someone-else' }), 'subject_mismatch'],
    ['no subject', withSummary({ id: undefined }), 'schema'],
  ];
  for (const [title, body, failure] of table) {
    t.equal(summarise(answerTo(200, body)), `malformed ${failure}`, title);
  }
  t.equal(summarise(answerTo(201, PREFACTOR_FULL)), 'malformed http_201');
});
