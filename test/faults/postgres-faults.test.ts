import t, { type Test } from 'tap';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { openPostgresLog } from '../support/open-postgres-log.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createTestApp, startEmulators, type TestApp, until } from '../support/test-app.ts';

const SUBJECT = { telemetry_id: 'allow', device_id: 'active' };

const server = await startPostgresServer(t);
const emulators = await startEmulators(t);

const openApp = (t: Test, url: string, env: Readonly<Record<string, string>> = {}): Promise<TestApp> =>
  createTestApp(t, { emulators, env: { HISTORY_URL: url, DECISION_LOG_TIMEOUT_MS: '10000', ...env } });

const STRICT = { DECISION_LOG_DELIVERY: 'strict' };
/** For a PostgreSQL that does not answer: elsewhere a busy machine is given time. */
const HASTY = { ...STRICT, DECISION_LOG_TIMEOUT_MS: '1000' };

async function readyzOf(app: TestApp): Promise<{ status: number; failing: readonly string[] }> {
  const { status, json } = await app.ask<{ decision_log_failing: string[] }>('GET', '/readyz');
  return { status, failing: json.decision_log_failing };
}

const untilReady = (app: TestApp) =>
  until('answers are recorded', async () => {
    const { status, failing } = await readyzOf(app);
    return status === 200 && failing.length === 0;
  });

/** The ids of all decisions in a database, by a log of its own. */
async function idsIn(t: Test, url: string): Promise<string[]> {
  const { reader } = await openPostgresLog(t, url);
  const { entries } = await reader.readAfter(null, 10_000);
  return entries.map(({ record }) => (record as DecisionRecord).decision_id);
}

/** Decides until it is answered, and returns the id; counts the answers of 503 in between. */
async function decideUntilAnswered(app: TestApp): Promise<{ id: string; refusals: number }> {
  let refusals = 0;
  let id = '';
  await until('a decision is answered', async () => {
    const answer = await app.decide(SUBJECT);
    if (answer.status === 503) refusals += 1;
    else id = answer.json.decision_id;
    return id !== '';
  });
  return { id, refusals };
}

t.test('starts while PostgreSQL is down, and is ready when the first record can be written', async (t) => {
  const own = await startPostgresServer(t);
  const url = await own.createDatabase();
  await own.stop();
  const app = await openApp(t, url, HASTY);
  t.equal((await readyzOf(app)).status, 503);
  t.match(await app.refused(SUBJECT), { status: 503, json: { code: 'decision_log_unavailable' } });
  t.match(await app.ask('GET', '/v1/decisions'), { status: 503, json: { code: 'store_unavailable' } });
  await own.start();
  await untilReady(app);
  const { id } = await decideUntilAnswered(app);
  t.ok((await idsIn(t, url)).includes(id));
  t.match(await app.ask('GET', `/v1/decisions/${id}`), { status: 200 });
});

t.test('answers without PostgreSQL where nothing waits for it, and records each decision once', async (t) => {
  const own = await startPostgresServer(t);
  const url = await own.createDatabase();
  await own.stop();
  const app = await openApp(t, url);
  const made: string[] = [];
  for (let place = 0; place < 20; place += 1) made.push((await app.decide(SUBJECT)).json.decision_id);
  await own.start();
  made.push((await app.decide(SUBJECT)).json.decision_id);
  const { reader } = await openPostgresLog(t, url);
  await until(
    'all are recorded',
    async () => (await reader.readAfter(null, 100)).entries.length >= made.length,
  );
  t.same(await idsIn(t, url), made);
});

t.test('drops what does not fit while PostgreSQL is down, and says so in its place', async (t) => {
  const url = await server.createDatabase();
  const proxy = await startTcpProxy(t, server.port);
  const app = await openApp(t, url.replace(String(server.port), String(proxy.port)), {
    DECISION_LOG_BUFFER_MAX: '5',
  });
  await app.decide(SUBJECT);
  const { reader } = await openPostgresLog(t, url);
  const kept = async () => (await reader.readAfter(null, 100)).entries.map(({ record }) => record);
  await until('the first is recorded', async () => (await kept()).length === 1);
  proxy.cut();
  for (let place = 0; place < 30; place += 1) await app.decide(SUBJECT);
  await until('it is told', () => app.events().includes('decision_log.dropped'));
  proxy.mend();
  await until('there is a gap', async () => (await kept()).some(({ kind }) => kind === 'gap'));
  const records = await kept();
  const dropped = records.reduce((sum, record) => sum + (record.kind === 'gap' ? record.dropped : 0), 0);
  t.equal(records.filter(({ kind }) => kind === 'decision').length + dropped, 31);
});

t.test('loses no answered decision over restarts of PostgreSQL', async (t) => {
  const own = await startPostgresServer(t);
  const url = await own.createDatabase();
  const app = await openApp(t, url, STRICT);
  await untilReady(app);
  const answered: string[] = [];
  for (let restart = 0; restart < 3; restart += 1) {
    for (let place = 0; place < 5; place += 1) answered.push((await decideUntilAnswered(app)).id);
    const restarting = own.restart();
    const { id } = await decideUntilAnswered(app);
    answered.push(id);
    await restarting;
  }
  await untilReady(app);
  answered.push((await decideUntilAnswered(app)).id);
  const ids = await idsIn(t, url);
  t.same(
    answered.filter((id) => !ids.includes(id)),
    [],
  );
  t.equal(new Set(ids).size, ids.length, 'none is there twice');
});

