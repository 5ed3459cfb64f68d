import t, { type Test } from 'tap';
import { writeApiKeys } from '../../support/api-key-file.ts';
import { createDirectory, createTestApp, startEmulators, type TestApp } from '../../support/test-app.ts';

/** AuthZEN on decisions of ours: what is read of a question, and what is told of a decision. */
interface Answered {
  readonly decision?: boolean;
  readonly context?: {
    readonly decision_id?: string;
    readonly risk_decision?: string;
    readonly degraded?: boolean;
    readonly reason_admin?: Readonly<Record<string, string>>;
    readonly acr_values?: string;
    readonly max_age?: number;
    readonly error?: { readonly status: number; readonly message: string };
  };
  readonly evaluations?: readonly Answered[];
}

const emulators = await startEmulators(t);
const app = await createTestApp(t, { emulators });

async function ask(to: TestApp, url: string, body: unknown, key = 'test-key-decide') {
  const { statusCode, body: text } = await to.app.server.inject({
    method: 'POST',
    url: `/access/v1/${url}`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    payload: JSON.stringify(body),
  });
  return { status: statusCode, body: JSON.parse(text) as Answered, text };
}

const question = (telemetry: object, device = 'active') => ({
  subject: { type: 'user', id: 'acct_of_authzen' },
  action: { name: 'login' },
  resource: { type: 'device', id: device },
  ...telemetry,
});
const inContext = (telemetry_id: unknown) => question({ context: { telemetry_id } });

t.test('an ALLOW is true, and a BLOCK false, with its reasons for administrators', async (t) => {
  const { body: good } = await ask(app, 'evaluation', inContext('allow'));
  t.match(good, { decision: true, context: { risk_decision: 'ALLOW', degraded: false } });
  t.match(good.context?.decision_id, /^[0-9a-f-]{36}$/);
  t.notOk('reason_admin' in Object(good.context));
  const { body: bad } = await ask(app, 'evaluation', inContext('forged'));
  t.match(bad, { decision: false, context: { risk_decision: 'BLOCK' } });
  t.strictSame(bad.context?.reason_admin, {
    TELEMETRY_NOT_FOUND: 'BLOCK by the rule telemetry-not-found',
  });
  t.notOk('acr_values' in Object(bad.context));
});

t.test('a CHALLENGE is false with what a step-up must achieve', async (t) => {
  const rule = (more: string) => `rules:\n  - {id: r, when: 'true', verdict: CHALLENGE, reason: R${more}}\n`;
  const policy = `policy: p\ndescription: d\notherwise: ALLOW\n`;
  const named = await createTestApp(t, {
    emulators,
    policy: `${policy}acr_values: [low, high]\n${rule(', step_up: 30m, min_acr: low')}`,
  });
  const { body } = await ask(named, 'evaluation', inContext('allow'));
  const context = { risk_decision: 'CHALLENGE', acr_values: 'low high', max_age: 1800 };
  t.match(body, { decision: false, context });
  const any = await createTestApp(t, { emulators, policy: `${policy}${rule('')}` });
  const { body: bare } = await ask(any, 'evaluation', inContext('allow'));
  t.match(bare, { decision: false, context: { acr_values: '' } });
  t.notOk('max_age' in Object(bare.context));
});

t.test('the telemetry id is that of the subject, else of the resource, else of the context', async (t) => {
  const places = (subject: unknown, resource: unknown, context: unknown) => ({
    ...question({ context: { telemetry_id: context } }),
    subject: { type: 'user', id: 'acct_of_authzen', properties: { telemetry_id: subject } },
    resource: { type: 'device', id: 'active', properties: { telemetry_id: resource } },
  });
  const verdictOf = async (...ids: Parameters<typeof places>) =>
    (await ask(app, 'evaluation', places(...ids))).body.context?.risk_decision;
  t.equal(await verdictOf('allow', 'forged', 'forged'), 'ALLOW');
  t.equal(await verdictOf(null, 'allow', 'forged'), 'ALLOW');
  t.equal(await verdictOf('', undefined, 'allow'), 'ALLOW');
  t.equal(await verdictOf('forged', 'allow', 'allow'), 'BLOCK');
  t.equal(await verdictOf(undefined, undefined, undefined), 'BLOCK', 'no id is an unknown id');
  for (const wrong of [7, {}, ['allow'], true, 'x'.repeat(257)]) {
    const { status, body } = await ask(app, 'evaluation', places(wrong, 'allow', 'allow'));
    t.equal(status, 400);
    t.match(body, { errors: [{ pointer: '/subject/properties/telemetry_id' }] });
  }
});

t.test('an address that cannot be read is unknown, and not absent', async (t) => {
  const policy = `policy: p\ndescription: d\notherwise: ALLOW\nrules:\n  - {id: r, when: 'has(request.ip) && request.ip == "203.0.113.9"', verdict: BLOCK, reason: R}\n`;
  const strict = await createTestApp(t, { emulators, policy });
  const verdictOf = async (context: object) =>
    (await ask(strict, 'evaluation', question({ context }))).body.context?.risk_decision;
  t.equal(await verdictOf({ ip: '203.0.113.9' }), 'BLOCK');
  t.equal(await verdictOf({ ip: '203.0.113.8' }), 'ALLOW');
  t.equal(await verdictOf({}), 'ALLOW');
  for (const ip of ['nonsense', 7, { v4: '203.0.113.9' }]) t.equal(await verdictOf({ ip }), 'CHALLENGE');
  const { status } = await ask(strict, 'evaluation', question({ context: { user_agent: 7 } }));
  t.equal(status, 400);
});

