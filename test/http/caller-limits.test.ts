import { request } from 'node:http';
import t, { type Test } from 'tap';
import { type ApiKeyEntry, writeApiKeys } from '../support/api-key-file.ts';
import {
  createDirectory,
  createManualClock,
  createTestApp,
  startEmulators,
  type TestAppOptions,
  until,
} from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active' };
const HANGING = { telemetry_id: 'fault-hang', device_ids: {} };
const emulators = await startEmulators(t);

async function open(t: Test, entries: readonly ApiKeyEntry[], options: TestAppOptions = {}) {
  const directory = createDirectory(t);
  const app = await createTestApp(t, {
    emulators,
    ...options,
    env: { API_KEYS_FILE: writeApiKeys(directory, entries), DECISION_DEADLINE_MS: '300', ...options.env },
  });
  return { app, directory };
}

t.test('counts requests in a window, says how many are left, and refuses the rest', async (t) => {
  const clock = createManualClock();
  const limits = { requests: 3, window_seconds: 60 };
  const { app } = await open(t, [{ id: 'a', key: 'first', limits }], { clock });
  const ask = () => app.refused(GOOD, { key: 'first' });
  for (const left of [2, 1, 0]) {
    const { status, headers } = await ask();
    t.equal(status, 200);
    t.equal(headers['ratelimit-policy'], '"default";q=3;w=60');
    t.equal(headers['ratelimit'], `"default";r=${left};t=60`);
    t.equal(headers['retry-after'], undefined);
  }
  clock.advance(20_500);
  const { status, headers, json } = await ask();
  t.equal(status, 429);
  t.match(headers['content-type'], /^application\/problem\+json/);
  t.match(json, { status: 429, code: 'rate_limited', title: 'Too many requests' });
  t.equal(json.request_id, headers['x-request-id']);
  t.equal(headers['ratelimit-policy'], '"default";q=3;w=60');
  t.equal(headers['ratelimit'], '"default";r=0;t=40');
  t.equal(headers['retry-after'], '40');
  clock.advance(39_500);
  t.equal((await ask()).status, 200, 'the next window');
});

t.test('counts every route, and what is refused for its body too', async (t) => {
  const { app } = await open(t, [{ id: 'a', key: 'k', limits: { requests: 3, window_seconds: 60 } }]);
  t.equal((await app.ask('GET', '/v1/policy', { key: 'k' })).status, 200);
  t.equal((await app.refused({ nonsense: 1 }, { key: 'k' })).status, 400);
  t.equal((await app.ask('DELETE', '/v1/evidence?device_id=x', { key: 'k' })).status, 200);
  t.equal((await app.ask('GET', '/v1/policy', { key: 'k' })).status, 429);
  t.equal((await app.ask('GET', '/livez', { key: 'k' })).status, 200, 'health is open');
});

t.test('shares the count between the keys of one caller, and with nobody else', async (t) => {
  const limits = { requests: 2, window_seconds: 60 };
  const { app } = await open(t, [
    { id: 'a', key: 'old', limits },
    { id: 'a', key: 'new', limits },
    { id: 'b', key: 'other', limits },
  ]);
  t.equal((await app.decide(GOOD, { key: 'old' })).status, 200);
  t.equal((await app.decide(GOOD, { key: 'new' })).status, 200);
  t.equal((await app.decide(GOOD, { key: 'new' })).status, 429);
  t.equal((await app.decide(GOOD, { key: 'old' })).status, 429);
  t.equal((await app.decide(GOOD, { key: 'other' })).status, 200);
});

t.test('neither limits a key without limits nor says a word of limits to it', async (t) => {
  const { app } = await open(t, [{ id: 'a', key: 'k' }]);
  for (let count = 0; count < 300; count += 1) {
    const { status, headers } = await app.decide(GOOD, { key: 'k' });
    if (status !== 200 || 'ratelimit' in headers || 'ratelimit-policy' in headers) t.fail(`request ${count}`);
  }
});

t.test(
  'refuses one request too many at the same time, and takes the next when one is answered',
  async (t) => {
    const { app } = await open(t, [{ id: 'a', key: 'k', limits: { concurrent: 2 } }]);
    const held = [app.decide(HANGING, { key: 'k' }), app.decide(HANGING, { key: 'k' })];
    const { status, headers, json } = await app.refused(GOOD, { key: 'k' });
    t.equal(status, 429);
    t.equal(json.code, 'rate_limited');
    t.equal(headers['ratelimit-policy'], '"concurrency";q=2;qu="concurrent-requests"');
    t.equal(headers['ratelimit'], '"concurrency";r=0');
    t.equal(headers['retry-after'], '1');
    for (const answer of await Promise.all(held)) t.match(answer, { status: 200, json: { degraded: true } });
    t.equal((await app.decide(GOOD, { key: 'k' })).status, 200);
    t.match(
      app.logs.find(({ event }) => event === 'request.refused'),
      { reason: 'concurrency', caller: 'a', count: 1 },
    );
  },
);

t.test('gives the place of a client back that went away', async (t) => {
  const { app } = await open(t, [{ id: 'a', key: 'k', limits: { concurrent: 1 } }], {
    env: { DECISION_DEADLINE_MS: '10000', STYTCH_TIMEOUT_MS: '10000' },
  });
  const port = await app.listen();
  emulators.resetCallCounts();
  const client = request({
    port,
    method: 'POST',
    path: '/v1/decide',
    headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
  });
  client.on('error', () => {});
  client.end(JSON.stringify(HANGING));
  await until('the request is under way', () => emulators.callCounts()['stytch'] === 1);
  t.equal((await app.decide(GOOD, { key: 'k' })).status, 429);
  client.destroy();
  await until('its place is free', async () => (await app.decide(GOOD, { key: 'k' })).status === 200);
});

t.test('follows limits that change in the file', async (t) => {
  const { app, directory } = await open(t, [{ id: 'a', key: 'k' }]);
  t.equal((await app.decide(GOOD, { key: 'k' })).headers['ratelimit-policy'], undefined);
  writeApiKeys(directory, [{ id: 'a', key: 'k', limits: { requests: 1000, window_seconds: 1 } }]);
  await until(
    'the limit is in force',
    async () => (await app.decide(GOOD, { key: 'k' })).headers['ratelimit-policy'] === '"default";q=1000;w=1',
  );
});

t.test('takes a key until it ends, and says that it has ended', async (t) => {
  const clock = createManualClock(Date.parse('2027-01-30T23:59:59Z'));
  const { app } = await open(
    t,
    [
      { id: 'a', key: 'old', not_after: '2027-01-31T00:00:00Z' },
      { id: 'a', key: 'new' },
    ],
    { clock },
  );
  t.equal((await app.decide(GOOD, { key: 'old' })).status, 200);
  clock.advance(1000);
  const { status, json, text } = await app.refused(GOOD, { key: 'old' });
  t.equal(status, 401);
  t.equal(json.code, 'unauthenticated');
  t.match(text, 'The API key has expired.');
  t.equal((await app.decide(GOOD, { key: 'new' })).status, 200);
});
