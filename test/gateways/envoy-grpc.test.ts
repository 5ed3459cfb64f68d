/**
 * Envoy over gRPC, asked with Envoy's own definitions: what is read and written here must mean the same
 * there.
 */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { createIsGateway } from '../../src/gateways/authenticate-gateway.ts';
import { DEFAULT_PROFILE, type GatewayProfiles } from '../../src/gateways/profile.ts';
import { createGatewayApp, GATEWAY_SECRET, GATEWAY_SECRET_SHA256 } from '../support/ask-gateway.ts';
import {
  createEnvoyClient,
  type EnvoyClient,
  type EnvoyQuestion,
  type EnvoyReply,
} from '../support/envoy-client.ts';
import { ENVOY_CHECK } from '../support/envoy-definition.ts';
import { connectRaw, toRawFrame } from '../support/raw-grpc.ts';
import { KEYS, startEmulators, type TestApp, type TestAppOptions, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);
const PROFILES = {
  pass: { challenge: 'pass' },
  redirect: { challenge: 'redirect', challenge_url: 'https://login.example/step-up' },
  secret: { caller: { header: 'X-Shop-Gateway', sha256: GATEWAY_SECRET_SHA256 } },
  trusted: { caller: { addresses: ['127.0.0.1'] } },
  elsewhere: { caller: { addresses: ['10.9.9.9'] } },
  assets: { exempt_paths: ['/assets/*'] },
};
const DEFAULT_PROFILES: GatewayProfiles = { byName: new Map([['default', DEFAULT_PROFILE]]), wellKnown: [] };
/** Only the gateway's own deadline ends a wait. */
const PATIENT = { DECISION_DEADLINE_MS: '10000', STYTCH_TIMEOUT_MS: '10000' };
const OVERWRITE = 'OVERWRITE_IF_EXISTS_OR_ADD';
const IDS = { 'x-telemetry-id': 'allow', 'x-device-id': 'active' };

interface EntryPoint {
  readonly app: TestApp;
  readonly envoy: EnvoyClient;
  readonly port: number;
  ask(question?: EnvoyQuestion): Promise<EnvoyReply>;
}

async function openEntryPoint(
  test: Pick<Test, 'teardown'>,
  options: TestAppOptions = {},
  profiles: Parameters<typeof createGatewayApp>[1] = PROFILES,
): Promise<EntryPoint> {
  const app = await createGatewayApp(test, profiles, {
    emulators,
    ...options,
    env: { GRPC_PORT: '0', ...options.env },
  });
  const port = (await app.app.grpc?.listen('127.0.0.1', 0)) ?? 0;
  const envoy = createEnvoyClient(test, port);
  const ask = (question: EnvoyQuestion = {}) =>
    envoy.check({ headers: IDS, metadata: { 'x-riskgate-key': KEYS.decide }, ...question });
  return { app, envoy, port, ask };
}

const entryPoint = await openEntryPoint(t);
const decided = (reply: EnvoyReply) => reply.headers.map(([name, value]) => `${name}: ${value}`).join('\n');

t.test('ALLOW is code 0, and every header overwrites what the client sent', async (t) => {
  const reply = await entryPoint.ask();
  t.equal(reply.error, null);
  t.equal(reply.status, 0);
  t.match(
    decided(reply),
    /^x-risk-decision: ALLOW\nx-risk-decision-id: [0-9a-f-]{36}\nx-risk-reasons: none$/,
  );
  t.same(new Set(reply.headers.map(([, , action]) => action)), new Set([OVERWRITE]));
  t.same(reply.removed, ['x_risk_decision', 'x_risk_decision_id', 'x_risk_reasons']);
  t.match(reply.metadata, { decision: 'ALLOW', decision_id: /^[0-9a-f-]{36}$/, reasons: [] });
});

