import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { inspectRedis } from '../../src/stores/redis/inspect.ts';
import { startSentinel } from '../support/redis-sentinels.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { toRedisTarget } from '../support/redis-target.ts';
import { findFreePort } from '../support/start-program.ts';
import { createTestApp, startEmulators, type TestApp, until } from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active' };

interface ReadyBody {
  readonly status: string;
  readonly redis: string;
  readonly redis_problem: { code: string; hint: string; commands: readonly string[] } | null;
}

const emulators = await startEmulators(t);
const redis = await startRedisServer(t, {
  args: () => ['--user', 'reader', 'on', '>right', '~*', '&*', '+@read', '+@connection'],
});
const locked = await startRedisServer(t, { password: 'right' });
const node = await startRedisServer(t, {
  args: async () => ['--cluster-enabled', 'yes', '--cluster-port', String(await findFreePort())],
});
const sentinel = await startSentinel(t, redis);
const lockedSentinel = await startSentinel(t, redis, ['requirepass right']);

const at = (server: RedisServer) => `127.0.0.1:${server.port}`;

/**
 * What is wrong, the environment, the code that names it, whether commands are sent all the same, and a word
 * of the hint.
 */
const MISTAKES: readonly (readonly [
  string,
  Readonly<Record<string, string>>,
  string,
  'up' | 'down',
  RegExp,
])[] = [
  ['no password', { REDIS_URL: locked.url.replace(':right@', '') }, 'NOAUTH', 'down', /password/],
  ['a wrong password', { REDIS_URL: locked.url.replace('right', 'wrong') }, 'WRONGPASS', 'down', /password/],
  ['a user without rights', { REDIS_URL: `redis://reader:right@${at(redis)}` }, 'NOPERM', 'up', /ACL/],
  ['no such database', { REDIS_URL: `${redis.url}/99` }, 'DATABASE_REFUSED', 'down', /database/],
  ['REDIS_URL at a cluster', { REDIS_URL: node.url }, 'CLUSTER_NODE', 'down', /REDIS_CLUSTER/],
  [
    'REDIS_URL at a sentinel',
    { REDIS_URL: `redis://127.0.0.1:${sentinel}` },
    'SENTINEL_NODE',
    'down',
    /MASTER/,
  ],
  ['REDIS_CLUSTER at a single server', { REDIS_CLUSTER: at(redis) }, 'NOT_A_CLUSTER', 'down', /REDIS_URL/],
  [
    'sentinels without such a master',
    { REDIS_SENTINELS: `127.0.0.1:${sentinel}`, REDIS_MASTER: 'other' },
    ...(['MASTER_UNKNOWN', 'down', /REDIS_MASTER/] as const),
  ],
  [
    'a server for a sentinel',
    { REDIS_SENTINELS: at(redis), REDIS_MASTER: 'main' },
    ...(['NOT_A_SENTINEL', 'down', /not a sentinel/] as const),
  ],
  [
    'sentinels that want a password',
    { REDIS_SENTINELS: `127.0.0.1:${lockedSentinel}`, REDIS_MASTER: 'main' },
    ...(['SENTINEL_REFUSED', 'down', /REDIS_SENTINEL_PASSWORD/] as const),
  ],
  [
    'a wrong password behind sentinels',
    {
      REDIS_SENTINELS: `127.0.0.1:${sentinel}`,
      REDIS_MASTER: 'main',
      REDIS_USERNAME: 'reader',
      REDIS_PASSWORD: 'wrong',
    },
    ...(['WRONGPASS', 'down', /password/] as const),
  ],
  ['a cluster that wants rights', { REDIS_CLUSTER: at(locked) }, 'NOAUTH', 'down', /password/],
];

async function open(t: Test, env: Readonly<Record<string, string>>): Promise<TestApp> {
  const app = await createTestApp(t, { emulators, env });
  await until('it is named in the log', () => app.events().includes('redis.misconfigured'));
  return app;
}

for (const [what, env, code, state, hint] of MISTAKES) {
  t.test(`starts, decides, and names ${what}`, async (t) => {
    const app = await open(t, env);
    const lines = app.logs.filter(({ event }) => event === 'redis.misconfigured');
    t.match(lines, [{ level: 'error', code, hint }]);
    t.equal(lines.length, 1, 'once');
    const { status, json } = await app.ask<ReadyBody>('GET', '/readyz');
    t.equal(status, 200, 'Redis is not needed to decide');
    t.match(json, { status: 'ready', redis_problem: { code, hint } });
    if (state === 'down') t.equal(json.redis, 'down');
    const decided = await app.decide(GOOD);
    t.equal(decided.status, 200);
    t.match(decided.json.decision, /^(ALLOW|CHALLENGE)$/);
    t.notMatch(app.logText(), /wrong|right/);
  });
}

t.test('names the commands that the ACL user may not send, and tells when they were granted', async (t) => {
  await redis.command('ACL SETUSER narrow on >right ~riskgate:* &riskgate:* +@all -hset -publish -evalsha');
  const app = await open(t, { REDIS_URL: `redis://narrow:right@${at(redis)}` });
  const { json } = await app.ask<ReadyBody>('GET', '/readyz');
  t.same(json.redis_problem?.commands, ['hset', 'evalsha', 'publish']);
  await redis.command('ACL SETUSER narrow +@all');
  await until('the grant is seen', () => app.events().includes('redis.mended'));
  t.equal((await app.ask<ReadyBody>('GET', '/readyz')).json.redis_problem, null);
});

