import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportSPKI, generateKeyPair, UnsecuredJWT } from 'jose';
import t, { type Test } from 'tap';
import { writeApiKeys } from '../../support/api-key-file.ts';
import { AUDIENCE, CAEP, ISSUER, RISC, startTransmitter } from '../../support/set-transmitter.ts';
import { createDirectory, createTestApp, startEmulators } from '../../support/test-app.ts';

/** Shared signals by push, from a transmitter with real keys. */
const emulators = await startEmulators(t);
const POLICY = `policy: p
description: d
otherwise: ALLOW
rules:
  - {id: revoked, when: 'shared.account.session_revoked_seconds < 3600', verdict: BLOCK, reason: REVOKED}
  - {id: device, when: 'shared.device.device_compliance_change_seconds < 86400', verdict: CHALLENGE, reason: DEVICE}
  - {id: risk, when: 'shared.account.risk_level_high_seconds < 86400', verdict: CHALLENGE, reason: RISK}
`;
const SIGNAL_KEY = 'key-of-the-transmitter';
const DECIDE_KEY = 'key-of-the-shop';
const user = (id: string) => ({ format: 'opaque', id });

async function open(t: Test, extra: Readonly<Record<string, string>> = {}) {
  const transmitter = await startTransmitter(t);
  const directory = createDirectory(t);
  const file = join(directory, 'streams.yaml');
  const urls = `jwks_uri: ${transmitter.origin}/jwks`;
  writeFileSync(file, `streams:\n  idp:\n    issuer: ${ISSUER}\n    audience: ${AUDIENCE}\n    ${urls}\n`);
  const keys = [
    { id: 'transmitter', key: SIGNAL_KEY, scopes: ['signal'] },
    { id: 'shop', key: DECIDE_KEY, scopes: ['decide', 'read', 'admin'] },
  ] as const;
  const app = await createTestApp(t, {
    emulators,
    policy: POLICY,
    env: { SHARED_SIGNALS_FILE: file, API_KEYS_FILE: writeApiKeys(directory, keys), ...extra },
  });
  const push = async (token: string, headers: Readonly<Record<string, string>> = {}, stream = 'idp') => {
    const { statusCode, body } = await app.app.server.inject({
      method: 'POST',
      url: `/v1/shared-signals/${stream}`,
      headers: {
        authorization: `Bearer ${SIGNAL_KEY}`,
        'content-type': 'application/secevent+jwt',
        ...headers,
      },
      payload: token,
    });
    return { status: statusCode, body: body === '' ? null : (JSON.parse(body) as Record<string, unknown>) };
  };
  const reasonsOf = async (account_id: string, device_id = 'active') => {
    const { json } = await app.decide({ telemetry_id: 'allow', device_id, account_id }, { key: DECIDE_KEY });
    return json.reasons.map(({ code }) => code);
  };
  const counted = async () => (await app.ask('GET', '/metrics', { key: null })).text;
  return { app, transmitter, push, reasonsOf, counted };
}

t.test('a signal counts from the next decision on, for its subject alone', async (t) => {
  const { transmitter, push, reasonsOf, app } = await open(t);
  t.same(await reasonsOf('acct_a'), []);
  const token = await transmitter.sign(`${CAEP}session-revoked`, {}, user('acct_a'));
  t.strictSame(await push(token), { status: 202, body: null });
  t.same(await reasonsOf('acct_a'), ['REVOKED']);
  t.same(await reasonsOf('acct_b'), []);
  const device = await transmitter.sign(
    `${CAEP}device-compliance-change`,
    { previous_status: 'compliant', current_status: 'not-compliant' },
    { format: 'complex', device: user('active') },
  );
  t.equal((await push(device)).status, 202);
  t.same(await reasonsOf('acct_b'), ['DEVICE']);
  t.notMatch(app.logText(), /acct_a|jti-/);
});

t.test('what ends is over, and an older token does not bring it back', async (t) => {
  const { transmitter, push, reasonsOf } = await open(t);
  const seconds = Math.floor(Date.now() / 1000);
  const at = (ago: number, current_level: string) =>
    transmitter.sign(
      `${CAEP}risk-level-change`,
      { current_level, principal: 'USER', event_timestamp: seconds - ago },
      user('acct_risk'),
    );
  await push(await at(60, 'HIGH'));
  t.same(await reasonsOf('acct_risk'), ['RISK']);
  const replayed = await at(40, 'HIGH');
  await push(await at(30, 'LOW'));
  t.same(await reasonsOf('acct_risk'), []);
  t.equal((await push(replayed)).status, 202);
  t.same(await reasonsOf('acct_risk'), [], 'it is older than what ended it');
});