t.test('CHALLENGE is 401 with an RFC 9470 challenge, BLOCK 403', async (t) => {
  const challenged = await entryPoint.ask({ headers: { ...IDS, 'x-telemetry-id': 'challenge' } });
  t.equal(challenged.status, 16);
  t.equal(challenged.denied?.status, 'Unauthorized');
  t.match(decided(challenged), /www-authenticate: Bearer error="insufficient_user_authentication"/);
  t.match(decided(challenged), /cache-control: no-store/);
  t.match(challenged.metadata, { decision: 'CHALLENGE', reasons: ['STYTCH_CHALLENGE'] });
  t.notMatch(challenged.denied?.body, /STYTCH/);
  const blocked = await entryPoint.ask({ headers: { ...IDS, 'x-telemetry-id': 'forged' } });
  t.equal(blocked.status, 7);
  t.equal(blocked.denied?.status, 'Forbidden');
  t.match(decided(blocked), /x-risk-decision: BLOCK\n(?:.*\n)*x-risk-reasons: TELEMETRY_NOT_FOUND/);
  t.same(new Set(blocked.headers.map(([, , action]) => action)), new Set([OVERWRITE]));
});

t.test('the profile comes from the context extensions, and an unknown one is a BLOCK', async (t) => {
  const headers = { ...IDS, 'x-telemetry-id': 'challenge' };
  const passed = await entryPoint.ask({ headers, contextExtensions: { profile: 'pass' } });
  t.equal(passed.status, 0);
  t.match(decided(passed), /x-risk-decision: CHALLENGE/);
  const redirected = await entryPoint.ask({ headers, contextExtensions: { profile: 'redirect' } });
  t.equal(redirected.denied?.status, 'Found');
  t.match(decided(redirected), /location: https:\/\/login\.example\/step-up/);
  for (const profile of ['nobody', '__proto__', 'constructor', 'x'.repeat(500)]) {
    const unknown = await entryPoint.ask({ contextExtensions: { profile } });
    t.equal(unknown.denied?.status, 'Forbidden');
    t.match(unknown.metadata, { decision: 'BLOCK', reasons: ['PROFILE_UNKNOWN'] });
  }
  const byClient = await entryPoint.ask({ path: '/?profile=pass', headers: { ...headers, profile: 'pass' } });
  t.equal(byClient.denied?.status, 'Unauthorized');
});

t.test('the gateway proves itself by metadata or address, never by what the end user sent', async (t) => {
  const own = { 'x-riskgate-key': KEYS.decide, 'x-shop-gateway': GATEWAY_SECRET };
  const smuggled = await entryPoint.ask({ headers: { ...IDS, ...own }, metadata: {} });
  t.match(smuggled.metadata, { decision: 'BLOCK', reasons: ['CALLER_UNKNOWN'] });
  const wrong = await entryPoint.ask({ metadata: { 'x-riskgate-key': KEYS.read } });
  t.match(wrong.metadata, { decision: 'BLOCK', reasons: ['CALLER_UNKNOWN'] });
  const secret = { contextExtensions: { profile: 'secret' } };
  t.equal((await entryPoint.ask({ ...secret, metadata: { 'x-shop-gateway': GATEWAY_SECRET } })).status, 0);
  t.equal(
    (await entryPoint.ask({ ...secret, metadata: { 'x-shop-gateway': `${GATEWAY_SECRET}x` } })).status,
    7,
  );
  t.equal((await entryPoint.ask({ metadata: {}, contextExtensions: { profile: 'trusted' } })).status, 0);
  t.equal((await entryPoint.ask({ metadata: {}, contextExtensions: { profile: 'elsewhere' } })).status, 7);
});

t.test(
  'no end user can make a question fail by its size, which a gateway may then let in, nor is one blocked for it',
  async (t) => {
    const ofLength = (length: number): [string, string][] => [['x-filler', 'é'.repeat(length)]];
    const forged = await entryPoint.ask({
      rawHeaders: [...ofLength(60_000), ['x-telemetry-id', 'forged'], ['x-device-id', 'active']],
    });
    t.match(forged.metadata, { decision: 'BLOCK', reasons: ['TELEMETRY_NOT_FOUND'] });
    const allowed = await entryPoint.ask({ rawHeaders: [...ofLength(60_000), ...Object.entries(IDS)] });
    t.match(allowed.metadata, { decision: 'ALLOW' });
    const oversized = await entryPoint.ask({ rawHeaders: [...ofLength(1_000_000), ...Object.entries(IDS)] });
    t.equal(oversized.error, null);
    t.equal(oversized.denied?.status, 'ServiceUnavailable');
    t.match(decided(oversized), /x-risk-decision: UNAVAILABLE\n(?:.*\n)*x-risk-reasons: REQUEST_TOO_LARGE/);
    t.match(oversized.metadata, { decision: 'UNAVAILABLE', reasons: ['REQUEST_TOO_LARGE'] });
  },
);

