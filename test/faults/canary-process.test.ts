import { hash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import t from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { assertClean, FORBIDDEN, IDS, MARK } from '../support/canaries.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createServiceEnvironment, startService } from '../support/start-service.ts';
import { createDirectory, portOf, startEmulators, until } from '../support/test-app.ts';

const ADDRESS = '203.0.113.97';
const LIST_PATHS = ['', '/watched/entries', '/watched/export', '/watched/export?format=csv'].map(
  (path) => `/v1/lists${path}`,
);

t.test('would find an identifier in any spelling', async (t) => {
  const [id = ''] = IDS;
  for (const leaked of [
    `key:${id}`,
    id.toUpperCase(),
    Buffer.from(`{"telemetry_id":"${MARK}"}`).toString('base64'),
    Buffer.from(`x${MARK}y`).toString('hex'),
    `sha256:${hash('sha256', id)}`,
    encodeURIComponent(`/${MARK}/`),
  ])
    t.ok(
      [...FORBIDDEN].some((form) => leaked.toLowerCase().includes(form)),
      leaked,
    );
});

t.test('keeps identifiers out of output, Redis and its traffic, metrics, traces and answers', async (t) => {
  const emulators = await startEmulators(t);
  const receiver = await startOtlpReceiver(t);
  const redis = await startRedisServer(t);
  const key = `the-api-key-${MARK}`;
  const keys = [
    { id: 'limited', key, limits: { requests: 100_000, window_seconds: 60, concurrent: 50 } },
    { id: 'narrow', key: `${key}-2`, limits: { requests: 1, window_seconds: 60 } },
  ];
  const service = await startService(t, {
    ...createServiceEnvironment(t, `http://127.0.0.1:${portOf(emulators.app.server.address())}`),
    API_KEYS_FILE: writeApiKeys(createDirectory(t), keys),
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '2000',
    DECISION_DEADLINE_MS: '10000',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    LOG_LEVEL: 'trace',
    LOG_DECISIONS: 'on',
  });
  const answers: string[] = [];
  const ask = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
    const response = await fetch(`${service.origin}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    answers.push(`${response.status} ${JSON.stringify([...response.headers])} ${text}`);
    return { status: response.status, text };
  };
  const json = {
    'x-api-key': key,
    'content-type': 'application/json',
    'user-agent': `agent ${MARK}`,
    'x-forwarded-for': MARK,
  };

  const useLists = async (id: string) => {
    const watched = '/v1/lists/watched';
    for (const field of [
      'device_id',
      'account_id',
      'telemetry_id',
      'visitor',
      'ip',
      'country',
      'hash_key',
      'more',
    ])
      await ask('PUT', `${watched}/entries`, json, JSON.stringify({ [field]: id }));
    await ask('PUT', `${watched}/entries`, json, JSON.stringify({ ip: ADDRESS, expires_at: id }));
    await ask('PUT', `${watched}/entries`, json, JSON.stringify({ device_id: `#${id}` }));
    const path = encodeURIComponent(id.toWellFormed());
    await ask('PUT', `/v1/lists/${path}/entries`, json, JSON.stringify({ device_id: id }));
    await ask('DELETE', `${watched}/entries/${path}`, { 'x-api-key': key });
    const csv = { ...json, 'content-type': 'text/csv' };
    await ask('POST', `${watched}/import`, csv, `device_id,ip\n"${id}",\n${id},${id}\n"${id}\n`);
    await ask('POST', `${watched}/import`, csv, `${id},device_id\n1,2\n`);
    const lines = [{ account_id: id }, { account_id: [id] }, { [id]: id }].map((row) => JSON.stringify(row));
    const ndjson = { ...json, 'content-type': 'application/x-ndjson' };
    await ask('POST', `${watched}/import`, ndjson, [...lines, id, `{"ip":"${id}`].join('\n'));
  };

  const useEverything = async () => {
    await ask('PUT', '/v1/lists/watched/entries', json, JSON.stringify({ device_id: MARK, note: MARK }));
    for (const id of IDS) {
      const body = JSON.stringify({
        telemetry_id: id,
        device_id: id,
        account_id: id,
        user_agent: id,
        ip: ADDRESS,
        action: 'login',
      });
      const retried = { ...json, 'idempotency-key': `"${MARK}-${randomUUID()}"` };
      await ask('POST', '/v1/decide?explain=full', json, body);
      await ask('POST', '/v1/decide', retried, body);
      await ask('POST', '/v1/decide', retried, body);
      await ask('POST', '/v1/decide', retried, JSON.stringify({ telemetry_id: id }));
      await ask(
        'POST',
        '/v1/decide',
        json,
        JSON.stringify({ telemetry_id: id, device_id: `other ${id}`, account_id: `other ${id}` }),
      );
      await ask(
        'POST',
        '/v1/decide',
        json,
        JSON.stringify({
          telemetry_id: [id],
          ip: id,
          action: id,
          deadline_ms: id,
          device_ids: { mobilerun: 1 },
        }),
      );
      await ask('POST', '/v1/decide', json, `${body}${body}`);
      await ask('POST', '/v1/decide', json, body.replace('"device_id"', '"telemetry_id"'));
      await ask('POST', '/v1/decide', { ...json, 'x-api-key': `${key}-2` }, body);
      await ask('POST', '/v1/decide', { ...json, 'x-api-key': `wrong ${MARK}` }, body);
      await ask('POST', '/v1/decide', { ...json, 'content-type': `text/${MARK}` }, body);
      await ask('POST', '/v1/decide', { ...json, traceparent: MARK, 'x-request-deadline': MARK }, body);
      const told = { event_id: `event ${id}`, device_id: id, account_id: id, ip: ADDRESS, telemetry_id: id };
      const events = [
        { ...told, event: 'login_failed' },
        { ...told, event: id },
      ];
      await ask('POST', '/v1/events', json, JSON.stringify({ events: events.slice(0, 1) }));
      await ask('POST', '/v1/events', json, JSON.stringify({ events }));
      const stepUp = { telemetry_id: id, device_id: id, account_id: id, method: 'otp', acr: 'high' };
      await ask('POST', '/v1/step-ups', json, JSON.stringify(stepUp));
      await ask('POST', '/v1/step-ups', json, JSON.stringify({ ...stepUp, method: id, acr: id }));
      await useLists(id);
      const query = `telemetry_id=${encodeURIComponent(id.toWellFormed())}`;
      await ask('DELETE', `/v1/evidence?${query}`, { 'x-api-key': key });
      await ask('DELETE', `/v1/evidence?${query}&${query}`, { 'x-api-key': key });
      await ask('GET', `/v1/${encodeURIComponent(id.toWellFormed())}?${query}`, json);
    }
    for (const path of [
      '/metrics',
      '/readyz',
      '/livez',
      '/version',
      '/v1/policy',
      '/openapi.json',
      ...LIST_PATHS,
    ])
      await ask('GET', path, json);
  };

  const client = new Redis(redis.url);
  // It is lost on purpose.
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  await until('the service uses Redis', async () =>
    (await ask('GET', '/readyz', json)).text.includes('"redis":"up"'),
  );
  const traffic = await redis.monitor(async () => {
    await useEverything();
    await until('keys of each kind are there', async () => {
      const stored = (await client.keys('*')).join();
      return (
        /:custody:/.test(stored) &&
        /:\{lists\}:entries/.test(stored) &&
        /:evidence:/.test(stored) &&
        /:idempotency:/.test(stored) &&
        /:activity-\d+:\{..\}a/.test(stored) &&
        /:activity-\d+:\{..\}i/.test(stored) &&
        /:activity-\d+:\{..\}v/.test(stored) &&
        /:activity-event:/.test(stored) &&
        /:(rate|requests|window)/.test(stored)
      );
    });
  });
  const kept = await dump(client);
  assertClean(t, kept, 'Redis');
  assertClean(t, traffic, 'the traffic with Redis');
  t.match(traffic, /:step-ups:/, 'which a purge ends');
  await redis.stop();
  await useEverything();
  service.child.kill('SIGTERM');
  const { code, stdout, stderr } = await service.ended;
  t.equal(code, 0);
  t.equal(stderr, '');
  t.match(stdout, /"event":"decision\.made"/);
  t.match(stdout, /"event":"redis\.down"/);
  assertClean(t, stdout, 'the output');
  for (const text of [kept, traffic, stdout, receiver.text()])
    t.notOk(text.includes(ADDRESS), 'the address is nowhere either');
  t.ok(receiver.spans().length > 100);
  assertClean(t, receiver.text(), 'the traces');
  for (const status of [200, 400, 401, 404, 415, 422, 429, 503])
    t.ok(
      answers.some((answer) => answer.startsWith(`${status} `)),
      `there was a ${status}`,
    );
  assertClean(t, answers.join('\n'), 'the answers');
});

/** Every key with its value, whatever its type. */
async function dump(client: Redis): Promise<string> {
  const lines: string[] = [];
  for (const key of await client.keys('*')) {
    const type = await client.type(key);
    const bytes = type === 'string' ? await client.getBuffer(key) : null;
    const value = type === 'hash' ? JSON.stringify(await client.hgetall(key)) : bytes?.toString('latin1');
    lines.push(`${key} ${type} ${value}`);
  }
  return lines.join('\n');
}
