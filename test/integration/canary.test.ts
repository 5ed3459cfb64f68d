import { readdirSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { createTestApp, startEmulators, type TestApp, until, untilRedisIsUp } from '../support/test-app.ts';

/** Values of callers, each of which occurs nowhere else in the world. */
const CANARY = {
  telemetry: 'canary-telemetry-7f3a9c',
  slowTelemetry: 'fault-slow-1-canary-telemetry-81b2',
  device: 'canary-device-5d1e0b',
  slowDevice: 'fault-slow-1-canary-device-aa91',
  failing: 'fault-flaky-9-canary-failing-3c',
  account: 'canary-account-9b2d4e',
  ip: '203.0.113.97',
  ip6: '2001:db8:feed::cafe',
  userAgent: 'CanaryBrowser/77.1 (canary-user-agent)',
} as const;

/** What the emulators' payloads hold: identifiers of phones and people, and a secret. */
const UPSTREAM = [
  '490154203237518',
  'A0000000000001',
  '505010000000001',
  '8961010000000000001',
  '61491570006',
  'EMULATED00000001',
  '00e0000000000001',
  '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-000000000002',
  '3000000000000001',
  '02:00:5e:00:53',
  '192.0.2.10',
  'emulated-client-secret-must-not-leak',
  'visitor-6139cbcc-4dda-4b1f-b1c0-13c08ec64d72',
  'browser-id-99cffb93-6378-48a5-aa90-d680232a7979',
  'fingerprint-0b535ab5-ecff-4bc9-b845-48bf90098945',
  'fingerprint-4af7a05d-cf77-4ff7-834f-0622452bb092',
  'fingerprint-b5060259-40e6-3f29-8215-45ae2da3caa1',
  'fingerprint-6ecf5792-1157-41ad-9ad6-052d31160cee',
  'Mozilla/5.0',
  '-37.8159',
] as const;

/** Keys and credentials of the service itself. */
const SECRETS = ['test-key-of-all-scopes', 'an id hash key of 32 bytes', 'emulated-password-canary'] as const;

const FORBIDDEN: readonly string[] = [...Object.values(CANARY), ...UPSTREAM, ...SECRETS];

/** Rules that read every part of a request, among them some that cannot be evaluated. */
const NOSY_POLICY = `
policy: nosy
otherwise: ALLOW
rules:
  - {id: account, when: 'request.account_id == "x"', verdict: BLOCK, reason: ACCOUNT}
  - {id: number, when: 'double(request.account_id) > 1.0', verdict: BLOCK, reason: NUMBER}
  - {id: agent, when: 'int(request.user_agent) > 1', verdict: BLOCK, reason: AGENT}
  - {id: time, when: 'timestamp(request.ip) > timestamp("2026-01-01T00:00:00Z")', verdict: BLOCK, reason: TIME}
  - {id: asn, when: 'stytch.asn == 1 || prefactor.last_seen.asn == 2', verdict: CHALLENGE, reason: ASN}
  - {id: device, when: 'mobilerun.model.brand == "x"', verdict: CHALLENGE, reason: DEVICE}
`;

const emulators = await startEmulators(t);

t.test('keeps identifiers out of logs, answers and policies', async (t) => {
  for (const policy of [undefined, NOSY_POLICY]) {
    const app = await createTestApp(t, { emulators, ...(policy === undefined ? {} : { policy }) });
    const answers = await useEverything(app);
    assertClean(t, app.logText(), 'the log');
    t.ok(app.events().includes('decision.made'), 'something was logged');
    t.ok(app.events().includes('provider.failed'), 'failures too');
    for (const [name, text] of answers) assertClean(t, text, name);
  }
});

t.test('keeps identifiers out of Redis, keys and values, and of what is said over it', async (t) => {
  const redis = await startRedisServer(t, { password: 'emulated-password-canary' });
  const observer = new Redis(redis.url);
  t.teardown(() => observer.disconnect());
  const heard: string[] = [];
  await observer.psubscribe('*');
  observer.on('pmessage', (_pattern: string, channel: string, message: string) =>
    heard.push(channel, message),
  );
  const app = await createTestApp(t, {
    emulators,
    env: { REDIS_URL: redis.url },
  });
  await untilRedisIsUp(app);
  const answers = await useEverything(app);
  assertClean(t, app.logText(), 'the log');
  for (const [name, text] of answers) assertClean(t, text, name);
  // A write that is late for its budget is left out, and made by a later decision.
  let stored: readonly string[] = [];
  await until('evidence of every kind is stored', async () => {
    await useEverything(app);
    stored = await dump(t, redis.url);
    return stored.length >= 10 && stored.some((entry) => entry.includes(':step-ups:'));
  });
  t.ok(
    stored.some((entry) => /:custody:.*account/.test(entry)),
    'bindings too',
  );
  assertClean(t, stored.join('\n'), 'Redis');
  t.ok(heard.length >= 2, 'a purge was heard');
  assertClean(t, heard.join('\n'), 'the purge channel');
});

t.test('keeps identifiers out of the log when Redis is lost', async (t) => {
  const redis = await startRedisServer(t, { password: 'emulated-password-canary' });
  const app = await createTestApp(t, { emulators, env: { REDIS_URL: redis.url } });
  await untilRedisIsUp(app);
  await redis.stop();
  for (const [name, text] of await useEverything(app)) assertClean(t, text, name);
  t.ok(app.events().includes('redis.down'));
  assertClean(t, app.logText(), 'the log');
});

t.test('looks for values that the emulators really send', async (t) => {
  const root = new URL('../../src/providers/', import.meta.url);
  const payloads = ['stytch', 'mobilerun', 'prefactor'].flatMap((id) =>
    readdirSync(new URL(`${id}/`, root))
      .filter((name) => name.startsWith('emulator'))
      .map((name) => readFileSync(new URL(`${id}/${name}`, root), 'utf8')),
  );
  t.equal(payloads.length, 6);
  for (const value of UPSTREAM)
    t.ok(
      payloads.some((text) => text.includes(value)),
      value,
    );
});

/** Every route, with answers that are good, bad, refused and failed; each with what it was. */
async function useEverything(app: TestApp): Promise<readonly (readonly [string, string])[]> {
  const context = { account_id: CANARY.account, user_agent: CANARY.userAgent, action: 'login' };
  const bodies = [
    { telemetry_id: CANARY.telemetry, device_id: CANARY.device, ip: CANARY.ip, ...context },
    { telemetry_id: CANARY.slowTelemetry, device_id: CANARY.slowDevice, ip: CANARY.ip6, ...context },
    { telemetry_id: CANARY.failing, device_id: CANARY.failing, ip: CANARY.ip, ...context },
    { telemetry_id: 'rule-match', device_id: 'active', ip: CANARY.ip, ...context },
    { telemetry_id: 'allow', device_id: 'active', ip: CANARY.ip, ...context },
    { telemetry_id: 'error-500-internal_server_error', device_id: 'fault-wrong-subject', ...context },
    { telemetry_id: CANARY.telemetry, device_id: CANARY.device, device_ids: {}, ip: CANARY.ip },
    { telemetry_id: CANARY.telemetry, device_id: CANARY.device, ip: `not ${CANARY.ip}` },
    {
      telemetry_id: [CANARY.telemetry],
      device_id: { id: CANARY.device },
      ip: 7,
      user_agent: [CANARY.userAgent],
    },
    { action: `${CANARY.account}!`, account_id: CANARY.account.repeat(20), deadline_ms: CANARY.ip },
    `{"telemetry_id": "${CANARY.telemetry}", "device_id": "${CANARY.device}`,
    `${CANARY.telemetry}`,
  ];
  const answers: (readonly [string, string])[] = [];
  const note = (name: string, { status, headers, text }: { status: number; headers: object; text: string }) =>
    answers.push([`${name}: ${status}`, JSON.stringify(headers) + text]);
  for (const [index, body] of bodies.entries()) {
    note(`decide ${index}`, await app.decide(body));
    note(`decide ${index} explained`, await app.decide(body, { url: '/v1/decide?explain=full' }));
    note(`decide ${index} with a wrong key`, await app.decide(body, { key: CANARY.account }));
    note(`decide ${index} as text`, await app.decide(body, { headers: { 'content-type': 'text/plain' } }));
  }
  const headers = {
    'x-request-id': `${CANARY.userAgent}`,
    'user-agent': CANARY.userAgent,
    'x-forwarded-for': CANARY.ip,
  };
  note('decide with odd headers', await app.decide(bodies[0], { headers }));
  for (const url of [
    '/v1/policy',
    '/readyz',
    '/livez',
    '/version',
    '/metrics',
    `/v1/${CANARY.device}`,
    `/%zz${CANARY.device}`,
  ]) {
    note(url.replace(CANARY.device, '…'), await app.ask('GET', url));
  }
  for (const fields of [{}, { method: CANARY.account }, { acr: CANARY.telemetry }, { at: CANARY.ip }]) {
    const body = { telemetry_id: CANARY.telemetry, device_id: CANARY.device, account_id: CANARY.account };
    note('step-up', await app.decide({ ...body, ...fields }, { url: '/v1/step-ups' }));
    note('after it', await app.decide(body));
  }
  for (const query of [
    `telemetry_id=${CANARY.slowTelemetry}`,
    `device_id=${CANARY.slowDevice}`,
    `device_id=x&z=${CANARY.ip}`,
  ]) {
    note('purge', await app.ask('DELETE', `/v1/evidence?${query}`));
  }
  return answers;
}

/** Every key, with its value and its type. */
async function dump(t: Test, url: string): Promise<readonly string[]> {
  const client = new Redis(url);
  t.teardown(() => client.disconnect());
  const keys = await client.keys('*');
  return Promise.all(
    keys.map(async (key) => {
      const isHash = (await client.type(key)) === 'hash';
      return `${key} ${isHash ? JSON.stringify(await client.hgetall(key)) : await client.get(key)}`;
    }),
  );
}

function assertClean(t: Test, text: string, where: string): void {
  const found = FORBIDDEN.filter((value) =>
    [value, encodeURIComponent(value), value.toUpperCase()].some((form) => text.includes(form)),
  );
  t.same(found, [], `${where} holds no identifier`);
}
