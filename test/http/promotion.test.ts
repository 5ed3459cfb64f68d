import t, { type Test } from 'tap';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { parseScrape, readValue } from '../support/scrape.ts';
import {
  createManualClock,
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  until,
} from '../support/test-app.ts';

const emulators = await startEmulators(t);
const redis = await startRedisServer(t);

const LIVE = `policy: shop
promotion: { min_decisions: 20, min_hours: 1, max_new_challenges: 20%, max_new_blocks: 20%, max_new_allows: 20% }
otherwise: ALLOW
rules:
  - {id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: UNKNOWN_ID}
`;
const NEXT = `${LIVE}  - {id: payouts, when: 'request.action == "payout"', verdict: CHALLENGE, reason: PAYOUT}
`;
const CASES = `policy: shop.yaml
evidence:
  stytch: { outcome: ok, signals: { found: true } }
cases:
  - { name: a payout, request: { action: payout }, decision: CHALLENGE }
`;

interface Checks {
  readonly candidate: { readonly hash: string };
  readonly passed: boolean;
  readonly checks: readonly { readonly id: string; readonly passed: boolean }[];
  readonly under_way: { readonly stage: string; readonly share: number } | null;
}
interface Policies {
  readonly in_force: { readonly hash: string };
  readonly promotion: { readonly stage: string; readonly latest: object | null } | null;
}

async function open(t: Test) {
  const clock = createManualClock();
  const env = { REDIS_URL: redis.url, DECISION_LOG: 'redis' };
  const app = await createTestApp(t, { emulators, policy: LIVE, env, clock });
  return { app, clock };
}