t.test('a token counts once, and one that tells nothing of ours changes nothing', async (t) => {
  const { transmitter, push, counted, app } = await open(t);
  const token = await transmitter.sign(`${RISC}account-disabled`, {}, user('acct_once'));
  for (let time = 0; time < 3; time += 1) t.equal((await push(token)).status, 202);
  const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
  t.equal((await push(await transmitter.sign(verification, { state: 'x' }, user('stream')))).status, 202);
  const text = await counted();
  t.match(text, 'riskgate_shared_signals_total{result="taken"} 1');
  t.match(text, 'riskgate_shared_signals_total{result="known"} 2');
  t.match(text, 'riskgate_shared_signals_total{result="nothing"} 1');
  const { text: lines } = await app.ask('GET', '/v1/decisions/export?format=ndjson', { key: DECIDE_KEY });
  const records = lines.split('\n').filter((line) => line.includes('shared_signal'));
  t.equal(records.length, 1);
  t.match(JSON.parse(records[0] ?? ''), {
    event: 'shared_signal',
    caller: 'transmitter',
    stream: 'idp',
    signal: 'account_disabled',
    state: 'begun',
    subject: { telemetry: null, device: null, account: /^[0-9a-f]{32}$/ },
  });
});

t.test('tokens that are not signed by the transmitter for us are refused', async (t) => {
  const { transmitter, push, reasonsOf, counted } = await open(t);
  const { sign, publicKey } = transmitter;
  const revoked = `${CAEP}session-revoked`;
  const victim = user('acct_victim');
  const { privateKey: stranger } = await generateKeyPair('ES256');
  const secret = new TextEncoder().encode(await exportSPKI(publicKey));
  const seconds = Math.floor(Date.now() / 1000);
  const good = await sign(revoked, {}, victim);
  const [head, payload] = good.split('.');
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    jti: 'x',
    iat: seconds,
    sub_id: victim,
    events: { [revoked]: {} },
  };
  const cases: readonly (readonly [string, string, string])[] = [
    ['another key', await sign(revoked, {}, victim, { key: stranger }), 'authentication_failed'],
    ['no signature', new UnsecuredJWT(claims).encode(), 'invalid_key'],
    ['none, as a header says', `${btoa('{"alg":"none","typ":"secevent+jwt"}')}.${payload}.`, 'invalid_key'],
    [
      'the public key as a secret',
      await sign(revoked, {}, victim, { header: { alg: 'HS256' }, key: secret }),
      'invalid_key',
    ],
    [
      'a changed payload',
      `${head}.${btoa('{}').replaceAll('=', '')}.${good.split('.')[2]}`,
      'authentication_failed',
    ],
    [
      'another issuer',
      await sign(revoked, {}, victim, { claims: { iss: 'https://evil.example' } }),
      'invalid_issuer',
    ],
    [
      'another audience',
      await sign(revoked, {}, victim, { claims: { aud: 'https://other' } }),
      'invalid_audience',
    ],
    ['no audience', await sign(revoked, {}, victim, { claims: { aud: undefined } }), 'invalid_audience'],
    ['an access token', await sign(revoked, {}, victim, { header: { typ: 'at+jwt' } }), 'invalid_request'],
    ['no type', await sign(revoked, {}, victim, { header: { typ: undefined } }), 'invalid_request'],
    ['an unknown key', await sign(revoked, {}, victim, { header: { kid: 'k2' } }), 'invalid_key'],
    ['no id', await sign(revoked, {}, victim, { claims: { jti: undefined } }), 'invalid_request'],
    ['an id that is no text', await sign(revoked, {}, victim, { claims: { jti: 7 } }), 'invalid_request'],
    [
      'a time to come',
      await sign(revoked, {}, victim, { claims: { iat: seconds + 600 } }),
      'invalid_request',
    ],
    ['an event to come', await sign(revoked, { event_timestamp: seconds + 600 }, victim), 'invalid_request'],
    [
      'an expired one',
      await sign(revoked, {}, victim, { claims: { exp: seconds - 600 } }),
      'invalid_request',
    ],
    ['no subject', await sign(revoked, {}, null), 'invalid_request'],
    ['no token', 'not-a-token', 'invalid_request'],
    ['nothing', '', 'invalid_request'],
  ];
  for (const [name, token, err] of cases) {
    const { status, body } = await push(token);
    t.equal(status, 400, name);
    t.equal(body?.['err'], err, name);
    t.type(body?.['description'], 'string');
  }
  t.same(await reasonsOf('acct_victim'), []);
  t.match(await counted(), 'riskgate_shared_signals_total{result="authentication_failed"} 2');
  t.equal((await push(good)).status, 202, 'the good one is taken after all');
  t.same(await reasonsOf('acct_victim'), ['REVOKED']);
});

t.test('a clock that is a little ahead is taken', async (t) => {
  const { transmitter, push, reasonsOf } = await open(t);
  const iat = Math.floor(Date.now() / 1000) + 60;
  const token = await transmitter.sign(`${CAEP}session-revoked`, {}, user('acct_ahead'), { claims: { iat } });
  t.equal((await push(token)).status, 202);
  t.same(await reasonsOf('acct_ahead'), ['REVOKED']);
});

