import t, { type Test } from 'tap';
import type { Answer, DecisionBody, ProblemBody } from '../support/answer.ts';
import { type ApiKeyEntry, writeApiKeys } from '../support/api-key-file.ts';
import { patienceOf } from '../support/start-service.ts';
import {
  type AskOptions,
  createDirectory,
  createManualClock,
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  type TestAppOptions,
  until,
} from '../support/test-app.ts';

interface ItemAnswer {
  readonly status: number;
  readonly answer?: DecisionBody;
  readonly problem?: ProblemBody;
  readonly retry_after_seconds?: number;
  readonly idempotency_replayed?: boolean;
}

interface BatchAnswer {
  readonly items: readonly ItemAnswer[];
}

const URL = '/v1/decide/batch';
const NOW_MS = Date.now();
const GOOD = { telemetry_id: 'allow', device_id: 'active' };
const emulators = await startEmulators(t);

const open = (t: Test, options: TestAppOptions = {}): Promise<TestApp> =>
  createTestApp(t, { emulators, ...options, env: { ...patienceOf(10_000), ...options.env } });

async function openWithKeys(t: Test, entries: readonly ApiKeyEntry[], options: TestAppOptions = {}) {
  const env = { API_KEYS_FILE: writeApiKeys(createDirectory(t), entries), ...options.env };
  return open(t, { ...options, env });
}

/** The body may be anything; the answer is that of a batch unless the test says otherwise. */
async function ask(app: TestApp, body: unknown, options: AskOptions = {}): Promise<Answer<BatchAnswer>> {
  return (await app.refused(body, { url: URL, ...options })) as unknown as Answer<BatchAnswer>;
}

async function refused(app: TestApp, body: unknown, options: AskOptions = {}): Promise<Answer<ProblemBody>> {
  return app.refused(body, { url: URL, ...options });
}

const statusesOf = ({ json }: Answer<BatchAnswer>) => json.items.map(({ status }) => status);
const decisionsOf = ({ json }: Answer<BatchAnswer>) => json.items.map(({ answer }) => answer?.decision);

/** Fifty questions: every verdict, replays, missing ids, faults, what is not valid, and repeated ids. */
const FIFTY: readonly Readonly<Record<string, unknown>>[] = Array.from({ length: 50 }, (_, place) => {
  const account = { account_id: `account-${place % 7}`, action: 'login' };
  const kinds: readonly Readonly<Record<string, unknown>>[] = [
    { telemetry_id: `allow-${place}`, device_id: 'active', ...account },
    { telemetry_id: `challenge-${place}`, device_id: 'active', ip: '192.0.2.7' },
    { telemetry_id: `block-${place}`, device_ids: { mobilerun: 'active', prefactor: 'revoked' } },
    { telemetry_id: 'forged', device_id: 'active', user_agent: 'Mozilla/5.0' },
    { telemetry_id: 'allow-replayed', device_id: place < 20 ? 'active' : 'minimal', ...account },
    // Once: what fails is asked about again for each of several requests, which opens the circuit.
    { telemetry_id: place < 10 ? 'fault-500' : `minimal-${place}`, device_id: 'active' },
    { device_id: 'unknown' },
    { telemetry_id: `allow-bad-${place}`, nonsense: true },
    { telemetry_id: null, device_ids: {} },
    { telemetry_id: `headless-${place}`, device_id: 'fault-429', ip: 'nowhere' },
  ];
  return kinds[place % kinds.length] ?? {};
});

/** An answer without what differs between two askings of the same question. */
function comparable({ status, answer, problem }: ItemAnswer) {
  if (problem !== undefined) {
    const errors = problem.errors?.map(({ pointer, detail }) => [
      pointer.replace(/^\/items\/\d+/, ''),
      detail,
    ]);
    return { status, code: problem.code, errors };
  }
  const { providers, decision_id: _, decided_at: _at, expires_at: _until, challenge, ...rest } = answer ?? {};
  const outcomes = Object.entries(providers ?? {}).map(([id, { outcome }]) => [id, outcome]);
  const demand = challenge && { ...challenge, report_to: challenge.report_to.replace(/[0-9a-f-]{36}/, '') };
  return { status, ...rest, challenge: demand, outcomes };
}

interface Recorded {
  readonly decisions: readonly Readonly<Record<string, unknown>>[];
}

/** What was recorded, oldest first, without ids and times. */
async function recordsOf(app: TestApp) {
  const { json } = await app.ask<Recorded>('GET', '/v1/decisions?limit=100');
  return json.decisions.toReversed().map((record) => {
    const { decision, reasons, degraded, subject, caller, entry_point, custody, custody_result, action } =
      record;
    return { decision, reasons, degraded, subject, caller, entry_point, custody, custody_result, action };
  });
}