t.test('ids are found in headers, the query of the original path, and cookies', async (t) => {
  t.equal((await entryPoint.ask({ headers: {}, path: '/a?telemetry_id=allow&device_id=active' })).status, 0);
  t.equal(
    (await entryPoint.ask({ headers: { cookie: 'a=b; telemetry_id=allow; device_id=active' } })).status,
    0,
  );
  const missing = await entryPoint.ask({ headers: {} });
  t.match(missing.metadata, {
    decision: 'BLOCK',
    reasons: ['TELEMETRY_MISSING', 'TELEMETRY_NOT_FOUND', 'DEVICE_MISSING', 'DEVICE_NOT_FOUND'],
  });
});

t.test('ids that Envoy joined, sent twice or cannot be read are ambiguous', async (t) => {
  const joined = await entryPoint.ask({ headers: { ...IDS, 'x-telemetry-id': 'allow,forged' } });
  const twice = await entryPoint.ask({
    rawHeaders: [...Object.entries(IDS), ['x-device-id', 'active'] as const],
  });
  const cased = await entryPoint.ask({
    rawHeaders: [...Object.entries(IDS), ['X-Device-ID', 'other'] as const],
  });
  const bytes = await entryPoint.ask({
    rawHeaders: [...Object.entries(IDS).slice(0, 1), ['x-device-id', 'é'] as const],
  });
  for (const reply of [joined, twice, cased, bytes])
    t.match(reply.metadata, { decision: 'BLOCK', reasons: ['SUBJECT_AMBIGUOUS'] });
  const raw = await entryPoint.ask({ rawHeaders: Object.entries(IDS) });
  t.equal(raw.status, 0, 'raw headers are read like the others');
});

t.test('preflights and exempt paths need no ids; a path with two readings is not exempt', async (t) => {
  const preflight = { origin: 'https://shop.example', 'access-control-request-method': 'PUT' };
  t.match((await entryPoint.ask({ method: 'OPTIONS', headers: preflight })).metadata, {
    reasons: ['EXEMPT'],
  });
  const assets = { headers: {}, contextExtensions: { profile: 'assets' } };
  t.match((await entryPoint.ask({ ...assets, path: '/assets/a.css?v=1' })).metadata, { reasons: ['EXEMPT'] });
  t.equal((await entryPoint.ask({ ...assets, path: '/assets/..%2fadmin' })).status, 7);
});

t.test('every method is answered, with a body and without', async (t) => {
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'X-ODD'])
    t.equal((await entryPoint.ask({ method, body: '{"telemetry_id": "forged"' })).status, 0, method);
});

t.test(
  'messages that tell no request are a BLOCK, not an error that a fail-open gateway lets in',
  async (t) => {
    const key = { 'x-riskgate-key': KEYS.decide };
    const messages = [
      {},
      { attributes: {} },
      { attributes: { request: {} } },
      { attributes: { request: { http: { method: 'GET' } } } },
      { attributes: { request: { http: { path: '/' } } } },
      { attributes: { request: { http: { method: 'G E T', path: '/' } } } },
      { attributes: { request: { http: { method: 'GET', path: 'shop.example:443' } } } },
    ];
    for (const message of messages) {
      const reply = await entryPoint.envoy.checkRaw(message, key);
      t.match(reply.metadata, { decision: 'BLOCK', reasons: ['REQUEST_MALFORMED'] });
    }
  },
);

t.test('what cannot be decided is an error of the call, for the gateway to rule on', async (t) => {
  const own = await startEmulators(t);
  const full = await openEntryPoint(t, { emulators: own, env: { ...PATIENT, MAX_IN_FLIGHT: '1' } });
  const hanging = { 'x-telemetry-id': 'fault-hang', 'x-device-id': 'active' };
  const slow = full.ask({ headers: hanging, deadlineMs: 3_000 });
  await until('the first question is under way', () => (own.callCounts()['prefactor'] ?? 0) > 0);
  const refused = await full.ask({ headers: { 'x-telemetry-id': 'fault-slow-1', 'x-device-id': 'x' } });
  t.equal(refused.error?.code, 14);
  t.equal(refused.error?.details, '', 'nothing of the inside is told');
  t.equal((await slow).error, null);
});

