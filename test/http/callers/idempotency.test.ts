import { randomUUIDv7 } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { RiskgateError } from '../../../src/domain/errors.ts';
import { createAnswerOnce } from '../../../src/http/callers/idempotency.ts';
import { parseIdempotencyKey } from '../../../src/http/callers/idempotency-key.ts';
import { createMemoryIdempotencyStore } from '../../../src/stores/callers/memory-idempotency.ts';
import { writeApiKeys } from '../../support/api-key-file.ts';
import {
  createDirectory,
  createManualClock,
  createTestApp,
  startEmulators,
  until,
} from '../../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active', action: 'login' };
const emulators = await startEmulators(t);
const clock = createManualClock();
const app = await createTestApp(t, { emulators, clock, env: { DECISION_DEADLINE_MS: '400' } });
const once = (key: string) => ({ headers: { 'idempotency-key': key } });

t.test('answers a retry with the stored answer, and decides nothing again', async (t) => {
  const first = await app.decide(GOOD, once('"retry"'));
  t.equal(first.status, 200);
  t.equal(first.headers['idempotency-replayed'], undefined);
  emulators.resetCallCounts();
  const decisions = () => app.events().filter((event) => event === 'decision.made').length;
  const before = decisions();
  const again = await app.decide({ ...GOOD, action: GOOD.action }, once('"retry"'));
  t.equal(again.status, 200);
  t.equal(again.headers['idempotency-replayed'], 'true');
  t.equal(again.text, first.text, 'byte for byte');
  for (const name of ['x-decision-id', 'content-type', 'cache-control', 'content-length'])
    t.equal(again.headers[name], first.headers[name], name);
  t.same(emulators.callCounts(), { stytch: 0, mobilerun: 0, prefactor: 0 });
  t.equal(decisions(), before);
});

t.test('answers like a request without a key', async (t) => {
  const plain = await app.decide(GOOD);
  const keyed = await app.decide(GOOD, once('"like"'));
  t.same(Object.keys(keyed.headers).sort(), Object.keys(plain.headers).sort());
  t.same(Object.keys(keyed.json), Object.keys(plain.json));
  t.equal(keyed.headers['content-type'], plain.headers['content-type']);
  t.match(keyed.headers['server-timing'], /^decide;dur=/);
});

t.test('knows the same body in another order, and the same key without its quotes', async (t) => {
  const first = await app.decide(GOOD, once('"order"'));
  const reordered = JSON.stringify({ action: 'login', device_id: 'active', telemetry_id: 'allow' }, null, 2);
  const again = await app.decide(reordered, once('order'));
  t.equal(again.headers['idempotency-replayed'], 'true');
  t.equal(again.json.decision_id, first.json.decision_id);
});

/** Requests that differ from the first in one thing. */
const OTHERS: readonly (readonly [string, object, string?])[] = [
  ['another device', { ...GOOD, device_id: 'minimal' }],
  ['a field more', { ...GOOD, account_id: 'a' }],
  ['a field less', { telemetry_id: 'allow', device_id: 'active' }],
  ['the device by provider', { telemetry_id: 'allow', device_ids: { mobilerun: 'active' }, action: 'login' }],
  ['an explanation', GOOD, '/v1/decide?explain=full'],
];

for (const [what, body, url = '/v1/decide'] of OTHERS) {
  t.test(`refuses the same key with ${what}`, async (t) => {
    const key = `"other ${what}"`;
    await app.decide(GOOD, once(key));
    const { status, json, headers } = await app.refused(body, { url, ...once(key) });
    t.equal(status, 422);
    t.match(json, { status: 422, code: 'idempotency_mismatch' });
    t.match(headers['content-type'], /^application\/problem\+json/);
    t.equal(
      (await app.decide(GOOD, once(key))).headers['idempotency-replayed'],
      'true',
      'the first one stays',
    );
  });
}