t.test('an action that records cannot name is refused', async (t) => {
  const { status, body } = await ask(app, 'evaluation', { ...inContext('allow'), action: { name: 'a b' } });
  t.equal(status, 400);
  t.match(body, { errors: [{ pointer: '/action/name' }] });
});

t.test(
  'properties are unknown where they are more than rules may read, and with every other caller',
  async (t) => {
    const policy = `policy: p\ndescription: d\notherwise: ALLOW\nrules:\n  - {id: r, when: '"subject.roles=thief" in request.properties', verdict: BLOCK, reason: R}\n`;
    const strict = await createTestApp(t, { emulators, policy });
    const verdictOf = async (properties: object) => {
      const body = { ...question({}), subject: { type: 'user', id: 'a', properties } };
      return (await ask(strict, 'evaluation', body)).body.context?.risk_decision;
    };
    t.equal(await verdictOf({ roles: ['guest', 'thief'] }), 'BLOCK');
    t.equal(await verdictOf({ roles: ['guest'] }), 'ALLOW');
    t.equal(await verdictOf({}), 'ALLOW');
    t.equal(await verdictOf({ many: Array(65).fill('x') }), 'CHALLENGE');
    t.equal(await verdictOf({ long: 'x'.repeat(257) }), 'CHALLENGE');
    t.equal((await strict.decide({ telemetry_id: 'allow', device_id: 'active' })).json.decision, 'CHALLENGE');
  },
);

t.test('each evaluation is a decision with a record of its own', async (t) => {
  const evaluations = [{}, { resource: { type: 'device', id: 'unknown-device' } }];
  const { body } = await ask(app, 'evaluations', { ...inContext('allow'), evaluations });
  t.strictSame(
    body.evaluations?.map(({ decision }) => decision),
    [true, false],
  );
  for (const { context } of body.evaluations ?? []) {
    const { json } = await app.ask<{ entry_point: string; caller: string; action: string }>(
      'GET',
      `/v1/decisions/${context?.decision_id}`,
    );
    t.match(json, { entry_point: 'authzen', caller: 'decide', action: 'login' });
  }
});

async function openLimited(
  t: Test,
  limits: { requests?: number; window_seconds?: number; concurrent?: number },
) {
  const keys = writeApiKeys(createDirectory(t), [{ id: 'a', key: 'k', limits }]);
  return createTestApp(t, { emulators, env: { API_KEYS_FILE: keys } });
}

t.test('each evaluation counts as a request', async (t) => {
  const limited = await openLimited(t, { requests: 3, window_seconds: 60 });
  const body = { ...inContext('allow'), evaluations: [{}, {}, {}, {}, {}] };
  const { status, body: answer } = await ask(limited, 'evaluations', body, 'k');
  t.equal(status, 200);
  t.strictSame(
    answer.evaluations?.map(({ decision }) => decision),
    [true, true, true, false, false],
  );
  t.match(answer.evaluations?.[4]?.context, { error: { status: 429, message: 'Too many requests' } });
  t.equal((await ask(limited, 'evaluations', body, 'k')).status, 429);
});

t.test('a caller that may have one request under way has all evaluations of it answered', async (t) => {
  const limited = await openLimited(t, { concurrent: 1 });
  const body = { ...inContext('allow'), evaluations: [{}, {}, {}] };
  const { body: answer } = await ask(limited, 'evaluations', body, 'k');
  t.strictSame(
    answer.evaluations?.map(({ decision }) => decision),
    [true, true, true],
  );
});

t.test('what is refused is a problem of the one question, and a denial among several', async (t) => {
  const full = await createTestApp(t, {
    emulators,
    env: { MAX_IN_FLIGHT: '1', DECISION_DEADLINE_MS: '300' },
  });
  const evaluations = [0, 1, 2].map(() => ({ context: { telemetry_id: 'fault-hang' } }));
  const { status, body } = await ask(full, 'evaluations', { ...question({}), evaluations });
  t.equal(status, 200);
  t.strictSame(
    body.evaluations?.map(({ decision }) => decision),
    [false, false, false],
  );
  t.match(body.evaluations?.[0]?.context, { degraded: true });
  t.match(body.evaluations?.[1]?.context, { error: { status: 503 } });
});

t.test('without a public URL there are no metadata, and below a path they are there too', async (t) => {
  t.equal((await app.ask('GET', '/.well-known/authzen-configuration')).status, 404);
  const below = await createTestApp(t, { emulators, env: { PUBLIC_URL: 'https://example.com/risk' } });
  for (const path of ['', '/risk']) {
    const { json } = await below.ask<object>('GET', `/.well-known/authzen-configuration${path}`);
    t.match(json, { access_evaluation_endpoint: 'https://example.com/risk/access/v1/evaluation' });
  }
});

t.test('no log line has an id of a question', async (t) => {
  t.notMatch(app.logText(), /acct_of_authzen|forged/);
});
