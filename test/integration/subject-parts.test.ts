import t, { type Test } from 'tap';
import type { DecisionBody, ProviderBody } from '../support/answer.ts';
import { askGateway, createGatewayApp, riskOf } from '../support/ask-gateway.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { accountScore, addressScore } from '../support/scores/index.ts';
import {
  createTestApp,
  startEmulators,
  type TestApp,
  type TestAppOptions,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const POLICY = `
policy: scores
otherwise: ALLOW
rules:
  - { id: bad-address, when: 'address_score.found && address_score.score > 80', verdict: BLOCK, reason: ADDRESS }
  - { id: bad-account, when: 'account_score.found && account_score.score > 80', verdict: BLOCK, reason: ACCOUNT }
`;
const IDS = { telemetry_id: 'allow', device_id: 'active' };
const providers = [...VENDORS, addressScore, accountScore];
const emulators = await startEmulators(t, {}, providers);
const redis = await startRedisServer(t);

const open = (t: Pick<Test, 'teardown'>, options: TestAppOptions = {}) =>
  createTestApp(t, { emulators, providers, policy: POLICY, ...options });

/** The decision, its reasons, and how each of the two providers ended. */
async function decide(app: TestApp, fields: object): Promise<readonly string[]> {
  const { json } = await app.decide({ ...IDS, ...fields });
  const reasons = json.reasons.map(({ code }) => code);
  return [[json.decision, ...reasons].join(' '), ...endsOf(json)];
}

function endsOf({ providers }: DecisionBody): readonly string[] {
  const all: Readonly<Record<string, ProviderBody>> = providers;
  return [addressScore, accountScore].map(({ id }) => `${all[id]?.outcome} ${all[id]?.cache}`);
}

t.test('a decision reads the signals of a provider of addresses, and of one of accounts', async (t) => {
  const app = await open(t);
  const good = await decide(app, { ip: '203.0.113.1', account_id: 'good' });
  t.same(good, ['ALLOW', 'ok miss', 'ok miss']);
  t.match(await decide(app, { ip: '203.0.113.9', account_id: 'good' }), ['BLOCK ADDRESS']);
  t.match(await decide(app, { ip: '203.0.113.1', account_id: 'taken-over' }), ['BLOCK ACCOUNT']);
  t.match(await decide(app, { ip: '203.0.113.44', account_id: 'unknown' }), [
    'ALLOW',
    /not_found/,
    /not_found/,
  ]);
});

t.test('evidence about an address is cached, whatever its spelling', async (t) => {
  const app = await open(t);
  for (const [ip, spellings] of [
    ['203.0.113.9', ['::ffff:203.0.113.9', '203.0.113.9:443', '::FFFF:cb00:7109']],
    ['2001:db8::9', ['2001:DB8:0::0009', '[2001:db8::9]:443']],
  ] as const) {
    t.match(await decide(app, { ip }), ['BLOCK ADDRESS', 'ok miss', 'skipped none'], ip);
    for (const other of spellings)
      t.match(await decide(app, { ip: other }), ['BLOCK ADDRESS', 'ok hit'], other);
  }
});

t.test(
  'a request without address and account has these providers skipped, and their rules inert',
  async (t) => {
    const app = await open(t);
    for (const none of [{}, { account_id: '' }])
      t.same(await decide(app, none), ['ALLOW', 'skipped none', 'skipped none']);
  },
);

t.test('a provider of addresses that fails is a challenge', async (t) => {
  const app = await open(t);
  t.match(await decide(app, { ip: '198.51.100.5' }), [
    'CHALLENGE ADDRESS',
    'unavailable miss',
    'skipped none',
  ]);
});

t.test('an account that no provider can be asked about is a challenge, and not absent', async (t) => {
  const app = await open(t);
  t.same(await decide(app, { ip: '203.0.113.1', account_id: '\ud800' }), [
    'CHALLENGE ACCOUNT',
    'ok miss',
    'invalid_request none',
  ]);
});

t.test('an address that a gateway fails to tell is not asked about, and a challenge', async (t) => {
  const profiles = { told: { ip_header: 'X-Real-IP', account_id: [{ header: 'X-Account' }] } };
  const app = await createGatewayApp(t, profiles, { emulators, providers, policy: POLICY });
  const ask = async (headers: Readonly<Record<string, string>>, profile = 'told') =>
    riskOf(await askGateway(app, { profile, headers }));
  const asked = () => emulators.callCounts()[addressScore.id];
  t.equal(await ask({ 'x-real-ip': '203.0.113.1' }), 'ALLOW id none');
  t.equal(await ask({ 'x-real-ip': '::ffff:203.0.113.9' }), 'BLOCK id ADDRESS');
  t.equal(await ask({ 'x-real-ip': '203.0.113.1', 'x-account': 'taken-over' }), 'BLOCK id ACCOUNT');
  const before = asked();
  for (const headers of [{}, { 'x-real-ip': '' }, { 'x-real-ip': 'unknown' }, { 'x-real-ip': '010.0.0.1' }])
    t.equal(await ask(headers), 'CHALLENGE id ADDRESS', JSON.stringify(headers));
  t.equal(
    await ask({ 'x-real-ip': '203.0.113.9' }, 'default'),
    'ALLOW id none',
    'one that nobody was to tell',
  );
  t.equal(asked(), before);
});

t.test('the same question about another account is another decision', async (t) => {
  const profiles = { told: { account_id: [{ header: 'X-Account' }] } };
  const app = await createGatewayApp(t, profiles, { emulators, providers, policy: POLICY });
  const ask = async (account: string) =>
    (await askGateway(app, { profile: 'told', headers: { 'x-account': account } })).headers[
      'x-risk-decision-id'
    ];
  const first = await ask('one');
  t.equal(await ask('one'), first);
  t.not(await ask('two'), first);
});

t.test('no address and no account gets into logs, records, metrics or Redis', async (t) => {
  await redis.restart();
  const lines: string[] = [];
  const app = await open(t, {
    env: {
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: '2000',
      DECISION_DEADLINE_MS: '5000',
      DECISION_LOG: 'stdout,redis',
    },
    write: (line) => void lines.push(line),
  });
  await untilRedisIsUp(app);
  const traffic = await redis.monitor(async () => {
    for (const ip of ['203.0.113.9', '198.51.100.5']) await decide(app, { ip, account_id: 'taken-over' });
    await app.ask('DELETE', '/v1/evidence?ip=203.0.113.9&account_id=taken-over');
    await until('both decisions are recorded', () => lines.join('').split('"kind":"decision"').length > 2);
  });
  const metrics = await app.ask('GET', '/metrics');
  for (const text of [app.logText(), lines.join(''), metrics.text, traffic]) {
    t.ok(text.length > 0);
    t.notMatch(text, /203\.0\.113\.9|198\.51\.100|taken-over/);
  }
});

for (const level of ['memory', 'memory and Redis'] as const) {
  t.test(`a purge of an address reaches its provider and no other, in ${level}`, async (t) => {
    let env = {};
    if (level !== 'memory') {
      await redis.restart();
      env = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000', DECISION_DEADLINE_MS: '5000' };
    }
    const app = await open(t, { env });
    if (level !== 'memory') await untilRedisIsUp(app);
    const purge = (query: string) => app.ask<{ purged: string[] }>('DELETE', `/v1/evidence?${query}`);
    const fields = { ip: '203.0.113.1', account_id: 'good' };
    await decide(app, fields);
    t.same(await decide(app, fields), ['ALLOW', 'ok hit', 'ok hit']);
    t.same((await purge('device_id=203.0.113.1')).json, { purged: ['mobilerun', 'prefactor'] });
    t.same(await decide(app, fields), ['ALLOW', 'ok hit', 'ok hit']);
    t.same((await purge('ip=[::ffff:203.0.113.1]:443')).json, { purged: ['address_score'] });
    t.same(await decide(app, fields), ['ALLOW', 'ok miss', 'ok hit']);
    // Others than these: what was purged is refused by Redis for some seconds.
    const others = { ip: '203.0.113.2', account_id: 'better' };
    await decide(app, others);
    t.same((await purge('account_id=better')).json, { purged: ['account_score'] });
    t.same(await decide(app, others), ['ALLOW', 'ok hit', 'ok miss']);
    for (const query of ['', 'ip=', 'ip=010.0.0.1', 'ip=unknown', 'account_id=', 'ip=1.2.3.4&ip=1.2.3.4'])
      t.equal((await purge(query)).status, 400, query);
  });
}

t.test('a purge takes no parts that no provider is asked about', async (t) => {
  const app = await createTestApp(t);
  for (const query of ['ip=203.0.113.9', 'account_id=a', 'telemetry_id=a&ip=203.0.113.9'])
    t.equal((await app.ask('DELETE', `/v1/evidence?${query}`)).status, 400, query);
});

t.test('the API description names the parameters that these providers bring', async (t) => {
  const app = await open(t);
  const { json, text } = await app.ask<{
    paths: { '/v1/evidence': { delete: { parameters: { name: string }[] } } };
  }>('GET', '/openapi.json');
  const names = json.paths['/v1/evidence'].delete.parameters.map(({ name }) => name);
  t.same(names, ['telemetry_id', 'device_id', 'ip', 'account_id']);
  t.notMatch(text, /"format":"ip"/, 'no JSON Schema format');
});
