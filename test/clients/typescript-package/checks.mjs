/**
 * What the packed client promises, on whichever runtime runs it: node, bun, deno. Ends with an error at the
 * first promise that is broken; prints how many were kept.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createClient, RiskgateFailure } from '@riskgate/client';
import { riskgateExpress } from '@riskgate/client/express';
import { riskgateFastify } from '@riskgate/client/fastify';
import { riskgateNext } from '@riskgate/client/next';
import { createFakeRiskgate } from '@riskgate/client/testing';

const [origin, apiKey, testKey] = process.argv.slice(2);
const GOOD = { telemetry_id: 'allow', device_id: 'active' };
let kept = 0;
async function check(name, run) {
  try {
    await run();
    kept += 1;
  } catch (error) {
    console.error(`broken: ${name}`);
    throw error;
  }
}

const json = (status, body, headers = {}) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
const DECISION = {
  decision_id: 'id',
  decision: 'ALLOW',
  reasons: [],
  degraded: false,
};
/** A client of a service that answers so; it notes how often it was asked. */
function clientOf(answer, options = {}) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url, init, headers: new Headers(init.headers) });
    return answer(asked.length, init);
  };
  const client = createClient({
    url: 'http://service.test/base/',
    apiKey: 'k',
    timeoutMs: 400,
    fetch,
    ...options,
  });
  return { client, asked };
}

await check('a running service decides', async () => {
  const client = createClient({ url: origin, apiKey, timeoutMs: 20_000 });
  const decision = await client.decide(GOOD);
  assert.equal(decision.decision, 'ALLOW');
  assert.equal((await client.decideOrChallenge({ telemetry_id: 'forged' })).verdict, 'BLOCK');
  const subjects = Array.from({ length: 60 }, (_, place) => (place === 7 ? { device_id: 7 } : GOOD));
  const answers = await client.decideBatch(subjects);
  assert.equal(answers.length, 60);
  assert.equal(answers[59].verdict, 'ALLOW');
  assert.deepEqual(
    [answers[7].verdict, answers[7].failure.status, answers[7].failure.code],
    ['CHALLENGE', 400, 'invalid_request'],
  );
  await client.reportOutcome(decision.decision_id, { label: 'legit' });
  await client.events([{ event_id: crypto.randomUUID(), event: 'login_failed', account_id: 'a' }]);
  await assert.rejects(client.reportOutcome('nobody', { label: 'legit' }), {
    status: 404,
    code: 'not_found',
  });
  const wrong = await createClient({ url: origin, apiKey: 'wrong' }).decideOrChallenge(GOOD);
  assert.deepEqual([wrong.verdict, wrong.failure.status], ['CHALLENGE', 401]);
});

await check('an answer to a test id counts only where that is wanted', async () => {
  const subject = { telemetry_id: 'test_allow' };
  const refused = await createClient({ url: origin, apiKey: testKey, timeoutMs: 20_000 }).decideOrChallenge(
    subject,
  );
  assert.deepEqual(
    [refused.verdict, refused.failure.kind],
    ['CHALLENGE', 'test_answer'],
    refused.failure.cause,
  );
  const rehearsal = createClient({
    url: origin,
    apiKey: testKey,
    timeoutMs: 20_000,
    acceptTestAnswers: true,
  });
  assert.equal((await rehearsal.decideOrChallenge(subject)).verdict, 'ALLOW');
});

