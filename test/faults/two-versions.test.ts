import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startPostgresServer } from '../support/postgres-server.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { ROOT, startProgram } from '../support/start-program.ts';
import {
  createServiceEnvironment,
  patienceOf,
  type RunningService,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { createDirectory, portOf, startEmulators, until } from '../support/test-app.ts';

/**
 * A rolling upgrade: replicas of an earlier version and of this one, on one Redis and one PostgreSQL. The earlier
 * one is taken out of the history, and runs on the packages of this one, which have only become more since.
 */
const EARLIER = '0a00b122';

const emulators = await startEmulators(t);
const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;

interface Decided {
  readonly decision_id: string;
  readonly decision: string;
  readonly reasons: readonly { readonly code: string }[];
  readonly providers: Readonly<Record<string, { readonly cache: string }>>;
}

type Asked = [
  replica: RunningService,
  method: string,
  path: string,
  body?: object,
  headers?: Readonly<Record<string, string>>,
];

async function send(...[{ origin: at }, method, path, body, headers = {}]: Asked) {
  const response = await fetch(at + path, {
    method,
    headers: {
      'x-api-key': SERVICE_KEY,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

/** Asks one replica, and has to be answered. */
async function ask<Body>(...asked: Asked): Promise<Body> {
  const { status, text } = await send(...asked);
  const [, method, path] = asked;
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text) as Body;
}

const decide = (replica: RunningService, subject: object, headers = {}) =>
  ask<Decided>(replica, 'POST', '/v1/decide', { device_id: 'active', ...subject }, headers);

/** The files of the earlier version, which finds the packages of this one. */
function checkOut(t: Test): string {
  const directory = createDirectory(t);
  const archive = join(directory, 'earlier.tar');
  execFileSync('git', ['archive', `--output=${archive}`, EARLIER, 'src', 'policies', 'package.json'], {
    cwd: ROOT,
  });
  execFileSync('tar', ['-xf', archive, '-C', directory]);
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

async function open(t: Test) {
  const directory = checkOut(t);
  const redis = await startRedisServer(t);
  const postgres = await startPostgresServer(t);
  const env = {
    ...createServiceEnvironment(t, origin),
    ...patienceOf(10_000),
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '5000',
    HISTORY_URL: await postgres.createDatabase(),
    DECISION_LOG: 'postgres',
    DECISION_LOG_DELIVERY: 'strict',
    DECISION_LOG_TIMEOUT_MS: '10000',
    // The policy of the earlier one for both: first the code, then what only the new code knows.
    POLICY_FILE: join(directory, 'policies/default.yaml'),
  };
  const ready = async (replica: RunningService) => {
    await until('lists are read', async () => {
      const { lists } = (await (await fetch(`${replica.origin}/readyz`)).json()) as { lists?: string };
      return lists === undefined || lists === 'current';
    });
    return replica;
  };
  return {
    startNew: async () => ready(await startService(t, env)),
    startEarlier: async () => {
      const program = await startProgram(t, [process.execPath, 'src/main.ts'], { env, cwd: directory });
      const [, port] = await program.until(/"event":"service\.listening".*?"port":(\d+)/);
      return ready({ ...program, origin: `http://127.0.0.1:${port}` });
    },
  };
}

async function stop(replica: RunningService): Promise<number | null> {
  replica.child.kill('SIGTERM');
  return (await replica.ended).code;
}

/** What one replica does, and the other has to know. `name` keeps the subjects of two calls apart. */
async function expectShared(t: Test, name: string, one: RunningService, other: RunningService) {
  const subject = { telemetry_id: `allow-${name}`, account_id: `of-${name}` };
  const first = await decide(one, subject);
  t.equal(first.decision, 'ALLOW', `${name}: an ALLOW`);
  const replayed = await decide(other, { ...subject, account_id: `other-${name}` });
  t.match(replayed, { decision: 'BLOCK', reasons: [{ code: 'TELEMETRY_REPLAYED' }] }, `${name}: custody`);
  const { decision } = await ask<Decided>(other, 'GET', `/v1/decisions/${first.decision_id}`);
  t.equal(decision, 'ALLOW', `${name}: records`);

  // Where Redis takes longer than 15 ms, a retry is decided again, or finds the first one in flight.
  let tries = 0;
  await until(`${name}: idempotency keys`, async () => {
    tries += 1;
    const retry = { telemetry_id: `allow-retry-${name}`, device_id: 'active' };
    const headers = { 'idempotency-key': `key-${name}-${tries}` };
    const answers = [];
    for (const replica of [one, other])
      answers.push(await send(replica, 'POST', '/v1/decide', retry, headers));
    return new Set(answers.map(({ status, text }) => `${status} ${text}`)).size === 1;
  });

  const challenged = { telemetry_id: `challenge-${name}`, account_id: `stepped-up-${name}` };
  const { decision_id: id, decision: verdict } = await decide(one, challenged);
  t.equal(verdict, 'CHALLENGE');
  await ask(other, 'POST', `/v1/decisions/${id}/outcome`, { label: 'challenge_passed', method: 'otp' });
  t.equal((await decide(one, challenged)).decision, 'ALLOW', `${name}: step-ups`);
  const labelled = await ask<{ labels: readonly { label: string }[] }>(one, 'GET', `/v1/decisions/${id}`);
  t.match(labelled.labels, [{ label: 'challenge_passed' }], `${name}: labels`);

  t.match((await decide(one, subject)).providers, { stytch: { cache: 'hit' } });
  await ask(other, 'DELETE', `/v1/evidence?telemetry_id=${subject.telemetry_id}`);
  await until(`${name}: purges`, async () => {
    const { providers } = await decide(one, { ...subject, max_age_ms: 86_400_000 });
    return providers['stytch']?.cache === 'miss';
  });

  const listed = { telemetry_id: `allow-listed-${name}`, account_id: `listed-${name}` };
  t.equal((await decide(one, listed)).decision, 'ALLOW');
  await ask(other, 'PUT', '/v1/lists/blocked/entries', { account_id: listed.account_id });
  await until(`${name}: lists`, async () => (await decide(one, listed)).decision === 'BLOCK');
}

/** Asks a replica on and on until it is stopped; resolves with the ids of what was answered. */
function askOn(replica: RunningService, name: string) {
  const over = new AbortController();
  const asking = (async () => {
    const ids: string[] = [];
    for (let serial = 0; !over.signal.aborted; serial += 1)
      ids.push((await decide(replica, { telemetry_id: `allow-${name}-${serial}` })).decision_id);
    return ids;
  })();
  return {
    stop: async () => {
      over.abort();
      return asking;
    },
  };
}

const { status } = spawnSync('git', ['cat-file', '-e', `${EARLIER}^{commit}`], { cwd: ROOT });
// A shallow clone, or an archive of the files, has no earlier version to start.
const skip = status === 0 ? false : `${EARLIER} is not in this clone`;

t.test('replicas of two versions share what they keep, forward and back', { skip }, async (t) => {
  const { startEarlier, startNew } = await open(t);
  const earlier = await startEarlier();
  const before = askOn(earlier, 'before');
  // Its start migrates the database, and the earlier one is asked meanwhile.
  const later = await startNew();
  const answered = await before.stop();
  t.ok(answered.length > 0);
  for (const id of answered) await ask(later, 'GET', `/v1/decisions/${id}`);
  await expectShared(t, 'earlier-first', earlier, later);
  await expectShared(t, 'later-first', later, earlier);

  const whileItEnds = askOn(later, 'ending');
  t.equal(await stop(earlier), 0, 'the earlier one ends');
  const alone = await whileItEnds.stop();

  // Back: the new one has written everything by now, and the earlier one starts on it.
  const again = await startEarlier();
  for (const id of [...answered, ...alone].slice(-50)) await ask(again, 'GET', `/v1/decisions/${id}`);
  await expectShared(t, 'back', later, again);
  t.equal(await stop(later), 0);
  t.equal((await decide(again, { telemetry_id: 'allow-alone', account_id: 'alone' })).decision, 'ALLOW');
  t.equal(await stop(again), 0);
});