t.test('unknown keys in a flood make it ask for the keys once more and not again', async (t) => {
  const { transmitter, push } = await open(t);
  await push(await transmitter.sign(`${CAEP}session-revoked`, {}, user('acct_flood')));
  t.equal(transmitter.asked.keys, 1);
  const { privateKey } = await generateKeyPair('ES256');
  for (let time = 0; time < 20; time += 1) {
    const overrides = { key: privateKey, header: { kid: `unknown-${time}` } };
    t.equal(
      (await push(await transmitter.sign(`${CAEP}session-revoked`, {}, user('a'), overrides))).status,
      400,
    );
  }
  t.equal(transmitter.asked.keys, 1, 'they were read less than half a minute ago');
});

t.test('while the keys cannot be had it is to be sent again, and nobody is asked all the time', async (t) => {
  const { transmitter, push } = await open(t);
  const token = await transmitter.sign(`${CAEP}session-revoked`, {}, user('acct_later'));
  for (const [status, body] of [
    [500, ''],
    [200, 'no keys'],
    [200, `{"keys": "${'x'.repeat(1024 * 1024)}"}`],
    [302, ''],
  ] as const) {
    const { transmitter, push } = await open(t);
    transmitter.keysAnswer = { status, body: body.slice(0, 2 * 1024 * 1024) };
    const sent = await transmitter.sign(`${CAEP}session-revoked`, {}, user('acct_later'));
    for (let time = 0; time < 5; time += 1) t.equal((await push(sent)).status, 503, `${status}`);
    t.equal(transmitter.asked.keys, 1);
  }
  t.equal((await push(token)).status, 202);
  t.equal(transmitter.asked.keys, 1);
});

t.test('a completed challenge of the account is void', async (t) => {
  const { transmitter, push, app } = await open(t);
  const subject = { telemetry_id: 'allow', device_id: 'active', account_id: 'acct_step' };
  const policy = POLICY.replace(
    'rules:\n',
    "rules:\n  - {id: always, when: 'true', verdict: CHALLENGE, reason: ALWAYS, step_up: 30m}\n",
  );
  writeFileSync(app.policyFile, policy);
  const verdict = async () => (await app.decide(subject, { key: DECIDE_KEY })).json.decision;
  const told = await app.decide({ ...subject, method: 'otp' }, { key: DECIDE_KEY, url: '/v1/step-ups' });
  t.equal(told.status, 200);
  const { until } = await import('../../support/test-app.ts');
  await until(
    'the policy is in force, and the step-up satisfies it',
    async () => (await verdict()) === 'ALLOW' && app.events().includes('policy.reloaded'),
  );
  await push(
    await transmitter.sign(`${CAEP}credential-change`, { change_type: 'update' }, user('acct_step')),
  );
  t.equal(await verdict(), 'CHALLENGE');
});

t.test('forgetting a subject forgets what was told of it', async (t) => {
  const { transmitter, push, reasonsOf, app } = await open(t);
  await push(await transmitter.sign(`${CAEP}session-revoked`, {}, user('acct_gone')));
  const { json } = await app.ask<{ forgotten: object }>('DELETE', '/v1/subjects?account_id=acct_gone', {
    key: DECIDE_KEY,
  });
  t.match(json, { forgotten: { shared_signals: 1 } });
  t.same(await reasonsOf('acct_gone'), []);
});

t.test(
  'bodies that are no token, too large or of another type, and other callers, are refused',
  async (t) => {
    const { transmitter, push } = await open(t);
    const token = await transmitter.sign(`${CAEP}session-revoked`, {}, user('a'));
    t.equal((await push('x'.repeat(20_000))).status, 413);
    t.equal((await push(token, { 'content-type': 'application/json' })).status, 415);
    t.equal((await push(token, { authorization: 'Bearer wrong' })).status, 401);
    t.equal((await push(token, { authorization: `Bearer ${DECIDE_KEY}` })).status, 403);
    t.equal((await push(token, {}, 'nobody')).status, 404);
    t.equal((await push(token, {}, '__proto__')).status, 404);
  },
);

t.test('beyond the bound nothing is taken, and it is to be sent again', async (t) => {
  const { transmitter, push, reasonsOf } = await open(t, { SHARED_SIGNALS_ENTRIES_MAX: '1' });
  t.equal((await push(await transmitter.sign(`${CAEP}session-revoked`, {}, user('acct_1')))).status, 202);
  t.equal((await push(await transmitter.sign(`${CAEP}session-revoked`, {}, user('acct_2')))).status, 503);
  t.same(await reasonsOf('acct_1'), ['REVOKED']);
});

t.test('without streams what others tell is unknown to rules', async (t) => {
  const app = await createTestApp(t, { emulators, policy: POLICY });
  const { json } = await app.decide({ telemetry_id: 'allow', device_id: 'active', account_id: 'a' });
  t.equal(json.decision, 'CHALLENGE');
  t.equal((await app.ask('POST', '/v1/shared-signals/idp')).status, 404);
});
