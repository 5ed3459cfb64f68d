import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { ROOT } from '../../support/start-program.ts';
import { createTestApp } from '../../support/test-app.ts';

/** The modules of the Basic, Batch and Discovery plans, on the fixture that they are run with. */
const PDP = 'https://pdp.example.com';
const app = await createTestApp(t, {
  policy: readFileSync(`${ROOT}/policies/authzen/certification.yaml`, 'utf8'),
  env: { PUBLIC_URL: `${PDP}/` },
});

interface Answered {
  readonly decision?: unknown;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly evaluations?: readonly Answered[];
}

const ONE = '/access/v1/evaluation';
const MANY = '/access/v1/evaluations';

async function ask(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await app.app.server.inject({
    method: 'POST',
    url,
    headers: {
      authorization: 'Bearer test-key-decide',
      'content-type': 'application/json',
      ...headers,
    },
    payload,
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<Answered>() };
}

const user = (id: string, properties?: object) => ({ type: 'user', id, ...(properties && { properties }) });
const record = (id: string, status?: string) => ({
  type: 'record',
  id,
  ...(status !== undefined && { properties: { status } }),
});
const action = (name: string, properties?: object) => ({ name, ...(properties && { properties }) });
const ALICE = user('alice');
const BOB = user('bob');
const ADMIN = user('bob', { role: 'admin' });
const READ = action('read');
const WRITE = action('write');
const FIRST = record('record-1');
const ALICE_READS = { subject: ALICE, action: READ, resource: FIRST };

async function decides(t: Test, body: object, decision: boolean) {
  const { status, headers, body: answer } = await ask(ONE, body);
  t.equal(status, 200);
  t.match(headers['content-type'], /^application\/json/);
  t.equal(answer.decision, decision);
}

t.test('the eight decisions', async (t) => {
  await decides(t, ALICE_READS, true);
  await decides(t, { subject: ALICE, action: WRITE, resource: FIRST }, true);
  await decides(t, { subject: BOB, action: READ, resource: FIRST }, true);
  await decides(t, { subject: BOB, action: WRITE, resource: FIRST }, false);
  const archived = record('record-2', 'archived');
  await decides(t, { subject: ALICE, action: WRITE, resource: archived }, false);
  await decides(t, { subject: ADMIN, action: WRITE, resource: archived }, true);
  await decides(t, { subject: ALICE, action: action('delete', { soft: true }), resource: FIRST }, true);
  await decides(t, { subject: ALICE, action: action('delete', { soft: false }), resource: FIRST }, false);
});

t.test('context, more properties and unknown fields change nothing', async (t) => {
  const context = { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' };
  await decides(t, { ...ALICE_READS, context }, true);
  const more = {
    subject: user('alice', { department: 'Sales', role: 'manager' }),
    action: action('read', { method: 'GET' }),
    resource: { ...FIRST, properties: { status: 'active', owner: 'bob' } },
  };
  await decides(t, more, true);
  await decides(t, { ...ALICE_READS, foo: 'bar', futureField: { nested: true } }, true);
  const inside = { ...ALICE_READS, subject: { ...ALICE, foo: 1 }, resource: { ...FIRST, bar: [2] } };
  await decides(t, { ...inside, action: { ...READ, baz: null } }, true);
});

t.test('what is missing, or of another type, is a 400', async (t) => {
  const { subject, action, resource } = ALICE_READS;
  const bodies: readonly unknown[] = [
    { action, resource },
    { subject, resource },
    { subject, action },
    { ...ALICE_READS, subject: { id: 'alice' } },
    { ...ALICE_READS, subject: { type: 'user' } },
    { ...ALICE_READS, action: {} },
    { ...ALICE_READS, resource: { id: 'record-1' } },
    { ...ALICE_READS, resource: { type: 'record' } },
    { ...ALICE_READS, subject: 'alice' },
    { ...ALICE_READS, action: { name: 123 } },
    { ...ALICE_READS, subject: { ...ALICE, properties: 'admin' } },
    { ...ALICE_READS, context: [] },
    [],
    'null',
    '{"subject":',
    '',
  ];
  for (const body of bodies) {
    t.equal((await ask(ONE, body)).status, 400, JSON.stringify(body));
    t.equal((await ask(MANY, body)).status, 400, `several: ${JSON.stringify(body)}`);
  }
  for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'nonsense']) {
    const { status, body } = await ask(ONE, ALICE_READS, { 'content-type': type });
    t.equal(status, 400, type);
    t.match(body, { code: 'invalid_request', detail: /Content-Type/ });
  }
});