t.test('answers, records, binds and counts as fifty single requests', async (t) => {
  const limits = { requests: 60, window_seconds: 60 };
  const entries = [{ id: 'a', key: 'k', limits }];
  const [single, batch] = [
    await openWithKeys(t, entries, { clock: createManualClock() }),
    await openWithKeys(t, entries, { clock: createManualClock() }),
  ];
  const singly: ItemAnswer[] = [];
  for (const body of FIFTY) {
    const { status, json } = await single.refused(body, { key: 'k' });
    singly.push(
      status === 200 ? { status, answer: json as unknown as DecisionBody } : { status, problem: json },
    );
  }
  const { status, json, headers } = await ask(batch, { items: FIFTY }, { key: 'k' });
  t.equal(status, 200);
  t.strictSame(json.items.map(comparable), singly.map(comparable));
  const verdicts = new Set(json.items.map(({ answer }) => answer?.decision));
  t.strictSame(verdicts, new Set(['ALLOW', 'CHALLENGE', 'BLOCK', undefined]), 'every kind was there');
  t.ok(json.items.some(({ answer }) => answer?.reasons.some(({ code }) => code === 'TELEMETRY_REPLAYED')));
  t.equal(headers['ratelimit'], '"default";r=10;t=60');
  const ask11 = async (app: TestApp) => {
    const all = await Promise.all(Array.from({ length: 11 }, () => app.decide(GOOD, { key: 'k' })));
    return all.filter((answer) => answer.status === 429).length;
  };
  t.strictSame([await ask11(single), await ask11(batch)], [1, 1]);
});

t.test('is recorded, counted and remembered as single requests are', async (t) => {
  const valid = FIFTY.filter(({ nonsense, ip }) => nonsense === undefined && ip !== 'nowhere');
  const [single, batch] = [
    await open(t, { clock: createManualClock(NOW_MS) }),
    await open(t, { clock: createManualClock(NOW_MS) }),
  ];
  for (const body of valid) await single.decide(body);
  t.equal(
    statusesOf(await ask(batch, { items: valid })).every((status) => status === 200),
    true,
  );
  const records = await recordsOf(batch);
  t.equal(records.length, valid.length);
  const sorted = (all: readonly object[]) => all.map((one) => JSON.stringify(one)).sort();
  t.strictSame(sorted(records), sorted(await recordsOf(single)));
  const counted = async (app: TestApp) => {
    const { text } = await app.ask('GET', '/metrics');
    return text
      .split('\n')
      .filter((line) => /^riskgate_(decisions|custody_results)_total/.test(line))
      .sort();
  };
  t.strictSame(await counted(batch), await counted(single));
  const remembered = async (app: TestApp) => {
    const body = {
      telemetry_id: 'allow-after',
      device_id: 'active',
      account_id: 'account-0',
      action: 'login',
    };
    const { json } = await app.decide(body, { url: '/v1/decide?explain=full' });
    const { explanation } = json as unknown as { explanation: { signals: { activity: unknown } } };
    return explanation.signals.activity;
  };
  const activity = await remembered(batch);
  t.match(activity, { account: Object, device: Object });
  t.strictSame(activity, await remembered(single));
});

t.test('asks a provider once about an id, also without a cache and where it fails', async (t) => {
  // One after the other, so that no call is under way that could be joined.
  const app = await openWithKeys(t, [{ id: 'a', key: 'k', limits: { concurrent: 1 } }]);
  for (const [id, max_age_ms] of [
    ['allow-once', undefined],
    ['allow-anew', 0],
    ['fault-500', undefined],
  ] as const) {
    emulators.resetCallCounts();
    const items = Array.from({ length: 50 }, () => ({ telemetry_id: id, device_id: 'minimal' }));
    const answer = await ask(app, { items, max_age_ms }, { key: 'k' });
    t.ok(statusesOf(answer).every((status) => status === 200));
    const calls = emulators.callCounts();
    // A call that fails is tried once more by itself.
    t.ok((calls['stytch'] ?? 0) <= (id === 'fault-500' ? 2 : 1), `${id}: ${JSON.stringify(calls)}`);
    t.ok((calls['mobilerun'] ?? 0) <= 1 && (calls['prefactor'] ?? 0) <= 1, JSON.stringify(calls));
    const caches = answer.json.items.map(({ answer }) => answer?.providers.stytch.cache);
    t.equal(caches.filter((cache) => cache === 'miss').length, 1);
  }
});