/** The rights that the manual lists. */
const [LISTED_RIGHTS = '', LOG_RIGHTS = ''] = [
  'user riskgate on >password ',
  'With `DECISION_LOG=redis` also `',
].map((beginning) => readFileSync('docs/redis.md', 'utf8').split(beginning)[1]?.split(/[`\n]/)[0]);

t.test('names the rights that the decision log lacks, where it is in Redis', async (t) => {
  await redis.command(`ACL SETUSER logger on >right ${LISTED_RIGHTS}`);
  const url = `redis://logger:right@${at(redis)}`;
  const without = await createTestApp(t, { emulators, env: { REDIS_URL: url } });
  await until('Redis is up', () => without.events().includes('redis.up'));
  t.equal((await without.ask<ReadyBody>('GET', '/readyz')).json.redis_problem, null);
  t.notOk(without.events().includes('redis.misconfigured'), 'nobody needs them');
  const app = await open(t, { REDIS_URL: url, DECISION_LOG: 'redis' });
  const problem = async () => (await app.ask<ReadyBody>('GET', '/readyz')).json.redis_problem;
  const rights = LOG_RIGHTS.replaceAll('+', '').split(' ').sort();
  t.match(await problem(), { code: 'NOPERM' });
  t.same([...((await problem())?.commands ?? [])].sort(), rights);
  await redis.command(`ACL SETUSER logger ${LOG_RIGHTS}`);
  await until('the grant is seen', () => app.events().includes('redis.mended'));
  t.equal(await problem(), null);
  t.notMatch(await redis.command('KEYS *decisions-0*'), /decisions/, 'nothing is left of the inspection');
});

t.test('notices that the right to append is taken away', async (t) => {
  await redis.command(`ACL SETUSER scribe on >right ${LISTED_RIGHTS} ${LOG_RIGHTS}`);
  const env = { REDIS_URL: `redis://scribe:right@${at(redis)}`, DECISION_LOG: 'redis' };
  const app = await createTestApp(t, { emulators, env });
  await until('the log is up', () => app.events().includes('decision_log.redis_up'));
  await app.decide(GOOD);
  await until('it is recorded', async () => (await redis.command('KEYS *:records')).includes('records'));
  t.notOk(app.events().includes('redis.misconfigured'), 'what the manual lists is enough');
  await redis.command('ACL SETUSER scribe -xadd');
  await app.decide(GOOD);
  await until('it is named', async () => {
    return (await app.ask<ReadyBody>('GET', '/readyz')).json.redis_problem?.commands.join() === 'xadd';
  });
  await until('the refusal is told', () => app.events().includes('decision_log.redis_command_refused'));
});

t.test('has nothing to say of a Redis that is as it should be, or away', async (t) => {
  const own = await startRedisServer(t);
  const app = await createTestApp(t, { emulators, env: { REDIS_URL: own.url } });
  await until('it is up', () => app.events().includes('redis.up'));
  t.equal((await app.ask<ReadyBody>('GET', '/readyz')).json.redis_problem, null);
  await own.stop();
  await until('the loss is told', async () => {
    return (await app.ask<ReadyBody>('GET', '/readyz')).json.redis_problem?.code === 'ECONNREFUSED';
  });
  t.notOk(app.events().includes('redis.misconfigured'));
});

t.test('names the commands that it, or a proxy before it, does not have', async (t) => {
  const renamed = await startRedisServer(t, {
    args: () => ['--rename-command', 'EVAL', '', '--rename-command', 'PUBLISH', 'other'],
  });
  const app = await open(t, { REDIS_URL: renamed.url });
  const { json } = await app.ask<ReadyBody>('GET', '/readyz');
  t.match(json.redis_problem, { code: 'COMMAND_UNKNOWN', commands: ['eval', 'publish'] });
  t.equal((await app.decide(GOOD)).json.decision, 'CHALLENGE', 'custody cannot be had');
});

t.test('names each command that the ACL user may not send', async (t) => {
  const needed =
    'ping set get incrby hset hincrby hgetall pexpire pttl exists eval evalsha publish del subscribe';
  for (const command of needed.split(' ')) {
    await redis.command(`ACL SETUSER lacking reset on >right ~riskgate:* &riskgate:* +@all -${command}`);
    const found = await inspectRedis({
      target: toRedisTarget(`redis://lacking:right@${at(redis)}`),
      holdsDecisions: false,
    });
    t.match(found, { code: 'NOPERM', commands: [command] });
  }
});

t.test('names what a cluster is asked besides', async (t) => {
  await node.command('ACL SETUSER lacking on >right ~* &* +@all -cluster');
  const credentials = { username: 'lacking', password: 'right' };
  const address = { host: '127.0.0.1', port: node.port };
  const access = { credentials, tls: null, keyPrefix: 'riskgate' };
  const found = await inspectRedis({
    target: { topology: 'cluster', nodes: [address], ...access },
    holdsDecisions: false,
  });
  t.match(found, { code: 'NOPERM', commands: ['cluster'] });
});
