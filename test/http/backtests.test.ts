import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ProblemBody } from '../support/answer.ts';
import { createDirectory, createTestApp, KEYS, type TestApp, until } from '../support/test-app.ts';

// A worker starts slowly on a busy machine.
t.setTimeout(170_000);

const textOf = (...rules: readonly string[]) =>
  `policy: mine\notherwise: ALLOW\nrules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`;
const FOUND = "{id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: NOT_FOUND}";
const EVERYBODY = "{id: everybody, when: 'stytch.found', verdict: CHALLENGE, reason: EVERYBODY}";

interface BacktestBody {
  readonly id: string;
  readonly state: string;
  readonly entries: number;
  readonly report: unknown;
}

async function createService(t: Test, env: Readonly<Record<string, string>>): Promise<TestApp> {
  const service = await createTestApp(t, { policy: textOf(FOUND), env });
  for (const [place, telemetry_id] of ['allow', 'allow', 'allow', 'absent'].entries())
    await service.decide({
      telemetry_id,
      device_id: 'full~active~1',
      action: place < 2 ? 'login' : 'payout',
    });
  await until('all are recorded', async () => {
    const { json } = await service.ask<{ decisions: readonly object[] }>('GET', '/v1/decisions');
    return json.decisions.length === 4;
  });
  return service;
}

const ask = (service: TestApp, body: object, key: string = KEYS.review) =>
  service.app.server.inject({
    method: 'POST',
    url: '/v1/backtests',
    headers: { 'x-api-key': key },
    payload: body,
  });

async function ended(service: TestApp, id: string): Promise<BacktestBody> {
  for (;;) {
    const { json } = await service.ask<BacktestBody>('GET', `/v1/backtests/${id}`, { key: KEYS.review });
    if (json.state !== 'running') return json;
    await delay(20);
  }
}

for (const [name, envOf] of [
  ['a history in SQLite, in a thread of its own', (t: Test) => ({ DATA_DIR: createDirectory(t) })],
  ['a log in memory', () => ({})],
] as const)
  t.test(`tries a policy on ${name}`, async (t) => {
    const service = await createService(t, envOf(t));
    const begun = await ask(service, { policy: textOf(FOUND, EVERYBODY) });
    t.equal(begun.statusCode, 202);
    t.match(begun.json(), { state: 'running', caller: 'review', policy_hash: /^sha256:/, report: null });
    const done = await ended(service, begun.json().id);
    t.match(done, {
      state: 'done',
      report: {
        decisions: 4,
        judged: 4,
        not_replayable: [],
        changes: { changed: 3, stricter: 3, milder: 0 },
        actions: [
          { action: 'login', changed: 2 },
          { action: 'payout', changed: 1 },
        ],
        labelled: null,
      },
    });
    t.ok(done.entries >= 4);
    const where = { action: 'payout', telemetry_id: 'allow' };
    const some = await ended(service, (await ask(service, { policy: textOf(EVERYBODY), where })).json().id);
    t.match(some, { state: 'done', report: { decisions: 1, changes: { changed: 1 } } });
  });

t.test('refuses what is no policy, no filter, and who may not', async (t) => {
  const service = await createService(t, {});
  const problem = async (body: object, key?: string) => (await ask(service, body, key)).json<ProblemBody>();
  t.match(await problem({ policy: textOf("{id: x, when: 'stytch.fond', verdict: BLOCK, reason: X}") }), {
    status: 400,
    errors: [{ pointer: 'policy', detail: /^4:\d+: .*found/ }],
  });
  t.match(await problem({}), { status: 400 });
  t.match(await problem({ policy: textOf(FOUND), where: { colour: 'red' } }), { status: 400 });
  t.match(await problem({ policy: textOf(FOUND), costs: { fraud: { ALLOW: -1 } } }), { status: 400 });
  t.match(await problem({ policy: textOf(FOUND) }, KEYS.read), { status: 403 });
  const unknown = { key: KEYS.review };
  t.match(await service.ask('GET', '/v1/backtests/none', unknown), { status: 404 });
  t.match(await service.ask('DELETE', '/v1/backtests/none', unknown), { status: 404 });
  t.match(await service.ask('GET', '/v1/backtests/none', { key: KEYS.read }), { status: 403 });
});

t.test('runs one at a time, and ends it when it is told to', async (t) => {
  const service = await createService(t, { DATA_DIR: createDirectory(t) });
  const begun = await ask(service, { policy: textOf(FOUND) });
  const { id } = begun.json<BacktestBody>();
  const second = await ask(service, { policy: textOf(FOUND) });
  const cancelled = await service.ask<BacktestBody>('DELETE', `/v1/backtests/${id}`, { key: KEYS.review });
  t.equal(cancelled.status, 200);
  // The first may have been faster than the check of the second.
  if (second.statusCode === 409) t.match(second.json(), { code: 'conflict' });
  else t.equal(second.statusCode, 202);
  const { state } = await ended(service, id);
  t.ok(state === 'cancelled' || state === 'done', state);
  const both = await Promise.all([1, 2].map(() => ask(service, { policy: textOf(FOUND) })));
  t.ok(
    both.some(({ statusCode }) => statusCode === 409),
    'two candidates are not checked at once',
  );
});

t.test('has no backtests without a decision log', async (t) => {
  const service = await createTestApp(t, { env: { DECISION_LOG: 'off' } });
  t.equal((await ask(service, { policy: textOf(FOUND) })).statusCode, 404);
});