t.test('has one deadline for all items', async (t) => {
  const app = await open(t);
  const items = Array.from({ length: 50 }, (_, place) => ({
    ...GOOD,
    telemetry_id: `fault-slow-9999-${place}`,
  }));
  const answer = await ask(app, { items, deadline_ms: 60 });
  t.ok(decisionsOf(answer).every((decision) => decision === 'CHALLENGE'));
  for (const { answer: decision } of answer.json.items)
    t.match(decision?.providers.stytch, { outcome: 'timeout' });
  const hanging = { ...GOOD, telemetry_id: 'fault-hang' };
  const none = await ask(app, { items: [hanging, GOOD] }, { headers: { 'x-request-deadline': '0' } });
  t.match(none.json.items, [{ answer: { degraded: true } }, { status: 200 }]);
});

t.test('refuses a bad item in its place, with a pointer into the body', async (t) => {
  const app = await open(t);
  const items = [
    GOOD,
    { telemetry_id: 7, nonsense: 1 },
    'no object',
    { device_id: 'a', device_ids: { prefactor: 'b' } },
    { ...GOOD, deadline_ms: 100 },
    null,
    GOOD,
  ];
  const { status, json } = await ask(app, { items });
  t.equal(status, 200);
  t.strictSame(
    json.items.map(({ problem }) => problem?.errors?.map(({ pointer }) => pointer).toSorted()),
    [
      undefined,
      ['/items/1/nonsense', '/items/1/telemetry_id'],
      ['/items/2'],
      ['/items/3/device_ids'],
      ['/items/4/deadline_ms'],
      ['/items/5'],
      undefined,
    ],
  );
  const bad = json.items[1]?.problem;
  t.match(bad, { type: 'about:blank', status: 400, code: 'invalid_request', request_id: /./ });
  t.notMatch(app.logText(), /request\.failed/);
  const { text } = await app.ask('GET', '/metrics');
  t.match(text, 'riskgate_refusals_total{code="invalid_request"} 5');
  t.match(text, 'riskgate_batches_total 1');
  t.match(text, 'riskgate_batch_items_total{result="decided"} 2');
  t.match(text, 'riskgate_batch_items_total{result="refused"} 5');
});

t.test('refuses a batch as a whole for what is not an item', async (t) => {
  const app = await open(t);
  const bodies: readonly (readonly [string, unknown, string])[] = [
    ['no items', {}, '/items'],
    ['an empty list', { items: [] }, '/items'],
    ['51 items', { items: Array.from({ length: 51 }, () => GOOD) }, '/items'],
    ['items that are no list', { items: { 0: GOOD } }, '/items'],
    ['an unknown field', { items: [GOOD], telemetry_id: 'allow' }, '/telemetry_id'],
    ['a deadline too short', { items: [GOOD], deadline_ms: 49 }, '/deadline_ms'],
    ['a list', [GOOD], ''],
  ];
  for (const [name, body, pointer] of bodies) {
    const { status, json } = await refused(app, body);
    t.match({ status, json }, { status: 400, json: { errors: [{ pointer }] } }, name);
  }
  const headers = (await refused(app, { items: [GOOD, 1] }, { headers: { 'x-request-deadline': 'soon' } }))
    .status;
  const key = (await refused(app, { items: [1] }, { headers: { 'idempotency-key': 'two keys' } })).status;
  t.strictSame([headers, key], [400, 400], 'also beside a bad item');
  t.equal((await refused(app, '{"items":[{"device_id":"a","device_id":"b"}]}')).json.code, 'malformed_body');
});

t.test('takes fifty items of full length, and no larger body', async (t) => {
  const app = await open(t);
  const long = 'x'.repeat(256);
  const item = {
    telemetry_id: long,
    device_ids: { mobilerun: long, prefactor: long },
    account_id: long,
    action: 'a'.repeat(64),
    user_agent: 'x'.repeat(1024),
    ip: '2001:db8:1111:2222:3333:4444:5555:6666',
  };
  const items = Array.from({ length: 50 }, () => item);
  t.ok(statusesOf(await ask(app, { items })).every((status) => status === 200));
  const { status, json } = await refused(app, { items: [{ telemetry_id: 'x'.repeat(132_000) }] });
  t.match({ status, json }, { status: 413, json: { code: 'payload_too_large' } });
  const deep = `{"items":[${'['.repeat(60_000)}${']'.repeat(60_000)}]}`;
  t.equal((await ask(app, deep)).json.items[0]?.status, 400, 'deeply nested');
});

t.test('needs the scope of a decision', async (t) => {
  const app = await open(t);
  t.equal((await refused(app, { items: [GOOD] }, { key: null })).status, 401);
  t.equal((await refused(app, { items: [GOOD] }, { key: KEYS.read })).status, 403);
  t.equal((await ask(app, { items: [GOOD] }, { key: KEYS.decide })).status, 200);
});