/** Answers that are no ALLOW, each with the kind of its failure. */
const FAILURES = [
  ['a page', () => json(200, '<html>'), 'malformed'],
  ['nothing', () => json(200, ''), 'malformed'],
  ['half a document', () => json(200, '{"decision":"ALLOW"'), 'malformed'],
  ['null', () => json(200, null), 'malformed'],
  ['a list', () => json(200, [DECISION]), 'malformed'],
  ['no id', () => json(200, { ...DECISION, decision_id: undefined }), 'malformed'],
  ['an empty id', () => json(200, { ...DECISION, decision_id: '' }), 'malformed'],
  ['no reasons', () => json(200, { ...DECISION, reasons: undefined }), 'malformed'],
  ['degraded in words', () => json(200, { ...DECISION, degraded: 'false' }), 'malformed'],
  ['a verdict in a list', () => json(200, { ...DECISION, decision: ['ALLOW'] }), 'malformed'],
  ['an unknown verdict', () => json(200, { ...DECISION, decision: 'MAYBE' }), 'unknown_verdict'],
  ['a verdict in lower case', () => json(200, { ...DECISION, decision: 'allow' }), 'unknown_verdict'],
  [
    'an object method for a verdict',
    () => json(200, { ...DECISION, decision: 'toString' }),
    'unknown_verdict',
  ],
  ['a test answer', () => json(200, { ...DECISION, mode: 'test' }), 'test_answer'],
  ['an unknown mode', () => json(200, { ...DECISION, mode: 'shadow' }), 'test_answer'],
  ['another success', () => json(201, DECISION), 'refused'],
  ['no content', () => new Response(null, { status: 204 }), 'refused'],
  ['a redirect', () => json(302, DECISION, { location: 'http://elsewhere.test' }), 'refused'],
  ['a refusal', () => json(403, { code: 'forbidden', request_id: 'r' }), 'refused'],
  ['a refusal that is not JSON', () => json(503, 'gone', { 'retry-after': '9' }), 'refused'],
  [
    'a body that breaks off',
    () => new Response(new ReadableStream({ pull: (c) => c.error(new Error('reset')) })),
    'network',
  ],
  ['no connection', () => Promise.reject(new TypeError('fetch failed')), 'network'],
  ['silence', () => new Promise(() => {}), 'timeout'],
  [
    'a body without an end',
    () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })),
    'timeout',
  ],
  [
    'a body that is too large',
    () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1 << 20)) })),
    'malformed',
  ],
];
for (const [name, answer, kind] of FAILURES)
  await check(name, async () => {
    const { client } = clientOf(answer);
    const { verdict, decision, failure } = await client.decideOrChallenge(GOOD);
    assert.deepEqual([verdict, decision, failure?.kind], ['CHALLENGE', null, kind]);
    assert.ok(failure instanceof RiskgateFailure);
    await assert.rejects(clientOf(answer).client.decide(GOOD), { name: 'RiskgateFailure', kind });
    const batch = await clientOf(answer).client.decideBatch([GOOD, GOOD]);
    assert.deepEqual(
      batch.map((each) => each.verdict),
      ['CHALLENGE', 'CHALLENGE'],
    );
  });

await check('entries of a batch are read one by one', async () => {
  const entries = [
    { status: 200, answer: DECISION },
    { status: 429, problem: { code: 'rate_limited' }, retry_after_seconds: 7 },
    { status: 200, answer: { ...DECISION, decision: 'MAYBE' } },
    { status: 200 },
    { answer: DECISION },
    null,
    'ALLOW',
    { status: '200', answer: DECISION },
    { status: 200, answer: { ...DECISION, mode: 'test' } },
  ];
  const { client, asked } = clientOf(() => json(200, { items: entries }));
  const answers = await client.decideBatch(entries.map(() => GOOD));
  assert.deepEqual(
    answers.map(({ verdict }) => verdict),
    ['ALLOW', ...entries.slice(1).map(() => 'CHALLENGE')],
  );
  assert.equal(answers[1].failure.retryAfterMs, 7000);
  assert.equal(asked[0].url, 'http://service.test/base/v1/decide/batch');
  const [few] = await client.decideBatch([GOOD]);
  assert.deepEqual([few.verdict, few.failure.kind], ['CHALLENGE', 'malformed']);
  assert.deepEqual(await client.decideBatch([]), []);
});