async function send<Body>(
  app: TestApp,
  method: Method,
  path: string,
  body?: object,
  key: string = KEYS.admin,
) {
  const response = await app.app.server.inject({
    method,
    url: `/v1/policies${path}`,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  });
  return { status: response.statusCode, json: response.json<Body>() };
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

async function register(app: TestApp): Promise<string> {
  const body = { policy: NEXT, tests: CASES };
  const { status, json } = await send<{ candidate: { hash: string }; warnings: unknown }>(
    app,
    'PUT',
    '/shop/candidate',
    body,
  );
  t.strictSame({ status, warnings: json.warnings }, { status: 200, warnings: [] });
  t.match(json, { candidate: { has_tests: true } });
  return json.candidate.hash;
}

const accounts = (count: number, from = 0) =>
  Array.from({ length: count }, (_, place) => `account-${from + place}`);

async function decideAll(app: TestApp, all: readonly string[], action = 'login') {
  const made = [];
  for (const account of all) {
    const { json } = await app.decide({
      telemetry_id: 'allow',
      device_id: 'active',
      account_id: account,
      action,
    });
    made.push(json);
  }
  return made;
}

const checksOf = (app: TestApp) => send<Checks>(app, 'GET', '/shop/promotion', undefined, KEYS.review);
const promote = (app: TestApp, hash: string, share?: number) =>
  send<Checks & { errors: object[] }>(app, 'POST', '/shop/promote', {
    hash,
    ...(share !== undefined && { share }),
  });
const policiesOf = async (app: TestApp) => (await app.ask<Policies>('GET', '/v1/policies')).json;
const failedOf = ({ checks }: Checks) => checks.filter(({ passed }) => !passed).map(({ id }) => id);

/** Waits until so many decisions are in the log. */
async function untilLogged(app: TestApp, count: number) {
  await until('they are in the log', async () => {
    const { json } = await app.ask<{ totals: { total: number } }>('GET', '/v1/stats?window=1h');
    return json.totals.total >= count;
  });
}

t.test('carries a change from its candidate to a share, into force, and back', async (t) => {
  const { app } = await open(t);
  const other = (await open(t)).app;
  const hash = await register(app);
  const live = (await policiesOf(app)).in_force.hash;

  // Nothing is shown yet.
  await decideAll(app, accounts(3));
  await untilLogged(app, 3);
  const early = await checksOf(app);
  t.same(failedOf(early.json), ['decisions', 'new_blocks', 'new_challenges', 'new_allows']);
  t.match(await promote(app, hash), {
    status: 409,
    json: { code: 'conflict', errors: [{ pointer: '/checks/decisions' }, {}, {}, {}] },
  });

  // Enough is.
  await decideAll(app, accounts(30, 3));
  await untilLogged(app, 33);
  t.match((await checksOf(app)).json, { passed: true, under_way: null, candidate: { hash } });

  // A share of accounts, on all replicas, always the same ones.
  t.match(await promote(app, hash, 0.5), {
    status: 200,
    json: { under_way: { stage: 'share', share: 0.5 } },
  });
  await until('the other replica knows it', async () => (await policiesOf(other)).promotion !== null);
  const [here, there] = [
    await decideAll(app, accounts(20), 'payout'),
    await decideAll(other, accounts(20), 'payout'),
  ];
  const hashesOf = (made: typeof here) => made.map(({ policy }) => policy.hash);
  t.same(hashesOf(here), hashesOf(there));
  t.same([...new Set(hashesOf(here))].toSorted(), [hash, live].toSorted());
  for (const { policy, decision } of here) t.equal(decision, policy.hash === hash ? 'CHALLENGE' : 'ALLOW');
  const [anonymous] = await decideAll(app, [''], 'payout');
  t.equal(anonymous?.policy.hash, live, 'who has no account stays');
  t.equal((await policiesOf(app)).in_force.hash, live);

  // Each of the two judges beside the other.
  for (const { decision_id: id, policy } of here.slice(0, 6)) {
    let record: DecisionRecord | undefined;
    await until('it is recorded', async () => {
      const found = await app.ask<DecisionRecord>('GET', `/v1/decisions/${id}`);
      record = found.json;
      return found.status === 200;
    });
    const beside = policy.hash === hash ? live : hash;
    t.match(record?.candidates, [{ policy: { hash: beside } }]);
    t.equal(record?.candidates?.[0]?.not_judged, null);
  }

  // So many payouts are above the limit: it is taken back by itself, by one of them.
  await until('it is taken back', async () => (await policiesOf(app)).promotion === null);
  await until('everywhere', async () => (await policiesOf(other)).promotion === null);
  const aborted = () => [...app.events(), ...other.events()].filter((event) => event === 'promotion.aborted');
  // It is told of after it was made.
  await until('it is told', () => aborted().length > 0);
  t.same(new Set(hashesOf(await decideAll(app, accounts(20)))), new Set([live]));
  t.equal(aborted().length, 1, 'by one of them');
});

t.test('watches what is in force, and puts the former one in force again', async (t) => {
  await redis.command('FLUSHALL');
  const { app } = await open(t);
  const hash = await register(app);
  const live = (await policiesOf(app)).in_force.hash;
  await decideAll(app, accounts(30));
  await untilLogged(app, 30);
  t.match(await promote(app, hash), { status: 200, json: { under_way: { stage: 'watch' } } });
  t.equal((await policiesOf(app)).in_force.hash, hash);
  t.match(await promote(app, hash), { status: 404 }, 'what is in force is no candidate');
  await decideAll(app, accounts(40), 'payout');
  await until('it is taken back', async () => (await policiesOf(app)).in_force.hash === live);
  await until('it is told', () => app.events().includes('promotion.rolled_back'));
  const line = app.logs.find(({ event }) => event === 'promotion.rolled_back');
  t.match(line, { policy: 'shop', hash, previous: live, by: null, failed: [/^new_challenges: \d+ of \d+/] });
  const scrape = parseScrape((await app.ask('GET', '/metrics', { key: null })).text);
  const count = (labels: object) => readValue(scrape, 'riskgate_promotions_total', { ...labels });
  t.equal(count({ change: 'promoted', by: 'caller' }), 1);
  t.equal(count({ change: 'rolled_back', by: 'riskgate' }), 1);
  t.equal(count({ change: 'rolled_back', by: 'caller' }), 0);
  t.equal(readValue(scrape, 'riskgate_promotion_state', { state: 'none' }), 1);
  t.ok(Number(readValue(scrape, 'riskgate_promotion_looks_total', { result: 'counted' })) >= 1);
  t.match(await send(app, 'DELETE', '/shop/promotion'), { status: 404 });
});

t.test('is taken back by hand', async (t) => {
  await redis.command('FLUSHALL');
  const { app } = await open(t);
  const hash = await register(app);
  await decideAll(app, accounts(30));
  await untilLogged(app, 30);
  await promote(app, hash, 0.25);
  const taken = await send(app, 'DELETE', '/shop/promotion');
  t.match(taken, { status: 200, json: { taken_back: { stage: 'share', other: { hash }, share: 0.25 } } });
  t.equal((await policiesOf(app)).promotion, null);
  for (const share of [0, 1.5]) t.equal((await promote(app, hash, share)).status, 400);
  const key = await send(app, 'POST', '/shop/promote', { hash }, KEYS.review);
  t.equal(key.status, 403);
});

t.test('promotes nothing without Redis, and says why', async (t) => {
  const app = await createTestApp(t, { emulators, policy: LIVE });
  const hash = await register(app);
  await decideAll(app, accounts(30));
  await untilLogged(app, 30);
  t.match(await promote(app, hash), {
    status: 409,
    json: { detail: /Without Redis the policy file is the truth/ },
  });
});