t.test('refuses what is beyond the rate, and says when to try again', async (t) => {
  const limits = { requests: 3, window_seconds: 60 };
  const app = await openWithKeys(t, [{ id: 'a', key: 'k', limits }], { clock: createManualClock() });
  const answer = await ask(app, { items: [GOOD, {}, { nonsense: 1 }, GOOD, GOOD] }, { key: 'k' });
  t.strictSame(statusesOf(answer), [200, 200, 400, 429, 429]);
  t.match(answer.json.items[4], { problem: { code: 'rate_limited' }, retry_after_seconds: 60 });
  t.equal(answer.headers['ratelimit'], '"default";r=0;t=60');
  t.equal((await refused(app, { items: [GOOD] }, { key: 'k' })).status, 429);
});

t.test('answers a repeated key item by item, and tries again what was refused', async (t) => {
  const clock = createManualClock();
  const limits = { requests: 3, window_seconds: 60 };
  const app = await openWithKeys(t, [{ id: 'a', key: 'k', limits }], { clock });
  const options = { key: 'k', headers: { 'idempotency-key': '"batch"' } };
  const items = [GOOD, { ...GOOD, action: 'pay' }, { nonsense: 1 }, GOOD];
  const first = await ask(app, { items }, options);
  t.strictSame(statusesOf(first), [200, 200, 400, 429]);
  t.ok(first.json.items.every(({ idempotency_replayed: replayed }) => replayed === undefined));
  clock.advance(61_000);
  const again = await ask(app, { items: items.slice(0, 2) }, options);
  t.strictSame(
    again.json.items.map(({ idempotency_replayed: replayed }) => replayed),
    [true, true],
  );
  t.strictSame(
    again.json.items.map(({ answer }) => answer),
    first.json.items.slice(0, 2).map(({ answer }) => answer),
  );
  clock.advance(61_000);
  const other = await ask(app, { items: [{ ...GOOD, action: 'other' }, items[1]], max_age_ms: 5 }, options);
  t.strictSame(statusesOf(other), [422, 422]);
  t.match(other.json.items[0]?.problem, { code: 'idempotency_mismatch' });
  clock.advance(61_000);
  const single = await app.decide(GOOD, options);
  t.equal(single.headers['idempotency-replayed'], undefined, 'a key of a single request is another one');
  const late = await ask(app, { items: [items[0], items[1]] }, options);
  t.equal(late.json.items[1]?.idempotency_replayed, true);
});

t.test('is refused as a whole where a single request would be', async (t) => {
  const app = await open(t, {
    env: { MAX_IN_FLIGHT: '1', STYTCH_TIMEOUT_MS: '1500' },
  });
  emulators.resetCallCounts();
  const held = app.decide({ ...GOOD, telemetry_id: 'fault-hang' });
  await until('it is under way', () => emulators.callCounts()['stytch'] === 1);
  t.match(await refused(app, { items: [GOOD] }), { status: 503, json: { code: 'overloaded' } });
  await held;
  t.match(await ask(app, { items: [GOOD] }), { status: 200, json: { items: [{ status: 200 }] } });
});

t.test('a defect is a 500 in its place, logged by where it happened, without a detail', async (t) => {
  let made = 0;
  const app = await open(t, {
    newId: () => {
      made += 1;
      if (made > 1) throw new TypeError('a defect that quotes canary-telemetry');
      return '01932f4e-7c1a-7d3e-9c55-0d6a3c1f2b4e';
    },
  });
  // The start of the service takes an id too.
  made = 0;
  const options = { headers: { 'x-request-id': 'defective' } };
  const { json, text } = await ask(app, { items: [GOOD, GOOD] }, options);
  t.match(json.items, [
    { status: 200 },
    { status: 500, problem: { code: 'internal', request_id: 'defective' } },
  ]);
  t.notMatch(text, /canary|TypeError/);
  t.equal(app.events().filter((event) => event === 'request.failed').length, 1);
  t.notMatch(app.logText(), /canary/);
});

t.test('leaves single requests room while its own items hang', async (t) => {
  const app = await open(t, { env: { STYTCH_CONCURRENCY_MAX: '16' } });
  await app.decide(GOOD);
  emulators.resetCallCounts();
  const item = (place: number) => ({ ...GOOD, telemetry_id: `fault-slow-99999-${place}` });
  const batches = [0, 100].map((first) =>
    ask(app, { items: Array.from({ length: 50 }, (_, place) => item(first + place)), deadline_ms: 2000 }),
  );
  await until('they have their places', () => emulators.callCounts()['stytch'] === 8);
  const { status, json } = await app.decide({ ...GOOD, telemetry_id: 'allow-single' });
  t.match({ status, json }, { status: 200, json: { degraded: false } });
  const statuses = (await Promise.all(batches)).flatMap(statusesOf);
  t.equal(statuses.filter((each) => each === 200).length, 8);
  t.equal(statuses.filter((each) => each === 503).length, 92, 'nothing was begun after the deadline');
  t.equal(emulators.callCounts()['stytch'], 9);
});