await check('what cannot be sent is a CHALLENGE', async () => {
  const { client, asked } = clientOf(() => json(200, DECISION));
  const cyclic = {};
  cyclic.self = cyclic;
  for (const subject of [{ telemetry_id: 1n }, cyclic, undefined]) {
    const { verdict, failure } = await client.decideOrChallenge(subject);
    if (subject !== undefined) assert.deepEqual([verdict, failure.kind], ['CHALLENGE', 'invalid']);
  }
  const broken = clientOf(() => json(200, DECISION), {
    traceparent: () => {
      throw new Error('no trace');
    },
  });
  assert.equal((await broken.client.decideOrChallenge(GOOD)).verdict, 'CHALLENGE');
  assert.ok(asked.length <= 1);
  for (const options of [
    { url: 'ftp://x', apiKey: 'k' },
    { url: 'x', apiKey: 'k' },
    { url: origin, apiKey: '' },
    { url: origin, apiKey: 'a\nb' },
  ])
    assert.throws(() => createClient(options), TypeError);
});

await check('tries again with the same key, and counts the time that is left', async () => {
  const { client, asked } = clientOf((count) => (count < 3 ? json(503, {}) : json(200, DECISION)), {
    timeoutMs: 5000,
  });
  assert.equal((await client.decide(GOOD)).decision, 'ALLOW');
  assert.equal(asked.length, 3);
  assert.equal(new Set(asked.map(({ headers }) => headers.get('idempotency-key'))).size, 1);
  assert.match(asked[0].headers.get('idempotency-key'), /^"[\da-f-]{36}"$/);
  const left = asked.map(({ headers }) => Number(headers.get('x-request-deadline')));
  assert.ok(left[0] <= 4500 && left[0] > left[1] && left[1] > left[2], String(left));
  await client.decide(GOOD);
  assert.notEqual(asked[3].headers.get('idempotency-key'), asked[0].headers.get('idempotency-key'));
  await client.decide(GOOD, { idempotencyKey: 'a "b"', maxAgeMs: 0 });
  assert.equal(asked[4].headers.get('idempotency-key'), '"a \\"b\\""');
  assert.equal(JSON.parse(asked[4].init.body).max_age_ms, 0);
});

await check('gives up where another try is no use, or would be too late', async () => {
  for (const [answer, tries] of [
    [() => json(400, {}), 1],
    [() => json(422, {}), 1],
    [() => json(429, {}, { 'retry-after': '60' }), 1],
    [() => json(503, {}, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }), 1],
    [() => json(503, {}, { 'retry-after': '0' }), 3],
    [() => Promise.reject(new TypeError('fetch failed')), 3],
    [() => json(200, '<html>'), 1],
  ]) {
    const { client, asked } = clientOf(answer, { timeoutMs: 5000 });
    assert.equal((await client.decideOrChallenge(GOOD)).verdict, 'CHALLENGE');
    assert.equal(asked.length, tries);
  }
});

await check('passes the trace on, and no other text', async () => {
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const { client, asked } = clientOf(() => json(200, DECISION), { traceparent: () => trace });
  await client.decide(GOOD);
  await client.decide(GOOD, { traceparent: 'x' });
  assert.deepEqual(
    asked.map(({ headers }) => headers.get('traceparent')),
    [trace, null],
  );
});

await check('a signal ends a call', async () => {
  const { client } = clientOf(() => new Promise(() => {}), { timeoutMs: 60_000 });
  const { verdict, failure } = await client.decideOrChallenge(GOOD, { signal: AbortSignal.timeout(20) });
  assert.deepEqual([verdict, failure.kind], ['CHALLENGE', 'aborted']);
  const paused = clientOf(() => json(503, {}, { 'retry-after': '30' }), { timeoutMs: 60_000 });
  const late = await paused.client.decideOrChallenge(GOOD, { signal: AbortSignal.timeout(20) });
  assert.equal(late.failure.kind, 'aborted');
});

