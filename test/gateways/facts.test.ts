/**
 * What gateways were seen to do, by the numbers of docs/adr/0030. Fact 8, with the traps of exempt paths, is
 * in exemption.test.ts too, and fact 3 on real sockets in wire.test.ts.
 */
import { METHODS } from 'node:http';
import t from 'tap';
import { DIALECTS } from '../../src/gateways/registry.ts';
import { askGateway, createGatewayApp, originalHeaders, riskOf } from '../support/ask-gateway.ts';
import { createManualClock, createTestApp, KEYS, startEmulators } from '../support/test-app.ts';

const emulators = await startEmulators(t);
/** Those that describe the original request in headers, and every one of them with every other. */
const BY_HEADERS = DIALECTS.flatMap(({ id, originalHeaders: names }) =>
  names === null ? [] : [{ id, originalHeaders: names }],
);
const ORDERED_PAIRS = BY_HEADERS.flatMap(({ id }) =>
  BY_HEADERS.flatMap((other) => (other.id === id ? [] : [[id, other.id] as const])),
);
const VERDICTS = [
  ['allow', 200, /^ALLOW id none$/],
  ['challenge', 401, /^CHALLENGE id STYTCH_CHALLENGE$/],
  ['forged', 403, /^BLOCK id TELEMETRY_NOT_FOUND$/],
] as const;
const PROFILES = {
  pass: { challenge: 'pass' },
  forbid: { challenge: 'forbid' },
  redirect: { challenge: 'redirect', challenge_url: 'https://login.example/step-up' },
  acr: { acr_values: 'urn:example:mfa' },
  cached: { cache_ttl_seconds: 10, ip_header: 'X-Real-IP' },
  header: {
    cache_ttl_seconds: 10,
    telemetry_id: [{ header: 'X-Telemetry-ID' }],
    device_id: [{ header: 'X-Device-ID' }],
  },
  quick: { deadline_ms: 60 },
};
const app = await createGatewayApp(t, PROFILES, { emulators });

