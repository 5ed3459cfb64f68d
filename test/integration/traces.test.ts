import t from 'tap';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { runProgram } from '../support/start-program.ts';
import { askForDecision, createServiceEnvironment, startService } from '../support/start-service.ts';
import {
  createTestApp,
  portOf,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active' };
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE_ID}-${PARENT_ID}-01`;

/** Values of a caller, each of which occurs nowhere else. */
const CANARY = {
  telemetry_id: 'canary-telemetry-5c0e',
  device_id: 'canary-device-77aa',
  account_id: 'canary-account-19fd',
  ip: '203.0.113.97',
  user_agent: 'CanaryBrowser/77.1',
} as const;

const emulators = await startEmulators(t);
/** The `traceparent` headers that the upstreams have got. */
const received: (string | undefined)[] = [];
emulators.app.server.prependListener('request', ({ headers }) => {
  received.push(typeof headers['traceparent'] === 'string' ? headers['traceparent'] : undefined);
});
t.beforeEach(() => {
  received.length = 0;
});

/** The spans of one decision with its children, after the app that made them has been closed. */
async function closeAndRead(app: TestApp, receiver: OtlpReceiver): Promise<readonly ReceivedSpan[]> {
  await app.close();
  return receiver.spans();
}

function named(spans: readonly ReceivedSpan[], name: string): readonly ReceivedSpan[] {
  return spans.filter((span) => span.name === name);
}

t.test('traces a decision as a tree: reads of the cache, calls, the policy', async (t) => {
  const receiver = await startOtlpReceiver(t);
  const app = await createTestApp(t, { emulators, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint } });
  const { json } = await app.decide(GOOD);
  t.equal(json.decision, 'ALLOW');
  const spans = await closeAndRead(app, receiver);
  const [root, ...others] = named(spans, 'decide');
  t.equal(others.length, 0);
  t.equal(root?.kind, 2);
  t.notOk(root?.parentSpanId);
  t.same(root?.attributes, {
    'riskgate.decision': 'ALLOW',
    'riskgate.degraded': false,
    'riskgate.reason_codes': [],
    'riskgate.stytch.outcome': 'ok',
    'riskgate.stytch.cache': 'miss',
    'riskgate.mobilerun.outcome': 'ok',
    'riskgate.mobilerun.cache': 'miss',
    'riskgate.prefactor.outcome': 'ok',
    'riskgate.prefactor.cache': 'miss',
  });
  const children = spans.filter((span) => span !== root);
  t.equal(children.length, 7);
  t.ok(
    children.every(({ parentSpanId, traceId }) => parentSpanId === root?.spanId && traceId === root?.traceId),
  );
  t.same(
    named(spans, 'cache.read').map(({ attributes }) => attributes),
    ['stytch', 'mobilerun', 'prefactor'].map((id) => ({
      'riskgate.provider': id,
      'riskgate.cache.level': 'none',
    })),
  );
  const calls = named(spans, 'provider.call');
  t.same(calls.map(({ attributes }) => String(attributes['riskgate.provider'])).sort(), [
    'mobilerun',
    'prefactor',
    'stytch',
  ]);
  t.ok(calls.every(({ kind, attributes }) => kind === 3 && attributes['riskgate.outcome'] === 'ok'));
  const [policy] = named(spans, 'policy.evaluate');
  t.same(policy?.attributes, { 'riskgate.policy.hash': json.policy.hash, 'riskgate.decision': 'ALLOW' });
  t.match(receiver.resource(), { 'service.name': 'riskgate', 'service.version': '0.0.0-test' });
});

t.test("joins the caller's trace, and sends each upstream its own call", async (t) => {
  const receiver = await startOtlpReceiver(t);
  const app = await createTestApp(t, { emulators, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint } });
  await app.decide(GOOD, { headers: { traceparent: SAMPLED, tracestate: 'vendor=canary-state' } });
  const spans = await closeAndRead(app, receiver);
  const [root] = named(spans, 'decide');
  t.match(root, { traceId: TRACE_ID, parentSpanId: PARENT_ID });
  const calls = named(spans, 'provider.call').map(({ spanId }) => `00-${TRACE_ID}-${spanId}-01`);
  t.equal(calls.length, 3);
  t.same(new Set(received), new Set(calls));
});

t.test('begins a trace of its own where the header is none', async (t) => {
  const receiver = await startOtlpReceiver(t);
  const app = await createTestApp(t, { emulators, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint } });
  const bad = [
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${PARENT_ID}-01`,
    `ff-${TRACE_ID}-${PARENT_ID}-01`,
    `${SAMPLED}-x`,
  ];
  for (const traceparent of bad) {
    t.equal((await app.decide(GOOD, { headers: { traceparent } })).status, 200, traceparent);
  }
  const roots = named(await closeAndRead(app, receiver), 'decide');
  t.equal(roots.length, bad.length);
  t.ok(roots.every(({ traceId, parentSpanId }) => traceId !== TRACE_ID && !parentSpanId));
  t.equal(new Set(roots.map(({ traceId }) => traceId)).size, bad.length);
});