t.test('the deadline of the call is kept with a degraded decision', async (t) => {
  const patient = await openEntryPoint(t, { env: PATIENT });
  const headers = { 'x-telemetry-id': 'fault-hang', 'x-device-id': 'active' };
  const reply = await patient.ask({ headers, deadlineMs: 3_000 });
  t.equal(reply.error, null, 'the answer comes before the gateway gives up');
  t.match(reply.metadata, { decision: 'CHALLENGE' });
});

t.test(
  'the address of the connection is what a policy reads, unless the profile names a header',
  async (t) => {
    const policy = [
      'policy: addresses\notherwise: ALLOW\nrules:',
      `  - {id: a, when: '!has(request.ip)', verdict: BLOCK, reason: NO_ADDRESS}`,
      `  - {id: b, when: 'request.ip == "203.0.113.7"', verdict: CHALLENGE, reason: KNOWN_ADDRESS}`,
    ].join('\n');
    const own = await openEntryPoint(t, { policy });
    t.match((await own.ask({ source: '203.0.113.7' })).metadata, { reasons: ['KNOWN_ADDRESS'] });
    t.match((await own.ask({ source: '203.0.113.8' })).metadata, { decision: 'ALLOW' });
    t.match((await own.ask({})).metadata, { reasons: ['NO_ADDRESS'] });
    t.match((await own.ask({ source: '::ffff:203.0.113.7' })).metadata, { reasons: ['KNOWN_ADDRESS'] });
    t.match(
      (await own.ask({ source: 'no address' })).metadata,
      { decision: 'CHALLENGE' },
      'neither absent nor known',
    );
  },
);

t.test('whoever is no gateway is refused before the message is sent', async (t) => {
  const { trusted: _byAddress, ...profiles } = PROFILES;
  const entryPoint = await openEntryPoint(t, {}, profiles);
  for (const headers of [{}, { 'x-riskgate-key': 'wrong' }, { 'x-riskgate-key': KEYS.read }]) {
    const call = connectRaw(t, entryPoint.port).call(ENVOY_CHECK.path, headers);
    const { status, bytes } = await call.reply;
    t.equal(status, 0);
    t.match(bytes.toString(), 'CALLER_UNKNOWN');
  }
  const gateway = connectRaw(t, entryPoint.port).call(ENVOY_CHECK.path, { 'x-riskgate-key': KEYS.decide });
  gateway.end(toRawFrame(gzipSync(Buffer.alloc(4_000_000)), { flag: 1 }));
  t.match(await gateway.reply, { status: 12, acceptEncoding: 'identity' });
});

t.test('a new profile brings its proof with it', async (t) => {
  const { byName } = DEFAULT_PROFILES;
  let profiles = DEFAULT_PROFILES;
  const isGateway = createIsGateway(
    () => profiles,
    () => null,
  );
  const credentials = { headers: { 'x-shop-gateway': [GATEWAY_SECRET] }, peerAddress: undefined };
  t.equal(isGateway(credentials), false);
  const digests = [Buffer.from(GATEWAY_SECRET_SHA256, 'hex')];
  const caller = { kind: 'secret', header: 'x-shop-gateway', digests } as const;
  profiles = {
    ...profiles,
    byName: new Map(byName).set('shop', { ...DEFAULT_PROFILE, name: 'shop', caller }),
  };
  t.equal(isGateway(credentials), true);
  t.equal(isGateway({ ...credentials, headers: {} }), false);
});

t.test('bytes that are no gRPC end their own connection alone', async (t) => {
  const socket = connect(entryPoint.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve).resume());
  t.equal((await entryPoint.ask()).status, 0);
});

t.test('no identifier is in the log', (t) => {
  t.match(entryPoint.app.logText(), /"event":"decision.made"/);
  for (const word of ['telemetry_id=', 'shop.example', '"allow"', 'fault-hang', KEYS.decide])
    t.notOk(entryPoint.app.logText().includes(word), word);
  t.end();
});