for (const { id: dialect, originalHeaders: names } of DIALECTS) {
  t.test(`facts 1 and 2: ${dialect}: ALLOW is 200, CHALLENGE 401, BLOCK 403, and nothing else`, async (t) => {
    for (const [telemetryId, status, risk] of VERDICTS) {
      const reply = await askGateway(app, { dialect, telemetryId });
      t.equal(reply.status, status);
      t.match(riskOf(reply), risk);
    }
  });

  t.test(`fact 1: ${dialect}: a challenge names what is needed as RFC 9470 says`, async (t) => {
    const plain = await askGateway(app, { dialect, telemetryId: 'challenge' });
    t.match(
      plain.headers['www-authenticate'],
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age="1800"$/,
    );
    const named = await askGateway(app, { dialect, telemetryId: 'challenge', profile: 'acr' });
    t.match(named.headers['www-authenticate'], /, acr_values="urn:example:mfa", max_age="1800"$/);
    t.match(JSON.parse(plain.text), {
      decision: 'CHALLENGE',
      decision_id: plain.headers['x-risk-decision-id'],
    });
  });

  t.test(
    `fact 2: ${dialect}: a CHALLENGE is 200 only where the profile passes it on, and says so`,
    async (t) => {
      const ask = { dialect, telemetryId: 'challenge' };
      const passed = await askGateway(app, { ...ask, profile: 'pass' });
      t.same([passed.status, passed.headers['x-risk-decision']], [200, 'CHALLENGE']);
      t.equal((await askGateway(app, { ...ask, profile: 'forbid' })).status, 403);
      const redirected = await askGateway(app, { ...ask, profile: 'redirect' });
      t.ok([302, 401].includes(redirected.status), 'as test/gateways/registry.test.ts says');
      t.equal(redirected.headers['location'], 'https://login.example/step-up');
      t.equal((await askGateway(app, { ...ask, profile: 'pass', telemetryId: 'forged' })).status, 403);
    },
  );

  t.test(`fact 3: ${dialect}: every method is answered`, async (t) => {
    for (const method of METHODS.filter((one) => one !== 'CONNECT')) {
      const reply = await askGateway(app, { dialect, method, subrequest: method });
      t.same([reply.status, riskOf(reply)], [200, 'ALLOW id none'], method);
    }
  });

  t.test(`fact 3: ${dialect}: every body and content type is answered`, async (t) => {
    const shapes: readonly (readonly [string, string])[] = [
      ['application/json', ''],
      ['application/json', '{"telemetry_id": "forged"'],
      ['application/x-www-form-urlencoded', 'telemetry_id=forged'],
      ['multipart/form-data', 'nonsense'],
      ['text/plain', 'text'],
      ['///', 'x'],
      ['', 'x'],
      ['application/octet-stream', 'x'.repeat(200_000)],
    ];
    for (const [type, body] of shapes) {
      const reply = await askGateway(app, {
        dialect,
        method: 'POST',
        subrequest: 'POST',
        body,
        headers: { 'content-type': type },
      });
      t.same([reply.status, riskOf(reply)], [200, 'ALLOW id none'], `${type} ${body.length}`);
    }
  });

  t.test(`fact 3: ${dialect}: bad escapes, long paths and CRLF in ids are answered`, async (t) => {
    const ids = 'telemetry_id=allow&device_id=active';
    for (const target of [
      `/%zz?${ids}`,
      `/${'a'.repeat(3000)}?${ids}`,
      `/%?${ids}`,
      `/a%0d%0ab?${ids}`,
      `/?${ids}&x=%`,
    ])
      t.equal(
        (await askGateway(app, { dialect, target, telemetryId: null, deviceId: null })).status,
        200,
        target,
      );
    const target = '/?telemetry_id=allow%0d%0aX-Risk-Decision:%20ALLOW&device_id=active';
    const reply = await askGateway(app, { dialect, target, telemetryId: null, deviceId: null });
    t.same([reply.status, riskOf(reply)], [403, 'BLOCK id SUBJECT_AMBIGUOUS']);
  });

  t.test(`fact 4: ${dialect}: the three headers are on refusals of ours too`, async (t) => {
    const wrong = await askGateway(app, { dialect, key: 'wrong' });
    t.same([wrong.status, riskOf(wrong)], [403, 'BLOCK none CALLER_UNKNOWN']);
    const unknown = await askGateway(app, { dialect, profile: 'nowhere' });
    t.same([unknown.status, riskOf(unknown)], [403, 'BLOCK none PROFILE_UNKNOWN']);
    for (const { text, headers } of [wrong, unknown]) {
      t.same(JSON.parse(text), { decision: 'BLOCK', decision_id: null });
      t.match(headers['content-type'], /^application\/json/);
    }
  });

  t.test(`fact 7: ${dialect}: repeated ids are a BLOCK that is counted and logged`, async (t) => {
    const reply = await askGateway(app, { dialect, headers: { 'x-telemetry-id': ['allow', 'allow'] } });
    t.same([reply.status, riskOf(reply)], [403, 'BLOCK id SUBJECT_AMBIGUOUS']);
    const line = app.logs.find((one) => one['decision_id'] === reply.headers['x-risk-decision-id']);
    t.match(line, { event: 'decision.made', decision: 'BLOCK', reason_codes: ['SUBJECT_AMBIGUOUS'] });
  });

  t.test(`fact 8: ${dialect}: a preflight without ids is let in, and is no decision`, async (t) => {
    const headers = { origin: 'https://shop.example', 'access-control-request-method': 'PUT' };
    const ask = { dialect, method: 'OPTIONS', telemetryId: null, deviceId: null };
    const reply = await askGateway(app, { ...ask, headers });
    t.same([reply.status, riskOf(reply)], [200, 'ALLOW none EXEMPT']);
    t.equal((await askGateway(app, ask)).status, 403, 'an OPTIONS that is none');
    t.equal(
      (await askGateway(app, { ...ask, headers, key: null })).status,
      403,
      'nor for whoever is no gateway',
    );
  });

  t.test(
    `fact 9: ${dialect}: Cache-Control is always sent, and allows only an ALLOW of a profile that says so`,
    async (t) => {
      const of = async (ask: object) => (await askGateway(app, { dialect, ...ask })).headers;
      t.match(await of({}), { 'cache-control': 'no-store' });
      t.match(await of({ profile: 'cached', telemetryId: 'challenge' }), { 'cache-control': 'no-store' });
      t.match(await of({ profile: 'cached', telemetryId: 'forged' }), { 'cache-control': 'no-store' });
      t.match(await of({ profile: 'nowhere' }), { 'cache-control': 'no-store' });
      const cached = await of({ profile: 'cached', headers: { 'x-real-ip': '203.0.113.7' } });
      const [, seconds] = /^max-age=(\d+)$/.exec(String(cached['cache-control'])) ?? [];
      t.ok(Number(seconds) >= 1 && Number(seconds) <= 10, String(cached['cache-control']));
      const vary = String(cached['vary']);
      for (const name of ['X-Telemetry-ID', 'X-Device-ID', 'Cookie', 'User-Agent', 'X-Real-IP'])
        t.ok(vary.split(', ').includes(name), `${name} in ${vary}`);
      if (names !== null) t.ok(vary.includes(names.target), `the query is read: ${vary}`);
      t.equal((await of({ profile: 'header' }))['vary'], 'X-Telemetry-ID, X-Device-ID, User-Agent');
    },
  );

  t.test(`fact 9: ${dialect}: an ALLOW that lacks evidence is kept by nobody`, async (t) => {
    const lenient = await createGatewayApp(t, PROFILES, {
      emulators,
      policy:
        'policy: lenient\notherwise: ALLOW\nrules:\n  - {id: x, when: "prefactor.status == \\"x\\"", verdict: BLOCK, reason: X, on_unknown: IGNORE}\n',
    });
    const reply = await askGateway(lenient, { dialect, profile: 'cached', deviceId: 'fault-500' });
    t.same([reply.status, reply.headers['cache-control']], [200, 'no-store']);
  });
}

