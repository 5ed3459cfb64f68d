import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { startRedisServer } from '../support/redis-server.ts';
import {
  createDirectory,
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const emulators = await startEmulators(t);
const redis = await startRedisServer(t);
const GOOD = { telemetry_id: 'allow', device_id: 'active' };
const policyText = (id: string, otherwise = 'ALLOW', more = '') =>
  `policy: ${id}\n${more}otherwise: ${otherwise}\nrules:\n  - {id: r, when: '!stytch.found', verdict: BLOCK, reason: R}\n`;
const LIVE = policyText('live');

interface Policies {
  readonly in_force: { readonly id: string };
  readonly candidates: readonly { readonly id: string; readonly hash: string; readonly from: string }[];
  readonly kept_in: string;
}

async function send<Body>(
  app: TestApp,
  method: 'PUT' | 'DELETE',
  id: string,
  body?: unknown,
  key: string = KEYS.admin,
) {
  const response = await app.app.server.inject({
    method,
    url: `/v1/policies/${id}/candidate`,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  return { status: response.statusCode, json: response.json<Body>() };
}

const put = (app: TestApp, id: string, text: string) =>
  send<{ candidate: Policies['candidates'][0] }>(app, 'PUT', id, { policy: text });
const policiesOf = async (app: TestApp) => (await app.ask<Policies>('GET', '/v1/policies')).json;

/** What candidates came to, by the ids of their policies. */
async function judge(app: TestApp): Promise<Readonly<Record<string, string | null>>> {
  const { json } = await app.decide(GOOD);
  let record: DecisionRecord | undefined;
  await until('it is recorded', async () => {
    const found = await app.ask<DecisionRecord>('GET', `/v1/decisions/${json.decision_id}`);
    record = found.json;
    return found.status === 200;
  });
  return Object.fromEntries((record?.candidates ?? []).map((one) => [one.policy.id, one.decision]));
}

t.test('a candidate judges from its registration to its removal', async (t) => {
  const app = await createTestApp(t, { emulators, policy: LIVE });
  t.match(await policiesOf(app), { in_force: { id: 'live' }, candidates: [], kept_in: 'process' });
  const { status, json } = await put(app, 'next', policyText('next', 'BLOCK'));
  t.equal(status, 200);
  t.match(json.candidate, {
    id: 'next',
    hash: /^sha256:/,
    from: 'api',
    fetches: false,
    not_asked_for: [],
    added_by: 'admin',
  });
  t.same(await judge(app), { next: 'BLOCK' });
  t.equal((await put(app, 'next', policyText('next', 'CHALLENGE'))).status, 200);
  t.same(await judge(app), { next: 'CHALLENGE' }, 'it was replaced');
  t.match((await policiesOf(app)).candidates, [{ id: 'next', from: 'api' }]);
  const removed = await send(app, 'DELETE', 'next');
  t.match(removed, { status: 200, json: { removed: { id: 'next' } } });
  t.same(await judge(app), {});
  t.equal((await send(app, 'DELETE', 'next')).status, 404);
});

t.test('each change is an event in the log', async (t) => {
  const lines: string[] = [];
  const app = await createTestApp(t, {
    emulators,
    policy: LIVE,
    env: { DECISION_LOG: 'stdout' },
    write: (text) => lines.push(text),
  });
  const { json } = await put(app, 'next', policyText('next'));
  const { json: second } = await put(app, 'next', policyText('next', 'BLOCK'));
  await send(app, 'DELETE', 'next');
  const linesOfEvents = () => lines.join('').match(/candidate_changed/g) ?? [];
  await until('all are written', () => linesOfEvents().length === 3);
  const events = lines
    .join('')
    .split('\n')
    .filter((line) => line.includes('candidate_changed'))
    .map((line) => JSON.parse(line) as object);
  t.match(events, [
    { change: 'put', caller: 'admin', policy: { id: 'next', hash: json.candidate.hash }, replaced: null },
    { change: 'put', policy: { hash: second.candidate.hash }, replaced: json.candidate.hash },
    { change: 'removed', policy: { hash: second.candidate.hash }, replaced: null },
  ]);
  t.equal(events.length, 3);
});

t.test('refuses what cannot be a candidate, and who may not register one', async (t) => {
  const app = await createTestApp(t, { emulators, policy: LIVE });
  const cases = [
    [policyText('other'), 400, /its id is .*other/],
    ['policy: next\notherwise: ALLOW\nrules: []\n', 400, /rules/],
    [policyText('next').replace('stytch.found', 'stytch.fond'), 400, /4:.*found/],
    ['', 400, /policy/],
  ] as const;
  for (const [text, status, problem] of cases) {
    const answer = await put(app, 'next', text);
    t.equal(answer.status, status);
    t.match(JSON.stringify(answer.json), problem);
  }
  t.equal((await put(app, 'Next', policyText('next'))).status, 400, 'no id of a policy');
  t.equal((await put(app, 'live', LIVE)).status, 409, 'it is in force');
  for (const key of [KEYS.read, KEYS.decide, KEYS.review]) {
    t.equal((await send(app, 'PUT', 'next', { policy: policyText('next') }, key)).status, 403);
    t.equal((await send(app, 'DELETE', 'next', undefined, key)).status, 403);
  }
  t.same((await policiesOf(app)).candidates, []);
  for (let number = 0; number < 8; number += 1)
    t.equal((await put(app, `next-${number}`, policyText(`next-${number}`))).status, 200);
  t.equal((await put(app, 'one-more', policyText('one-more'))).status, 409);
  t.equal((await put(app, 'next-3', policyText('next-3', 'BLOCK'))).status, 200, 'one may be replaced');
  t.equal(Object.keys(await judge(app)).length, 8);
});

t.test('registers one candidate at a time', async (t) => {
  const app = await createTestApp(t, { emulators, policy: LIVE });
  const ids = ['one', 'two', 'three'];
  const answers = await Promise.all(ids.map((id) => put(app, id, policyText(id, 'BLOCK'))));
  t.equal(answers.filter(({ status }) => status === 200).length, 1);
  t.equal(answers.filter(({ status }) => status === 409).length, 2);
  const refused = answers.find(({ status }) => status === 409);
  t.match(refused?.json, { code: 'conflict', detail: /^Another candidate is being registered: try again/ });
  t.equal((await policiesOf(app)).candidates.length, 1);
  t.equal((await put(app, 'bad', 'no policy')).status, 400);
  for (const id of ids) t.equal((await put(app, id, policyText(id, 'BLOCK'))).status, 200, id);
  t.equal((await policiesOf(app)).candidates.length, 3);
});

t.test('tells what a candidate reads that is not asked for, and lists those of files', async (t) => {
  const path = join(createDirectory(t), 'file.yaml');
  const reading = policyText('in-file').replace('!stytch.found', 'telemetry.uses > 3');
  writeFileSync(path, reading);
  const app = await createTestApp(t, { emulators, policy: LIVE, env: { POLICY_CANDIDATES: path } });
  t.match((await policiesOf(app)).candidates, [
    { id: 'in-file', from: 'file', not_asked_for: ['telemetry.expired', 'telemetry.uses'], added_by: null },
  ]);
});

t.test('replicas judge by one list of candidates, also after a restart', async (t) => {
  const env = { REDIS_URL: redis.url, DECISION_LOG: 'memory' };
  const open = async () => {
    const app = await createTestApp(t, { emulators, policy: LIVE, env });
    await untilRedisIsUp(app);
    return app;
  };
  const [one, other] = await Promise.all([open(), open()]);
  t.equal((await policiesOf(one)).kept_in, 'redis');
  t.equal((await put(one, 'next', policyText('next', 'BLOCK'))).status, 200);
  t.same(await judge(one), { next: 'BLOCK' });
  await until('the other replica has it', async () => (await policiesOf(other)).candidates.length === 1);
  t.same(await judge(other), { next: 'BLOCK' });
  const later = await open();
  await until('a new replica has it', async () => (await policiesOf(later)).candidates.length === 1);
  t.equal((await send(other, 'DELETE', 'next')).status, 200);
  await until('it is gone everywhere', async () =>
    (await Promise.all([one, later].map(policiesOf))).every(({ candidates }) => candidates.length === 0),
  );
  t.same(await judge(one), {});
});