t.test('records nothing of a trace that the caller does not record, and still passes it on', async (t) => {
  const receiver = await startOtlpReceiver(t);
  const app = await createTestApp(t, { emulators, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint } });
  await app.decide(GOOD, { headers: { traceparent: `00-${TRACE_ID}-${PARENT_ID}-00` } });
  t.equal((await closeAndRead(app, receiver)).length, 0);
  t.equal(received.length, 3);
  t.ok(received.every((header) => header?.startsWith(`00-${TRACE_ID}-`) && header.endsWith('-00')));
});

t.test('records the configured share of the traces that begin here', async (t) => {
  const receiver = await startOtlpReceiver(t);
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  };
  const app = await createTestApp(t, { emulators, env });
  await app.decide(GOOD);
  await app.decide(GOOD, { headers: { traceparent: SAMPLED } });
  const roots = named(await closeAndRead(app, receiver), 'decide');
  t.same(
    roots.map(({ traceId }) => traceId),
    [TRACE_ID],
  );
});

t.test('says at which level evidence was found, and which calls failed', async (t) => {
  const receiver = await startOtlpReceiver(t);
  const redis = await startRedisServer(t);
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    REDIS_URL: redis.url,
    CACHE_LOCAL_TTL_SECONDS: '0',
  };
  const app = await createTestApp(t, { emulators, env });
  await untilRedisIsUp(app);
  await app.decide(GOOD);
  await until('evidence comes from Redis', async () => {
    const { json } = await app.decide(GOOD);
    return Object.values(json.providers).every(({ cache }) => cache === 'hit');
  });
  await app.decide({ telemetry_id: 'error-500-internal_server_error', device_id: 'active' });
  const spans = await closeAndRead(app, receiver);
  const levels = named(spans, 'cache.read').map(({ attributes }) => attributes['riskgate.cache.level']);
  t.ok(levels.filter((level) => level === 'redis').length >= 3);
  const failed = named(spans, 'provider.call').filter(({ status }) => status.code === 2);
  t.match(failed, [{ attributes: { 'riskgate.provider': 'stytch', 'riskgate.outcome': 'unavailable' } }]);
});

t.test('exports no identifier', async (t) => {
  const receiver = await startOtlpReceiver(t);
  const app = await createTestApp(t, { emulators, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint } });
  const headers = { 'x-request-id': 'canary-request-id', 'user-agent': CANARY.user_agent };
  await app.decide(CANARY, { headers });
  await app.decide(
    { ...CANARY, telemetry_id: 'fault-flaky-9-canary', device_id: 'fault-wrong-subject' },
    { headers },
  );
  await app.decide(GOOD, { headers });
  await app.decide({ telemetry_id: 'rule-match', device_id: 'revoked' }, { headers });
  t.ok((await closeAndRead(app, receiver)).length > 20, 'there was something to look at');
  for (const value of [
    ...Object.values(CANARY),
    'canary',
    'test-key',
    'rule-match',
    '490154203237518',
    '61491570006',
  ]) {
    t.notOk(receiver.text().includes(value), value);
  }
});

t.test('decides, and closes, while the collector is broken or silent', async (t) => {
  for (const status of [400, 0]) {
    const receiver = await startOtlpReceiver(t);
    receiver.answerWith(status);
    const app = await createTestApp(t, {
      emulators,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    });
    t.equal((await app.decide(GOOD)).status, 200);
    await app.close();
    t.ok(receiver.text().length > 0, 'it was tried');
    if (status === 400)
      t.match(
        app.logs.find(({ event }) => event === 'traces.failed'),
        { code: '400' },
      );
  }
});

t.test('sends no header and traces nothing without a collector', async (t) => {
  const app = await createTestApp(t, { emulators });
  await app.decide(GOOD, { headers: { traceparent: SAMPLED } });
  t.same(received, [undefined, undefined, undefined]);
});

t.test(
  'the process loads the exporter only with a collector, and flushes when it is told to end',
  async (t) => {
    const receiver = await startOtlpReceiver(t);
    const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
    const env = createServiceEnvironment(t, origin);
    const service = await startService(t, { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    t.equal((await askForDecision(service.origin, GOOD)).status, 200);
    service.child.kill('SIGTERM');
    t.match(await service.ended, { code: 0, stderr: '' });
    t.equal(named(receiver.spans(), 'decide').length, 1);
  },
);

t.test('loads OpenTelemetry only where there is a collector', async (t) => {
  const load = async (endpoint: string | null): Promise<readonly string[]> => {
    const script = `
      await import('./src/app/app.ts');
      const { startTracer } = await import('./src/observers/start-tracer.ts');
      const url = ${JSON.stringify(endpoint)};
      const sampler = { isParentBased: true, share: 1 };
      const proxy = { http: null, https: null, except: null };
      await startTracer({ traces: url === null ? null : { url, sampler }, proxy }, '0', {});
      const { default: Module } = await import('node:module');
      console.log(Object.keys(Module._cache).join('\\n'));`;
    const { stdout, stderr } = await runProgram(t, [process.execPath, '--input-type=module', '-e', script]);
    t.equal(stderr, '');
    return [...new Set([...stdout.matchAll(/@opentelemetry\/([^/]+)/g)].map(([, name]) => name ?? ''))];
  };
  t.ok((await load('http://127.0.0.1:9')).includes('sdk-trace'));
  t.same(await load(null), []);
});