t.test('fact 5: a dialect reads its own headers and no others', async (t) => {
  const ids = '?telemetry_id=allow&device_id=active';
  const none = { telemetryId: null, deviceId: null };
  for (const [own, other] of ORDERED_PAIRS) {
    const headers = {
      ...originalHeaders(other, 'OPTIONS', '/health'),
      'x-original-url': `/x${ids}`,
      'x-rewrite-url': `/x${ids}`,
      forwarded: 'for=10.0.0.1',
    };
    const asked = await askGateway(app, { dialect: own, target: '/x', ...none, headers });
    t.equal(riskOf(asked), 'BLOCK id TELEMETRY_MISSING,TELEMETRY_NOT_FOUND,DEVICE_MISSING,DEVICE_NOT_FOUND');
    const missing = await app.app.server.inject({
      url: `/v1/gateway/${own}/default${ids}`,
      headers: { 'x-riskgate-key': KEYS.decide, ...originalHeaders(other, 'GET', `/${ids}`) },
    });
    t.equal(missing.statusCode, 403);
    t.match(missing.headers, { 'x-risk-decision': 'BLOCK', 'x-risk-reasons': 'REQUEST_MALFORMED' });
  }
  t.ok(ORDERED_PAIRS.length >= 2);
  const spoofed = Object.assign({}, ...BY_HEADERS.map(({ id }) => originalHeaders(id, 'GET', `/x${ids}`)));
  t.equal((await askGateway(app, { dialect: 'envoy', target: '/x', ...none, headers: spoofed })).status, 403);
});

t.test("fact 5: a header of the dialect that was sent twice is nobody's", async (t) => {
  for (const { id: dialect, originalHeaders: names } of BY_HEADERS) {
    for (const name of [names.target, names.method]) {
      const reply = await askGateway(app, { dialect, headers: { [name]: ['/a', '/b'] } });
      t.same([reply.status, riskOf(reply)], [403, 'BLOCK none REQUEST_MALFORMED'], name);
    }
  }
  const malformed = await askGateway(app, { method: 'GET /x' });
  t.equal(riskOf(malformed), 'BLOCK none REQUEST_MALFORMED');
});