await check('keeps its connection', async () => {
  const sockets = new Set();
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    request.resume().on('end', () => {
      response.writeHead(sockets.count++ === 0 ? 503 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(DECISION));
    });
  });
  sockets.count = 0;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createClient({
    url: `http://127.0.0.1:${server.address().port}`,
    apiKey: 'k',
    timeoutMs: 20_000,
  });
  for (let count = 0; count < 20; count += 1) assert.equal((await client.decide(GOOD)).decision, 'ALLOW');
  // An attempt that follows at once may not find the first one free yet.
  assert.ok(sockets.size <= 3, `${sockets.size} connections`);
  server.closeAllConnections?.();
  server.close();
});

await check('the fake answers as it is told', async () => {
  const fake = createFakeRiskgate({ timeoutMs: 100 });
  assert.equal((await fake.client.decideOrChallenge(GOOD)).verdict, 'ALLOW');
  fake.answer(({ telemetry_id: id }) => (id === 'allow' ? 'BLOCK' : 'CHALLENGE'));
  assert.deepEqual(
    (await fake.client.decideBatch([GOOD, {}])).map(({ verdict }) => verdict),
    ['BLOCK', 'CHALLENGE'],
  );
  for (const failure of ['network', 'timeout', 'malformed', 503]) {
    fake.fail(failure, 3);
    assert.equal((await fake.client.decideOrChallenge(GOOD)).verdict, 'CHALLENGE', String(failure));
    while ((await fake.client.decideOrChallenge(GOOD)).failure !== null);
  }
  await fake.client.events([]);
  await fake.client.reportOutcome('id', { label: 'legit' });
  assert.match(fake.requests.at(-1).body.at, /Z$/);
});

/** Requests of each framework, in its shape. */
const fake = createFakeRiskgate();
const subject = ({ id }) => {
  if (id === undefined) throw new Error('no id');
  return { telemetry_id: id };
};
fake.answer(({ telemetry_id: id }) => ({ good: 'ALLOW', bad: 'BLOCK' })[id] ?? 'CHALLENGE');
const WANTED = [
  ['good', 'on'],
  ['bad', 403],
  ['odd', 401],
  [undefined, 401],
];

await check('middleware for Express lets an ALLOW through alone', async () => {
  const guard = riskgateExpress(fake.client, { subject });
  for (const [id, wanted] of WANTED) {
    const response = {
      locals: {},
      status: (code) => Object.assign(response, { code }),
      type: () => response,
      send: () => response,
    };
    const seen = [];
    await guard({ id }, response, () => seen.push('on'));
    assert.equal(seen[0] ?? response.code, wanted);
    assert.ok(response.locals.riskgate.verdict);
  }
});

await check('middleware for Fastify lets an ALLOW through alone', async () => {
  const guard = riskgateFastify(fake.client, { subject });
  for (const [id, wanted] of WANTED) {
    const request = { id };
    const reply = {
      code: (status) => Object.assign(reply, { status }),
      type: () => reply,
      send: () => reply,
    };
    const result = await guard(request, reply);
    assert.equal(result === undefined ? 'on' : reply.status, wanted);
    assert.ok(guard.answers.get(request).verdict);
  }
});

await check('middleware for Next lets an ALLOW through alone', async () => {
  const guard = riskgateNext(fake.client, {
    subject: (request) => subject({ id: request.headers.get('x-id') ?? undefined }),
  });
  for (const [id, wanted] of WANTED) {
    const headers = id === undefined ? {} : { 'x-id': id };
    const response = await guard(new Request('http://app.test/', { headers }));
    assert.equal(response?.status ?? 'on', wanted);
  }
  const redirecting = riskgateNext(fake.client, {
    subject,
    onChallenge: () => Response.redirect('http://app.test/step-up', 302),
  });
  assert.equal((await redirecting(new Request('http://app.test/'))).status, 302);
});

console.log(`${kept} kept`);
