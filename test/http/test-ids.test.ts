import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { createDirectory, createTestApp, startEmulators, type TestApp } from '../support/test-app.ts';

const emulators = await startEmulators(t);
const PROFILES = `profiles:
  shop:
    caller: { api_key_header: x-riskgate-key }
    telemetry_id: [{ header: x-telemetry-id }]
    device_id: [{ header: x-device-id }]
`;

async function open(t: Test, env: Readonly<Record<string, string>> = { TEST_IDS: 'on' }): Promise<TestApp> {
  const apiKeys = writeApiKeys(createDirectory(t), [
    { id: 'shop', key: 'real' },
    { id: 'shop', key: 'test', scopes: ['test'] },
    { id: 'reader', key: 'read', scopes: ['read'] },
  ]);
  return createTestApp(t, { emulators, env: { API_KEYS_FILE: apiKeys, ...env } });
}

const about = (telemetry_id: string) => ({ telemetry_id, device_id: 'active' });
const TEST_IDS = ['test_allow', 'test_challenge', 'test_block', 'test_degraded', 'test_slow_1'];

t.test('a test key gets the answers to test ids, marked as such', async (t) => {
  const app = await open(t);
  emulators.resetCallCounts();
  const verdicts: unknown[] = [];
  for (const id of TEST_IDS) {
    const { status, json } = await app.decide(about(id), { key: 'test' });
    t.match({ status, json }, { status: 200, json: { mode: 'test' } });
    verdicts.push([json.decision, json.degraded]);
  }
  t.strictSame(verdicts, [
    ['ALLOW', false],
    ['CHALLENGE', false],
    ['BLOCK', false],
    ['CHALLENGE', true],
    ['ALLOW', false],
  ]);
  const items = TEST_IDS.map(about);
  const batch = await app.decide({ items }, { key: 'test', url: '/v1/decide/batch' });
  t.match(batch.json, { items: TEST_IDS.map(() => ({ status: 200, answer: { mode: 'test' } })) });
  t.same(emulators.callCounts(), { stytch: 0, mobilerun: 0, prefactor: 0 });
});

t.test('nothing is recorded, counted or bound', async (t) => {
  const app = await open(t);
  const counted = async () =>
    (await app.ask('GET', '/metrics', { key: 'real' })).text
      .split('\n')
      .filter((line) => /^riskgate_(decision|custody|provider_calls)/.test(line));
  const before = await counted();
  for (const id of TEST_IDS) await app.decide({ ...about(id), account_id: 'account' }, { key: 'test' });
  t.strictSame(await counted(), before);
  t.notOk(app.events().includes('decision.made'));
  const { json } = await app.ask('GET', '/v1/decisions', { key: 'real' });
  t.match(json, { decisions: [] });
  const real = await app.decide({ telemetry_id: 'test_allow', device_id: 'minimal' }, { key: 'real' });
  t.notOk(
    real.json.reasons.some(({ code }) => code === 'TELEMETRY_REPLAYED'),
    'bound to nobody before',
  );
});

t.test('to any other key a test id is an id that nobody knows', async (t) => {
  const app = await open(t);
  for (const id of TEST_IDS) {
    const { json } = await app.decide(about(id), { key: 'real' });
    t.equal(json.decision, 'BLOCK');
    t.notOk('mode' in json);
    t.match(json, { reasons: [{ code: 'TELEMETRY_NOT_FOUND' }] });
  }
  t.equal((await app.decide(about('test_allow'), { key: 'read' })).status, 403);
});

t.test('a test key lets nobody in, and does nothing else', async (t) => {
  const app = await open(t);
  emulators.resetCallCounts();
  t.match((await app.decide(about('allow'), { key: 'test' })).json, { decision: 'BLOCK', mode: 'test' });
  t.same(emulators.callCounts(), { stytch: 0, mobilerun: 0, prefactor: 0 });
  for (const url of ['/v1/policy', '/v1/decisions', '/v1/stats', '/v1/metrics'])
    t.equal((await app.ask('GET', url, { key: 'test' })).status, 403, url);
  for (const url of ['/v1/step-ups', '/v1/events', '/v1/decide?explain=full'])
    t.equal((await app.decide(about('test_allow'), { key: 'test', url })).status, 403, url);
});

t.test('unless switched on, a test key may do nothing', async (t) => {
  const app = await open(t, {});
  const { status, json } = await app.refused(about('test_allow'), { key: 'test' });
  t.match({ status, json }, { status: 403, json: { detail: 'The API key needs the scope "decide".' } });
});

t.test('a stored answer to a test is not given to a real request of the same caller', async (t) => {
  const app = await open(t);
  const headers = { 'idempotency-key': '"same"' };
  t.equal((await app.decide(about('test_allow'), { key: 'test', headers })).json.decision, 'ALLOW');
  t.equal(
    (await app.decide(about('test_allow'), { key: 'test', headers })).headers['idempotency-replayed'],
    'true',
  );
  t.equal((await app.decide(about('test_allow'), { key: 'real', headers })).status, 422);
});

t.test('at a gateway a test id opens nothing, and a test key neither', async (t) => {
  const directory = createDirectory(t);
  const file = `${directory}/profiles.yaml`;
  writeFileSync(file, PROFILES);
  const app = await open(t, { TEST_IDS: 'on', GATEWAY_PROFILES_FILE: file });
  const ask = async (key: string, telemetry: string) =>
    app.ask('GET', '/v1/gateway/nginx/shop', {
      key: null,
      headers: {
        'x-riskgate-key': key,
        'x-telemetry-id': telemetry,
        'x-device-id': 'active',
        'x-original-method': 'GET',
        'x-original-uri': '/',
      },
    });
  t.equal((await ask('real', 'allow')).status, 200, 'the door opens at all');
  for (const id of TEST_IDS) {
    t.ok((await ask('real', id)).status >= 400, id);
    t.ok((await ask('test', id)).status >= 400, id);
  }
});

t.test('a key file in which test does not stand alone is refused', async (t) => {
  const apiKeys = writeApiKeys(createDirectory(t), [{ id: 'a', key: 'k', scopes: ['decide', 'test'] }]);
  await t.rejects(createTestApp(t, { emulators, env: { API_KEYS_FILE: apiKeys } }), /test stands alone/);
});
