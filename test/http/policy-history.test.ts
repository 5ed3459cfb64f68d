import { hash as digest } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { createRedisPolicyStore } from '../../src/stores/policy-in-force/redis-store.ts';
import { createRedisHandle } from '../../src/stores/redis/handle.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { toTarget } from '../support/redis-target.ts';
import { parseScrape, readValue } from '../support/scrape.ts';
import {
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  type TestAppOptions,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

// Seven services are started, and policies are compiled in threads.
t.setTimeout(170_000);
const emulators = await startEmulators(t);
const redis = await startRedisServer(t);
const GOOD = { telemetry_id: 'allow', device_id: 'active' };
const policyText = (id: string, otherwise: string) =>
  `policy: ${id}\notherwise: ${otherwise}\nrules:\n  - {id: r, when: '!stytch.found', verdict: BLOCK, reason: R}\n`;
const hashOf = (text: string) => `sha256:${digest('sha256', text)}`;
const FIRST = policyText('first', 'ALLOW');
const SECOND = policyText('second', 'CHALLENGE');
const THIRD = policyText('third', 'BLOCK');

interface History {
  readonly policies: readonly { readonly hash: string; readonly why: string }[];
  readonly kept_in: string;
}
interface Ready {
  readonly policy: { readonly hash: string };
  readonly policy_in_force: { readonly state: string; readonly put: unknown; readonly file_differs: boolean };
  readonly promotion: string;
}

/** A replica of its own Redis database: `number` keeps tests apart. */
async function openReplica(t: Test, prefix: string, options: TestAppOptions = {}): Promise<TestApp> {
  const env = { REDIS_URL: redis.url, REDIS_KEY_PREFIX: prefix, ...options.env };
  const app = await createTestApp(t, { emulators, policy: FIRST, ...options, env });
  await untilRedisIsUp(app);
  return app;
}

const restore = (app: TestApp, text: string, key: string = KEYS.admin) =>
  app.ask<{ in_force: { why: string } }>('POST', `/v1/policies/history/${hashOf(text)}/restore`, { key });
const release = (app: TestApp, key: string = KEYS.admin) =>
  app.ask<{ in_force: { hash: string } }>('DELETE', '/v1/policies/in-force', { key });
const historyOf = async (app: TestApp) => (await app.ask<History>('GET', '/v1/policies/history')).json;
const readyOf = async (app: TestApp) => (await app.ask<Ready>('GET', '/readyz')).json;
const hashIn = async (app: TestApp) => (await app.decide(GOOD)).json.policy.hash;
const untilJudgesBy = (app: TestApp, text: string) =>
  until(`it judges by ${text.slice(8, 14)}`, async () => (await hashIn(app)) === hashOf(text));
const untilKnown = (app: TestApp, state: string) =>
  until(`it is ${state}`, async () => (await readyOf(app)).policy_in_force.state === state);

/** What replicas share, for a test that changes it behind their backs. */
async function openStore(t: Test, url: string, keyPrefix: string) {
  const handle = createRedisHandle({ target: toTarget({ url, keyPrefix }), name: 'test', budgetMs: 5_000 });
  const store = createRedisPolicyStore({ redis: handle, onEvent: () => {}, lookIntervalMs: 20 });
  t.teardown(async () => {
    await store.close();
    await handle.close();
  });
  await until('it is known', () => store.knowledge() === 'known');
  return { handle, store };
}

/** Two replicas with different files, both of which are remembered. */
async function openTwo(t: Test, prefix: string, options: TestAppOptions = {}) {
  const one = await openReplica(t, prefix, options);
  await untilKnown(one, 'file');
  const other = await openReplica(t, prefix, { policy: SECOND, ...(options.env && { env: options.env }) });
  for (const app of [one, other])
    await until('it has heard of both', async () => (await historyOf(app)).policies.length === 2);
  return { one, other };
}

t.test('replicas agree on a policy that is restored, over their files, also after a restart', async (t) => {
  const { one, other } = await openTwo(t, 'agree');
  t.equal(await hashIn(one), hashOf(FIRST), 'files count, and each has its own');
  t.equal(await hashIn(other), hashOf(SECOND));
  const { json, status } = await restore(other, SECOND);
  t.equal(status, 200);
  t.match(json.in_force, { id: 'second', hash: hashOf(SECOND), why: 'restored', by: 'admin' });
  await untilJudgesBy(one, SECOND);
  t.equal((await one.decide(GOOD)).json.decision, 'CHALLENGE');
  t.match(await readyOf(one), {
    policy: { hash: hashOf(SECOND) },
    policy_in_force: {
      state: 'put',
      put: { id: 'second', hash: hashOf(SECOND), why: 'restored' },
      file_differs: true,
    },
  });
  t.match((await one.ask('GET', '/v1/policies')).json, {
    in_force: {
      id: 'second',
      state: 'put',
      put: { by: 'admin', why: 'restored' },
      file: { id: 'first', hash: hashOf(FIRST), differs: true },
    },
  });
  const metrics = parseScrape((await one.ask('GET', '/metrics')).text);
  t.equal(readValue(metrics, 'riskgate_policy_in_force_state', { state: 'put' }), 1);
  t.equal(readValue(metrics, 'riskgate_policy_differs_from_file'), 1);
  const races = await Promise.all([restore(one, FIRST), restore(other, FIRST)]);
  t.same(
    races.map((each) => each.status).toSorted((left, right) => left - right),
    [200, 409],
  );
  for (const app of [one, other]) await untilJudgesBy(app, FIRST);

  const late = await openReplica(t, 'agree', { policy: SECOND });
  t.equal(await hashIn(late), hashOf(FIRST), 'from its first answer');
  t.match(await readyOf(late), { policy_in_force: { state: 'put', file_differs: true } });
  t.match(
    (await historyOf(late)).policies,
    ['restored', 'restored', 'file', 'file'].map((why) => ({ why })),
  );
  writeFileSync(late.policyFile, THIRD);
  await until('it is told', () => late.events().includes('policy_in_force.file_differs'));
  t.equal(await hashIn(late), hashOf(FIRST));

  t.match((await release(late)).json, { in_force: { why: 'released', hash: hashOf(THIRD) } });
  t.equal(await hashIn(late), hashOf(THIRD));
  await untilJudgesBy(other, SECOND);
  t.equal(await hashIn(one), hashOf(FIRST));
  t.equal((await release(late)).status, 404);
});

t.test('a Redis that is emptied gets back what is in force, and one that is lost leaves it', async (t) => {
  const lost = await startRedisServer(t);
  const env = { REDIS_URL: lost.url };
  const { one, other } = await openTwo(t, 'lost', { env });
  t.equal((await restore(one, SECOND)).status, 200);
  t.equal(await hashIn(one), hashOf(SECOND), 'it is in force with the answer');
  // A replica that has not heard of it yet would write back what was before.
  await untilKnown(other, 'put');
  const { handle, store } = await openStore(t, lost.url, 'lost');
  // It would write back, too.
  await store.close();
  await handle.client.flushall();
  // Whichever replica looks first.
  const told = () => [...one.events(), ...other.events()];
  await until('it is written back', () => told().includes('policy_in_force.restored'));
  t.ok(told().includes('policy_in_force.lost'));
  t.equal(await hashIn(one), hashOf(SECOND));
  const late = await openReplica(t, 'lost', { env });
  t.equal(await hashIn(late), hashOf(SECOND), 'from its first answer');
  t.equal((await historyOf(late)).policies.length, 3);

  await lost.stop();
  await untilKnown(one, 'stale');
  t.equal(await hashIn(one), hashOf(SECOND));
  t.equal((await restore(one, FIRST)).status, 503);
  t.equal((await release(one)).status, 503);
  const alone = await createTestApp(t, { emulators, policy: FIRST, env });
  t.equal(await hashIn(alone), hashOf(FIRST));
  t.match(await readyOf(alone), { policy_in_force: { state: 'unknown', put: null } });
  t.ok(alone.events().includes('policy_in_force.unknown'));
  const metrics = parseScrape((await alone.ask('GET', '/metrics')).text);
  t.equal(readValue(metrics, 'riskgate_policy_in_force_state', { state: 'unknown' }), 1);
  t.equal(readValue(metrics, 'riskgate_policy_differs_from_file'), 0);
});

t.test('a text that cannot be used here leaves what is in force, and is told', async (t) => {
  const lines: string[] = [];
  const env = { DECISION_LOG: 'stdout' };
  const app = await openReplica(t, 'broken', { env, write: (line) => lines.push(line) });
  await untilKnown(app, 'file');
  const { store } = await openStore(t, redis.url, 'broken');
  const text = FIRST.replace('stytch.found', 'stytch.of_a_later_version');
  const rest = { sinceMs: Date.now(), by: 'admin', why: 'promoted', previousHash: null } as const;
  const put = { id: 'first', hash: hashOf(text), text, ...rest };
  t.equal(await store.change({ id: 'put', inForce: put, rollout: null, entry: put }, 0), 'kept');
  await untilKnown(app, 'refused');
  t.equal(await hashIn(app), hashOf(FIRST));
  t.match(await readyOf(app), { policy_in_force: { put: { hash: hashOf(text) }, file_differs: false } });
  t.match(
    app.logs.find(({ event }) => event === 'policy_in_force.refused'),
    { hash: hashOf(text), mistakes: [/of_a_later_version/] },
  );
  t.equal((await release(app)).status, 200);
  await untilKnown(app, 'file');
  await until('it is told', () => lines.join('').includes('"released"'));

  // Nor can it stand beside.
  const beside = { id: 'first', hash: hashOf(text), text, part: {} };
  const change = { id: 'beside', inForce: null, rollout: beside, entry: null };
  await until('it is heard', () => store.state().inForce === null);
  t.equal(await store.change(change, store.state().revision), 'kept');
  await until('it is refused', async () => (await readyOf(app)).promotion === 'unusable');
  t.match((await app.ask('GET', '/v1/policies')).json, { promotion: null, promotion_state: 'unusable' });
  const metrics = parseScrape((await app.ask('GET', '/metrics')).text);
  t.equal(readValue(metrics, 'riskgate_promotion_state', { state: 'unusable' }), 1);
  t.match(
    app.logs.find(({ event }) => event === 'promotion.unusable'),
    { hash: hashOf(text), mistakes: [/of_a_later_version/] },
  );
  const events = lines.join('').match(/.*"policy_changed".*/g) ?? [];
  t.match(
    events.map((line) => JSON.parse(line) as object),
    [
      {
        change: 'released',
        caller: 'admin',
        policy: { hash: hashOf(FIRST) },
        previous: hashOf(FIRST),
        reason: null,
      },
    ],
  );
  writeFileSync(app.policyFile, SECOND);
  await untilJudgesBy(app, SECOND);
  await until(
    'it is told',
    () => lines.join('').includes(`"previous":"${hashOf(FIRST)}"`) && lines.join('').includes('"file"'),
  );
});

t.test('shows policies by their hashes, and refuses what it cannot do alone', async (t) => {
  const app = await createTestApp(t, { emulators, policy: FIRST });
  await app.decide(GOOD);
  t.match(await historyOf(app), {
    policies: [{ id: 'first', hash: hashOf(FIRST), why: 'file', by: null, until: null }],
    kept_in: 'process',
  });
  const shown = await app.ask('GET', `/v1/policies/${hashOf(FIRST)}`, { key: KEYS.read });
  t.match(shown.json, {
    id: 'first',
    text: FIRST,
    in_force: true,
    document: { rules: [{ id: 'r' }] },
    history: [{ why: 'file' }],
  });
  t.equal((await app.ask('GET', `/v1/policies/${hashOf(SECOND)}`)).status, 404);
  t.equal((await app.ask('GET', '/v1/policies/sha256:short')).status, 400);
  const compared = `/v1/policies/${hashOf(FIRST)}/diff?with=`;
  const unknown = await app.ask('GET', compared + hashOf(SECOND));
  t.equal(unknown.status, 404);
  t.equal((await app.ask('GET', `${compared}short`)).status, 400);
  writeFileSync(app.policyFile, SECOND);
  await untilJudgesBy(app, SECOND);
  await until('it is remembered', async () => (await historyOf(app)).policies.length === 2);
  const [first, second] = await Promise.all([1, 2].map(() => app.ask('GET', compared + hashOf(SECOND))));
  t.same(
    [first?.status, second?.status].toSorted((left = 0, right = 0) => left - right),
    [200, 409],
    'one pair at a time',
  );
  const difference = await app.ask('GET', compared + hashOf(SECOND), { key: KEYS.read });
  t.match(difference.json, {
    before: { hash: hashOf(FIRST) },
    after: { hash: hashOf(SECOND) },
    classes: [{ from: 'ALLOW', to: 'CHALLENGE', from_rule: null, to_rule: null, certain: true }],
    classes_total: 1,
    limits: [],
  });
  t.match(await restore(app, FIRST), { status: 409, json: { detail: /Without Redis/ } });
  t.equal((await release(app)).status, 409);
  for (const key of [KEYS.read, KEYS.decide, KEYS.review]) {
    t.equal((await restore(app, FIRST, key)).status, 403);
    t.equal((await release(app, key)).status, 403);
  }
});

t.test('checks one policy at a time that is to be restored, and reads a text once', async (t) => {
  const { one } = await openTwo(t, 'at-once');
  const threads: object[] = [];
  const count = (worker: object) => threads.push(worker);
  process.on('worker', count);
  t.teardown(() => process.off('worker', count));
  const shown = await Promise.all(
    Array.from({ length: 4 }, () => one.ask('GET', `/v1/policies/${hashOf(SECOND)}`)),
  );
  t.match(
    shown.map(({ json }) => json),
    shown.map(() => ({ id: 'second', document: { policy: 'second' } })),
  );
  t.equal(threads.length, 1, 'one thread reads for all');
  const answers = await Promise.all(Array.from({ length: 4 }, () => restore(one, SECOND)));
  const refused = answers.filter(({ status }) => status === 409);
  t.equal(refused.length, 3);
  for (const { json } of refused)
    t.match(json, { code: 'conflict', detail: /^Another policy is being checked: try again/ });
  await untilJudgesBy(one, SECOND);
  t.equal((await restore(one, FIRST)).status, 200, 'and the next one after that');
});

t.test('analyzes a policy in a thread of its own, once', async (t) => {
  const app = await createTestApp(t, {
    emulators,
    policy: `${FIRST}  - {id: dead, when: 'stytch.found && !stytch.found', verdict: BLOCK, reason: D}\n`,
  });
  const { hash } = (await app.ask<{ hash: string }>('GET', '/v1/policy')).json;
  const analysis = (of: string) =>
    app.ask<{ state: string; complete: boolean; findings: readonly { kind: string }[] }>(
      'GET',
      `/v1/policies/${of}/analysis`,
    );
  t.match((await analysis(hash)).json, { hash, state: 'running', findings: [], complete: false });
  await until('it is done', async () => (await analysis(hash)).json.state === 'done');
  const { json } = await analysis(hash);
  t.equal(json.complete, true);
  t.match(
    json.findings.find(({ kind }) => kind === 'dead_rule'),
    { severity: 'error', rule: 'dead', proven: true },
  );
  t.equal((await analysis(hashOf('nothing'))).status, 404);
  t.equal((await analysis('sha256:1')).status, 400);
});