t.test('the id of a request is repeated, and one without is answered', async (t) => {
  for (const url of [ONE, MANY]) {
    const { headers } = await ask(url, ALICE_READS, { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83' });
    t.equal(headers['x-request-id'], 'bfe9eb29-ab87-4ca3-be83');
  }
  t.equal((await ask(ONE, 'x', { 'x-request-id': 'of-a-mistake' })).headers['x-request-id'], 'of-a-mistake');
  t.match((await ask(ONE, ALICE_READS)).headers['x-request-id'], /./);
});

t.test('the same question has the same answer', async (t) => {
  for (let time = 0; time < 5; time += 1) await decides(t, ALICE_READS, true);
});

t.test('other methods and callers are refused', async (t) => {
  for (const url of [ONE, MANY])
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'] as const) {
      const { status, headers } = await app.ask(method, url);
      t.equal(status, 405, `${method} ${url}`);
      t.equal(headers['allow'], 'POST');
    }
  t.equal((await ask(ONE, ALICE_READS, { authorization: 'Bearer wrong' })).status, 401);
  t.equal((await ask(MANY, ALICE_READS, { authorization: 'Bearer test-key-read' })).status, 403);
});

async function decideAll(t: Test, body: object, decisions: readonly unknown[]) {
  const { status, body: answer } = await ask(MANY, body);
  t.equal(status, 200);
  t.notOk('decision' in answer, 'no decision of the whole');
  t.strictSame(
    answer.evaluations?.map(({ decision }) => decision),
    decisions,
  );
  return answer.evaluations ?? [];
}

t.test('several questions are answered in their order, with defaults', async (t) => {
  const records = [{ resource: FIRST }, { resource: record('record-2') }];
  await decideAll(t, { subject: ALICE, action: READ, evaluations: records }, [true, true]);
  const actions = [{ action: READ }, { action: WRITE }];
  await decideAll(t, { subject: BOB, resource: FIRST, evaluations: actions }, [true, false]);
  const states = [{ resource: record('record-1', 'active') }, { resource: record('record-2', 'archived') }];
  await decideAll(t, { subject: ALICE, action: WRITE, evaluations: states }, [true, false]);
  const people = [{ subject: ALICE }, { subject: ADMIN }];
  const archived = { action: WRITE, resource: record('record-2', 'archived') };
  await decideAll(t, { ...archived, evaluations: people }, [false, true]);
  const whole = [ALICE_READS, { subject: BOB, action: WRITE, resource: FIRST }];
  await decideAll(t, { evaluations: whole }, [true, false]);
  const context = { time: '2025-06-27T18:03-07:00' };
  const own = { ...records[1], context: { time: '2025-06-27T19:00-07:00', source: 'batch-override' } };
  const both = { subject: ALICE, action: READ, context, evaluations: [records[0], own] };
  await decideAll(t, both, [true, true]);
});

t.test('an entity of its own replaces the default, but for required fields that it leaves out', async (t) => {
  const typeless = { id: 'record-1', properties: { status: 'active' } };
  const evaluations = [{ resource: typeless }, { resource: record('record-2', 'archived') }];
  const common = { subject: ALICE, action: WRITE, resource: { type: 'record' } };
  await decideAll(t, { ...common, evaluations }, [true, false]);
  const archived = { subject: ALICE, action: WRITE, resource: record('record-2', 'archived') };
  await decideAll(t, { ...archived, evaluations: [{ resource: { id: 'record-1' } }, {}] }, [true, false]);
});

t.test('a mistake in one evaluation is a denial of that one', async (t) => {
  const broken = [{}, null, 'text', { resource: { id: 'x' } }, { resource: 'record-1' }];
  const evaluations = [{ resource: FIRST }, ...broken, { resource: FIRST }];
  const body = { subject: ALICE, action: READ, evaluations };
  const answers = await decideAll(t, body, [true, false, false, false, false, false, true]);
  t.strictSame(answers[1]?.context, {
    error: { status: 400, message: '/resource: Invalid input: expected object, received undefined' },
  });
  for (const answer of answers.slice(1, -1)) t.match(answer.context, { error: { status: 400 } });
  const half = { subject: 'alice', action: READ, evaluations: [{ resource: FIRST }] };
  t.equal((await ask(MANY, half)).status, 400, 'a default of the wrong type is a mistake of the whole');
});

t.test('without evaluations it is one question', async (t) => {
  for (const body of [ALICE_READS, { ...ALICE_READS, evaluations: [] }]) {
    const { status, body: answer } = await ask(MANY, body);
    t.equal(status, 200);
    t.equal(answer.decision, true);
    t.notOk('evaluations' in answer);
  }
});

t.test('the semantics end at the first denial, at the first permission, or nowhere', async (t) => {
  const evaluations = [{ action: READ }, { action: WRITE }, { action: READ }];
  const body = (evaluations_semantic: string, list: readonly object[] = evaluations) => ({
    subject: BOB,
    resource: FIRST,
    options: { evaluations_semantic, another: 1 },
    evaluations: list,
  });
  await decideAll(t, body('execute_all'), [true, false, true]);
  await decideAll(t, body('deny_on_first_deny'), [true, false]);
  await decideAll(t, body('permit_on_first_permit'), [true]);
  await decideAll(t, body('permit_on_first_permit', evaluations.slice(1)), [false, true]);
  await decideAll(t, body('deny_on_first_deny', [{ action: READ }, { action: {} }, { action: READ }]), [
    true,
    false,
  ]);
  t.equal((await ask(MANY, body('some_of_them'))).status, 400);
  t.equal((await ask(MANY, { ...body('execute_all'), options: 'execute_all' })).status, 400);
});

t.test('as many as 50 are asked about, and no more', async (t) => {
  const body = (count: number) => ({
    ...ALICE_READS,
    evaluations: Array.from({ length: count }, () => ({})),
  });
  await decideAll(
    t,
    body(50),
    Array.from({ length: 50 }, () => true),
  );
  t.equal((await ask(MANY, body(51))).status, 400);
});

t.test('the metadata name the service and where to ask', async (t) => {
  const { status, headers, json } = await app.ask('GET', '/.well-known/authzen-configuration', { key: null });
  t.equal(status, 200);
  t.match(headers['content-type'], /^application\/json/);
  t.strictSame(json, {
    policy_decision_point: PDP,
    access_evaluation_endpoint: `${PDP}/access/v1/evaluation`,
    access_evaluations_endpoint: `${PDP}/access/v1/evaluations`,
  });
  t.equal((await app.ask('POST', '/.well-known/authzen-configuration')).status, 405);
});