t.test("tells fields apart that hold each other's values", async (t) => {
  const first = { telemetry_id: 'allow', device_ids: { mobilerun: 'active', prefactor: 'minimal' } };
  const second = { telemetry_id: 'allow', device_ids: { mobilerun: 'minimal', prefactor: 'active' } };
  await app.decide(first, once('"fields"'));
  t.equal((await app.refused(second, once('"fields"'))).status, 422);
});

t.test('says that a request is in flight, and answers its retry afterwards', async (t) => {
  const slow = { telemetry_id: 'fault-hang', device_ids: {} };
  const first = app.decide(slow, once('"slow"'));
  let retry = await app.refused(slow, once('"slow"'));
  await until('it is in flight', async () => {
    if (retry.status !== 409) retry = await app.refused(slow, once('"slow"'));
    return retry.status === 409;
  });
  const { json, headers } = retry;
  t.match(json, { status: 409, code: 'conflict' });
  t.equal(headers['retry-after'], '1');
  t.equal((await app.refused(GOOD, once('"slow"'))).status, 422, 'another body is another matter');
  const { decision_id: id } = (await first).json;
  const again = await app.decide(slow, once('"slow"'));
  t.equal(again.json.decision_id, id);
  t.equal(again.headers['idempotency-replayed'], 'true');
});

t.test('keeps the keys of callers apart, and shares those of a rotated key', async (t) => {
  const file = writeApiKeys(createDirectory(t), [
    { id: 'a', key: 'old' },
    { id: 'a', key: 'new' },
    { id: 'b', key: 'other' },
  ]);
  const own = await createTestApp(t, { emulators, env: { API_KEYS_FILE: file } });
  const idOf = async (key: string) => (await own.decide(GOOD, { key, ...once('"k"') })).json.decision_id;
  const first = await idOf('old');
  t.equal(await idOf('new'), first);
  t.not(await idOf('other'), first);
});

t.test('does not let a caller read by replay what its scopes do not allow', async (t) => {
  const file = writeApiKeys(createDirectory(t), [
    { id: 'a', key: 'reader', scopes: ['decide', 'read'] },
    { id: 'a', key: 'decider', scopes: ['decide'] },
  ]);
  const own = await createTestApp(t, { emulators, env: { API_KEYS_FILE: file } });
  const options = { url: '/v1/decide?explain=full', ...once('"k"') };
  t.equal((await own.decide(GOOD, { key: 'reader', ...options })).status, 200);
  t.equal((await own.refused(GOOD, { key: 'decider', ...options })).status, 403);
});

t.test('stores no refusal: a request that is mended keeps its key', async (t) => {
  const { status } = await app.refused({ ...GOOD, ip: 'nowhere' }, once('"mended"'));
  t.equal(status, 400);
  t.equal((await app.decide(GOOD, once('"mended"'))).status, 200);
});

t.test('frees the key of a request that could not be answered', async (t) => {
  const answerOnce = createAnswerOnce({
    store: createMemoryIdempotencyStore({ clock }),
    hashes: [(value) => value, (value) => `older ${value}`],
    newId: randomUUIDv7,
    ttlMs: 60_000,
    lockMs: 60_000,
    traffic: { onRefused: () => {}, onIdempotentRequest: () => {} },
  });
  const request = { callerId: 'shop', field: '"key"', content: 'content' };
  const refused = new RiskgateError('decision_log_unavailable', 'not recorded');
  await t.rejects(
    answerOnce(request, () => Promise.reject(refused)),
    { code: 'decision_log_unavailable' },
  );
  const answer = { decisionId: 'decision-1', body: '{}' };
  t.same(await answerOnce(request, () => answer), { answer, isReplayed: false });
  t.same(await answerOnce(request, () => Promise.reject(refused)), { answer, isReplayed: true });
});

