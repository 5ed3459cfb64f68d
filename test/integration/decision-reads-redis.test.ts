import t, { type Test } from 'tap';
import { systemClock } from '../../src/platform/clock.ts';
import { createRedisDecisionReader } from '../../src/stores/decision-log/redis/decision-reader.ts';
import { createRedisDecisionSink } from '../../src/stores/decision-log/redis/decision-sink.ts';
import { openRedisHandle } from '../stores/redis/open-redis-handle.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { createReadApi } from '../support/read-api.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { openSse, type SseClient } from '../support/sse-client.ts';
import {
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const redis = await startRedisServer(t);
const emulators = await startEmulators(t);

/** A replica on the shared Redis. */
async function openReplica(t: Test, server: RedisServer = redis): Promise<{ app: TestApp; port: number }> {
  const env = {
    DECISION_LOG: 'redis',
    REDIS_URL: server.url,
    REDIS_TIMEOUT_MS: '500',
    DECISION_LOG_TIMEOUT_MS: '2000',
  };
  const app = await createTestApp(t, { emulators, env });
  await untilRedisIsUp(app);
  await until('the log is up', () => app.events().includes('decision_log.redis_up'));
  return { app, port: await app.listen() };
}

async function decideMany(app: TestApp, count: number): Promise<string[]> {
  const made = [];
  for (let place = 0; place < count; place += 1)
    made.push(await app.decide({ telemetry_id: 'allow', device_id: 'active' }));
  return made.map(({ json }) => json.decision_id);
}

const untilDecisions = (client: SseClient, count: number) =>
  client.until(`${count} decisions`, () => client.decisions().length >= count);

t.test('streams decisions of every replica, and goes on elsewhere after a restart', async (t) => {
  const first = await openReplica(t);
  const second = await openReplica(t);
  const client = await openSse(t, first.port, { key: KEYS.read });
  const witness = await openSse(t, second.port, { key: KEYS.read });
  await client.until('ready', (events) => events.length > 0);
  await witness.until('ready', (events) => events.length > 0);
  const all = [...(await decideMany(first.app, 20)), ...(await decideMany(second.app, 20))];
  await untilDecisions(client, 40);
  await untilDecisions(witness, 40);
  t.same(new Set(client.decisions()), new Set(all));
  t.same(client.decisions(), witness.decisions(), 'in the same order everywhere');
  t.same(
    client.events.map(({ id }) => id),
    witness.events.map(({ id }) => id),
    'under the same ids',
  );
  // The replica restarts, while the other one goes on.
  first.app.app.drain();
  await until('the stream has ended', () => client.isClosed);
  t.match(client.events.at(-1), { event: 'end', data: { cause: 'draining' } });
  await first.app.close();
  all.push(...(await decideMany(second.app, 150)));
  await untilDecisions(witness, 190);
  const { app, port } = await openReplica(t);
  const resumed = await openSse(t, port, { key: KEYS.read, lastEventId: client.lastEventId });
  all.push(...(await decideMany(app, 10)));
  await untilDecisions(resumed, 160);
  await untilDecisions(witness, 200);
  t.same([...client.decisions(), ...resumed.decisions()], witness.decisions(), 'no gap and no duplicate');
  t.same(new Set(witness.decisions()), new Set(all));
  const moved = await openSse(t, second.port, { key: KEYS.read, lastEventId: client.lastEventId });
  await untilDecisions(moved, 160);
  t.same(moved.decisions(), resumed.decisions(), 'another replica goes on just as well');
  t.equal([...resumed.events, ...moved.events].filter(({ event }) => event === 'gap').length, 0);
});

t.test('finds, counts and labels what any replica decided', async (t) => {
  const first = await openReplica(t);
  const second = await openReplica(t);
  const { json: made } = await first.app.decide({
    telemetry_id: 'block',
    device_id: 'active',
    account_id: 'acct_r',
  });
  const path = `/v1/decisions/${made.decision_id}`;
  await until('it is in the log', async () => (await second.app.ask('GET', path)).status === 200);
  const { json: list } = await second.app.ask<{ decisions: { decision_id: string }[] }>(
    'GET',
    '/v1/decisions?account_id=acct_r',
  );
  t.same(
    list.decisions.map(({ decision_id: id }) => id),
    [made.decision_id],
  );
  const response = await second.app.app.server.inject({
    method: 'POST',
    url: `${path}/outcome`,
    headers: { authorization: `Bearer ${KEYS.all}` },
    payload: { label: 'fraud' },
  });
  t.equal(response.statusCode, 200);
  t.match((await first.app.ask<object>('GET', path)).json, {
    label: 'fraud',
    policy_known: true,
    without: { available: true },
  });
  const { json: stats } = await first.app.ask<{ totals: { total: number } }>('GET', '/v1/stats');
  t.equal(stats.totals.total, 201);
});

t.test('walks every older decision exactly once while ten thousand arrive in Redis', async (t) => {
  const guarded = await openRedisHandle(t, { url: redis.url, keyPrefix: 'walk' });
  const limits = { hourRecordsMax: 100_000, recordsKeptMs: 7_200_000, countsKeptMs: 7_200_000 };
  const options = { redis: guarded, clock: systemClock, writer: 'writer-1', ...limits };
  const reader = createRedisDecisionReader(options);
  t.teardown(() => reader.close());
  const sink = createRedisDecisionSink(options);
  const api = await createReadApi(t, { reader });
  let serial = 0;
  const append = async (count: number): Promise<string[]> => {
    const records = Array.from({ length: count }, () => {
      serial += 1;
      return createDecisionRecord(Date.now(), serial);
    });
    if (!(await sink.append({ number: serial, records }))) throw new Error('a batch was not appended');
    return records.map(({ decision_id: id }) => id);
  };
  const old = await append(1000);
  const seen: string[] = [];
  let cursor: string | null = '';
  let arrived = 0;
  while (cursor !== null) {
    const { status, json } = await api.get(`/v1/decisions?limit=20${cursor && `&cursor=${cursor}`}`);
    if (status !== 200) throw new Error(`a page was answered ${status}`);
    seen.push(...json.decisions.map(({ decision_id: id }: { decision_id: string }) => id));
    cursor = json.next_cursor;
    arrived += (await append(200)).length;
  }
  t.ok(arrived >= 10_000);
  t.same(seen, old.toReversed());
  const url = '/v1/decisions?limit=100';
  const etag = String((await api.get(url)).headers['etag']);
  const monitored = await redis.monitor(async () => {
    t.equal((await api.get(url, { 'if-none-match': etag })).status, 304);
  });
  const commands = monitored.split('\n').filter((line) => line.includes('walk') && !/"ping"/i.test(line));
  t.ok(commands.length > 0 && commands.length <= 8, `${commands.length} reads`);
  t.notMatch(monitored, /xrange|xrevrange|zrange|hgetall/i, 'no record was read');
  const exported = (await api.get('/v1/decisions/export?decision=CHALLENGE')).text.trimEnd().split('\n');
  t.equal(exported.length, 1000 + arrived);
});

t.test('says so when Redis is lost: 503, and streams that end', { timeout: 60_000 }, async (t) => {
  const own = await startRedisServer(t);
  const { app, port } = await openReplica(t, own);
  const client = await openSse(t, port, { key: KEYS.read });
  await client.until('ready', (events) => events.length > 0);
  await own.stop();
  await until('the log is lost', async () => (await app.ask('GET', '/v1/decisions')).status === 503);
  t.equal((await app.ask('GET', '/v1/stats')).status, 503);
  t.equal((await app.ask('GET', '/v1/decisions/export')).status, 503);
  await until('a stream is refused', async () => (await openSse(t, port, { key: KEYS.read })).status === 503);
  const endsAtMs = performance.now() + 40_000;
  while (!client.isClosed && performance.now() < endsAtMs)
    await new Promise((resolve) => setTimeout(resolve, 50));
  t.match(client.events.at(-1), { event: 'end', data: { cause: 'store_unavailable' } });
});