t.test('fact 6: the same question within five seconds is one decision', async (t) => {
  const clock = createManualClock();
  const own = await createTestApp(t, { emulators, clock });
  const made = () => own.logs.filter(({ event }) => event === 'decision.made').length;
  const decisions = async () =>
    (await own.ask('GET', '/metrics', { key: null })).text.match(
      /^riskgate_decisions_total\{.*\} [1-9]\d*$/gm,
    );
  const ask = { method: 'POST', telemetryId: 'allow' };
  const first = await askGateway(own, ask);
  clock.advance(4_900);
  const again = await askGateway(own, ask);
  t.equal(again.headers['x-risk-decision-id'], first.headers['x-risk-decision-id']);
  t.equal(made(), 1);
  t.match(await decisions(), [/ 1$/]);
  for (const other of [
    { ...ask, method: 'GET' },
    { ...ask, target: '/other' },
    { ...ask, dialect: 'envoy' },
    { ...ask, headers: { 'user-agent': 'x' } },
  ])
    t.not((await askGateway(own, other)).headers['x-risk-decision-id'], first.headers['x-risk-decision-id']);
  t.equal(made(), 5);
  clock.advance(200);
  const later = await askGateway(own, ask);
  t.not(
    later.headers['x-risk-decision-id'],
    first.headers['x-risk-decision-id'],
    'a repeat does not prolong it',
  );
  t.equal(made(), 6);
});

t.test(
  'fact 6: a repeat is judged by the evidence of its own moment, and never milder for being one',
  async (t) => {
    const own = await createTestApp(t, { env: { PREFACTOR_OK_TTL_SECONDS: '0' } });
    const ask = { telemetryId: 'allow', deviceId: 'active' };
    const first = await askGateway(own, ask);
    t.equal(first.status, 200);
    await own.ask('DELETE', '/v1/evidence?device_id=active', { key: KEYS.admin });
    await own.emulators.app.close();
    const second = await askGateway(own, ask);
    t.equal(second.status, 401, 'the evidence is gone, and the earlier ALLOW is not used');
    t.not(second.headers['x-risk-decision-id'], first.headers['x-risk-decision-id']);
    t.equal(own.logs.filter(({ event }) => event === 'decision.made').length, 2, 'and it is told');
  },
);

t.test('fact 6: a BLOCK for an ambiguous subject is counted once too', async (t) => {
  const own = await createTestApp(t, { emulators });
  const headers = { 'x-device-id': ['a', 'b'] };
  for (let n = 0; n < 3; n += 1) await askGateway(own, { headers });
  t.equal(own.logs.filter(({ event }) => event === 'decision.made').length, 1);
});

t.test('fact 10: a profile can keep to the time budget of its gateway', async (t) => {
  const reply = await askGateway(app, { profile: 'quick', telemetryId: 'fault-hang' });
  t.equal(reply.status, 401, 'degraded, and in time for Envoy');
  const line = app.logs.find((one) => one['decision_id'] === reply.headers['x-risk-decision-id']);
  t.match(line, { degraded: true, provider_outcomes: { stytch: 'timeout' } });
});

t.test('ids are found in header, query and cookie, and the order is that of the profile', async (t) => {
  const none = { telemetryId: null, deviceId: null };
  for (const { id: dialect } of DIALECTS) {
    t.equal((await askGateway(app, { dialect, ...none })).status, 403);
    const query = { target: '/x?telemetry_id=allow&device_id=active' };
    t.equal((await askGateway(app, { dialect, ...none, ...query })).status, 200);
    const headers = { cookie: 'telemetry_id=allow; device_id=active' };
    t.equal((await askGateway(app, { dialect, ...none, headers })).status, 200);
    t.equal((await askGateway(app, { dialect, ...none, profile: 'header', headers })).status, 403);
  }
});