for (const [how, disturb] of Object.entries({
  'answers late': async (t: Test, own: PostgresServer) => {
    const proxy = await startTcpProxy(t, own.port);
    return {
      port: proxy.port,
      begin: () => proxy.setDelayMs(4_000),
      end: () => proxy.setDelayMs(0),
    };
  },
  'answers nothing': async (_: Test, own: PostgresServer) => ({
    port: own.port,
    begin: () => own.pause(),
    end: () => own.resume(),
  }),
}))
  t.test(`refuses in time while PostgreSQL ${how}, and goes on when it is over`, async (t) => {
    const own = await startPostgresServer(t);
    const url = await own.createDatabase();
    const { port, begin, end } = await disturb(t, own);
    const app = await openApp(t, url.replace(String(own.port), String(port)), HASTY);
    await untilReady(app);
    const { id } = await decideUntilAnswered(app);
    begin();
    t.match(await app.refused(SUBJECT), { status: 503, json: { code: 'decision_log_unavailable' } });
    t.match(await readyzOf(app), { status: 200, failing: ['postgres'] });
    end();
    await untilReady(app);
    const { id: later } = await decideUntilAnswered(app);
    const ids = await idsIn(t, url);
    t.ok(ids.includes(id) && ids.includes(later));
    t.equal(new Set(ids).size, ids.length, 'none is there twice');
  });

t.test('refuses while PostgreSQL takes no writes, still reads it, and goes on by itself', async (t) => {
  const own = await startPostgresServer(t);
  const url = await own.createDatabase();
  const app = await openApp(t, url, STRICT);
  await untilReady(app);
  const { id } = await decideUntilAnswered(app);
  await own.query('ALTER SYSTEM SET default_transaction_read_only = on');
  await own.query('SELECT pg_reload_conf()');
  await until('it is noticed', async () => (await app.decide(SUBJECT)).status === 503);
  await until('it is told', () => app.events().includes('decision_log.postgres_down'));
  t.match(await app.ask('GET', `/v1/decisions/${id}`), { status: 200 });
  t.match(await app.ask('GET', '/v1/decisions'), { status: 200 });
  await own.query(
    'ALTER SYSTEM RESET default_transaction_read_only',
    'postgres?options=-c%20default_transaction_read_only%3Doff',
  );
  await own.query('SELECT pg_reload_conf()');
  await untilReady(app);
  t.equal((await decideUntilAnswered(app)).refusals, 0);
});

t.test('refuses while the disk of PostgreSQL is full, and goes on when there is room', async (t) => {
  const url = await server.createDatabase();
  const name = new URL(url).pathname.slice(1);
  const app = await openApp(t, url, STRICT);
  await untilReady(app);
  await server.query(
    `CREATE FUNCTION public.fill() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON riskgate.writers EXECUTE FUNCTION public.fill()`,
    name,
  );
  t.match(await app.refused(SUBJECT), { status: 503, json: { code: 'decision_log_unavailable' } });
  t.match(
    app.logs.find(({ event }) => event === 'decision_log.postgres_down'),
    { code: '53100' },
  );
  t.match(await app.ask('GET', '/v1/decisions'), { status: 200 });
  await server.query('DROP TRIGGER full_disk ON riskgate.writers', name);
  await untilReady(app);
  const { id } = await decideUntilAnswered(app);
  t.ok((await idsIn(t, url)).includes(id));
});

t.test('goes over to the replica that takes over, without losing an answered decision', async (t) => {
  const primary = await startPostgresServer(t);
  const url = await primary.createDatabase();
  const replica = await startPostgresServer(t, { primary });
  await primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
  await primary.query('SELECT pg_reload_conf()');
  await until('the replica is in step', async () => {
    const [row] = await primary.query<{ state: string }>(
      'SELECT sync_state AS state FROM pg_stat_replication',
    );
    return row?.state === 'sync';
  });
  const both = url.replace(
    `127.0.0.1:${primary.port}`,
    `127.0.0.1:${primary.port},127.0.0.1:${replica.port}`,
  );
  const app = await openApp(t, both, { ...STRICT, DECISION_LOG_TIMEOUT_MS: '3000' });
  await untilReady(app);
  const answered: string[] = [];
  for (let place = 0; place < 20; place += 1) answered.push((await decideUntilAnswered(app)).id);
  await primary.stop();
  t.equal((await app.decide(SUBJECT)).status, 503, 'the replica takes no writes yet');
  t.match(await app.ask('GET', `/v1/decisions/${answered[0]}`), { status: 200 }, 'but can be read');
  await replica.promote();
  answered.push((await decideUntilAnswered(app)).id);
  const ids = await idsIn(t, replica.url(new URL(url).pathname.slice(1)));
  t.same(
    answered.filter((id) => !ids.includes(id)),
    [],
  );
  t.equal(new Set(ids).size, ids.length, 'none is there twice');
});