t.test('gives the old answer after a change of the policy, until its time is up', async (t) => {
  const policy = (verdict: string) =>
    `policy: p\notherwise: ${verdict}\nrules:\n  - {id: r, when: '!stytch.found', verdict: BLOCK, reason: R}\n`;
  const ownClock = createManualClock();
  const own = await createTestApp(t, {
    emulators,
    clock: ownClock,
    policy: policy('ALLOW'),
    env: { IDEMPOTENCY_TTL_SECONDS: '3600' },
  });
  t.equal((await own.decide(GOOD, once('"p"'))).json.decision, 'ALLOW');
  writeFileSync(own.policyFile, policy('CHALLENGE'));
  await until('the policy is in force', async () => (await own.decide(GOOD)).json.decision === 'CHALLENGE');
  ownClock.advance(3_599_000);
  const { json, headers } = await own.decide(GOOD, once('"p"'));
  t.equal(json.decision, 'ALLOW');
  t.equal(headers['idempotency-replayed'], 'true');
  t.ok(Date.parse(json.decided_at) < ownClock.nowMs() - 3_000_000, 'and it says how old it is');
  ownClock.advance(1_000);
  t.equal((await own.decide(GOOD, once('"p"'))).json.decision, 'CHALLENGE');
});

t.test('ignores the header where nothing is decided', async (t) => {
  t.equal((await app.ask('GET', '/v1/policy', once(','))).status, 200);
});

/** Fields that are keys, and the keys. */
const KEYS_OF_FIELDS = [
  ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
  ['"a b, c; d"', 'a b, c; d'],
  ['"a \\"quoted\\" \\\\ key"', 'a "quoted" \\ key'],
  [' "spaced" ', 'spaced'],
  [`"${'k'.repeat(255)}"`, 'k'.repeat(255)],
] as const;

for (const [field, key] of KEYS_OF_FIELDS) {
  t.test(`reads ${field.slice(0, 40)}`, async (t) => {
    t.equal(parseIdempotencyKey(field), key);
  });
}

/** Fields that are no key. */
const MALFORMED = [
  '',
  '""',
  '"open',
  'open"',
  '"a" "b"',
  '"a", "b"',
  'a, b',
  'a b',
  '"a";p=1',
  '"a\\n"',
  '"é"',
  "'a'",
  '?1',
  `"${'k'.repeat(256)}"`,
  'k'.repeat(256),
];

for (const field of MALFORMED) {
  t.test(`refuses ${JSON.stringify(field.slice(0, 40))}`, async (t) => {
    const { status, json } = await app.refused(GOOD, once(field));
    t.equal(status, 400);
    t.match(json, { code: 'invalid_request', errors: [{ pointer: 'idempotency-key' }] });
  });
}

t.test('answers once for replicas that have one hash key in common, whichever they write with', async (t) => {
  const store = createMemoryIdempotencyStore({ clock });
  const under = (...names: readonly string[]) =>
    createAnswerOnce({
      store,
      hashes: names.map((name) => (value: string) => `${name} ${value}`),
      newId: randomUUIDv7,
      ttlMs: 60_000,
      lockMs: 60_000,
      traffic: { onRefused: () => {}, onIdempotentRequest: () => {} },
    });
  const replicas = [under('old'), under('old', 'new'), under('new', 'old')];
  for (const [first, answerOnce] of replicas.entries()) {
    const request = { callerId: 'shop', field: `"rotated-${first}"`, content: 'c' };
    const answer = { decisionId: `decision-${first}`, body: '{}' };
    await answerOnce(request, async () => {
      for (const other of replicas)
        await t.rejects(
          other(request, () => answer),
          { code: 'conflict' },
          'in flight at another',
        );
      return answer;
    });
    for (const other of replicas)
      t.match(await other(request, () => t.fail('done twice') as never), { answer, isReplayed: true });
  }
  const [old, , both] = replicas;
  const request = { callerId: 'shop', field: '"freed"', content: 'c' };
  await t.rejects(async () => both?.(request, () => Promise.reject(new Error('failed'))));
  t.match(
    await old?.(request, () => ({ decisionId: 'd', body: '{}' })),
    { isReplayed: false },
    'all are freed',
  );
});
