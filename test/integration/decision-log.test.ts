import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { DecisionRecord, LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import { idOf, logRecordSchema } from '../../src/domain/decision-log/decision-record.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { startProgram } from '../support/start-program.ts';
import { askForDecision, createServiceEnvironment } from '../support/start-service.ts';
import { createDirectory, createTestApp, portOf, startEmulators, until } from '../support/test-app.ts';

const SUBJECT = { telemetry_id: 'allow', device_id: 'active', action: 'login', account_id: 'canary-account' };
const emulators = await startEmulators(t);

function recordsIn(text: string): LogRecord[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogRecord);
}

t.test('records every answer once, whole, and without raw identifiers', async (t) => {
  let written = '';
  const write = (text: string) => {
    written += text;
  };
  const app = await createTestApp(t, { emulators, env: { DECISION_LOG: 'stdout' }, write });
  const first = await app.decide(SUBJECT, { headers: { 'idempotency-key': '"k"', 'x-request-id': 'r-1' } });
  const again = await app.decide(SUBJECT, { headers: { 'idempotency-key': '"k"' } });
  t.equal(again.headers['idempotency-replayed'], 'true');
  const block = await app.decide({
    telemetry_id: 'canary-nobody',
    device_id: 'canary-nothing',
    ip: '203.0.113.9',
  });
  await app.refused({ nonsense: true });
  await app.close();
  const records = recordsIn(written) as DecisionRecord[];
  t.same(
    records.map(({ decision_id: id }) => id),
    [first.json.decision_id, block.json.decision_id],
    'no replay, and no refusal',
  );
  const [login, stranger] = records;
  t.match(login, {
    decision: first.json.decision,
    caller: 'all',
    entry_point: 'decide',
    action: 'login',
    request_id: 'r-1',
    policy: first.json.policy,
  });
  t.match(stranger, { decision: 'BLOCK', action: null, providers: { stytch: { outcome: 'not_found' } } });
  t.ok((login?.rules.length ?? 0) > 10, 'every rule');
  for (const record of records) t.ok(logRecordSchema.safeParse(record).success);
  t.notMatch(written, /canary|203\.0\.113/);
});

t.test('keeps the latest in memory without being asked to', async (t) => {
  const app = await createTestApp(t, { emulators });
  await app.decide(SUBJECT);
  const { text } = await app.ask('GET', '/metrics', { key: null });
  t.match(text, 'riskgate_decision_log_records_total{sink="memory",result="appended"} 1');
});

t.test('strict: answers 503 while the record cannot be kept, and goes on by itself', async (t) => {
  const redis = await startRedisServer(t);
  const env = {
    DECISION_LOG: 'redis',
    DECISION_LOG_DELIVERY: 'strict',
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '1000',
  };
  const app = await createTestApp(t, { emulators, env });
  await until('Redis is up', () => app.events().includes('decision_log.redis_up'));
  const { json } = await app.decide(SUBJECT);
  t.equal((await app.decide(SUBJECT)).status, 200);
  await redis.stop();
  const refused = await app.refused(SUBJECT, { headers: { 'idempotency-key': '"again"' } });
  t.equal(refused.status, 503);
  t.match(refused.json, { code: 'decision_log_unavailable' });
  t.ok(refused.headers['retry-after']);
  await redis.start();
  await until('it answers again', async () => (await app.decide(SUBJECT)).status === 200);
  const retried = await app.decide(SUBJECT, { headers: { 'idempotency-key': '"again"' } });
  t.equal(retried.headers['idempotency-replayed'], undefined, 'the key was free');
  t.ok(app.events().includes('decision_log.redis_down'));
  t.ok(json.decision_id);
});

t.test('strict: is ready when Redis takes records, and stays so when all replicas lose it', async (t) => {
  const redis = await startRedisServer(t);
  redis.pause();
  const env = {
    DECISION_LOG: 'redis',
    DECISION_LOG_DELIVERY: 'strict',
    DECISION_LOG_TIMEOUT_MS: '200',
    REDIS_URL: redis.url,
  };
  const app = await createTestApp(t, { emulators, env });
  const ready = async () => {
    const { status, json } = await app.ask<{ decision_log_failing: string[] }>('GET', '/readyz', {
      key: null,
    });
    return { code: status, ...json };
  };
  const unable = { code: 503, status: 'decision_log_unavailable', decision_log_failing: ['redis'] };
  t.match(await ready(), unable);
  t.equal((await app.refused(SUBJECT)).status, 503);
  t.match(await ready(), unable);
  redis.resume();
  const able = { code: 200, status: 'ready', decision_log_failing: [] };
  await until('it is ready, though nobody asks', async () => (await ready()).code === 200);
  t.match(await ready(), able);
  redis.pause();
  t.equal((await app.refused(SUBJECT)).status, 503);
  t.match(await ready(), { code: 200, status: 'ready', decision_log_failing: ['redis'] });
  redis.resume();
  await until('nothing fails any more', async () => (await ready()).decision_log_failing.length === 0);
  app.app.drain();
  t.match(await ready(), { code: 503, status: 'draining' });
});

t.test('lossy: answers as ever while Redis is lost, and records the gap', async (t) => {
  const redis = await startRedisServer(t);
  const env = { DECISION_LOG: 'redis', DECISION_LOG_BUFFER_MAX: '2', REDIS_URL: redis.url };
  const app = await createTestApp(t, { emulators, env });
  await until('Redis is up', () => app.events().includes('decision_log.redis_up'));
  await redis.stop();
  for (let asked = 0; asked < 8; asked += 1) {
    t.equal((await app.decide(SUBJECT)).status, 200);
    // The first batch must be under way, so that the buffer can fill behind it.
    if (asked === 0) await delay(150);
  }
  t.ok(app.events().includes('decision_log.dropped'));
  await redis.start();
  const keys = async () => redis.command('KEYS *:records');
  await until('the log is there', async () => (await keys()).includes(':records'));
  const key = (await keys()).split('\r\n').find((line) => line.includes(':records')) ?? '';
  await until('the gap is there', async () =>
    (await redis.command(['XRANGE', key, '-', '+'])).includes('"kind":"gap"'),
  );
});

t.test('strict: a file that is full is a 503, and a new file ends it', { timeout: 60_000 }, async (t) => {
  const path = join(createDirectory(t), 'decisions.ndjson');
  const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  const env = {
    ...createServiceEnvironment(t, origin),
    DECISION_LOG: 'file',
    DECISION_LOG_DELIVERY: 'strict',
    DECISION_LOG_FILE: path,
  };
  // A file may not grow beyond 64 KiB, as on a disk that is full: part of a batch is written, and then
  // nothing. What tap loads into a child would end it with SIGXFSZ, which Node ignores.
  const limited = [
    'bash',
    '-c',
    'unset NODE_OPTIONS; ulimit -f 64; exec "$0" src/main.ts',
    process.execPath,
  ] as const;
  const program = await startProgram(t, [...limited], { env: { ...env, PATH: process.env['PATH'] } });
  const [, port] = await program.until(/"event":"service\.listening".*?"port":(\d+)/);
  const service = `http://127.0.0.1:${port}`;
  const answered: string[] = [];
  const ask = async (): Promise<number> => {
    const response = await askForDecision(service, SUBJECT);
    const body = (await response.json()) as { decision_id?: string; code?: string };
    if (response.status === 200) answered.push(body.decision_id ?? '');
    else t.equal(body.code, 'decision_log_unavailable');
    return response.status;
  };
  await until('the file is full', async () => (await ask()) === 503);
  t.ok(answered.length > 5, `${answered.length} fit`);
  t.equal(await ask(), 503, 'and stays so');
  const ready = async () => {
    const response = await fetch(`${service}/readyz`);
    return { code: response.status, ...((await response.json()) as object) };
  };
  t.match(await ready(), { code: 200, status: 'ready', decision_log_failing: ['file'] }, 'a moment is none');
  const endsAtMs = performance.now() + 30_000;
  while ((await ready()).code === 200 && performance.now() < endsAtMs) await delay(100);
  t.match(await ready(), { code: 503, status: 'decision_log_unavailable', decision_log_failing: ['file'] });
  t.same(recordsIn(readFileSync(path, 'utf8')).map(idOf), answered, 'the file is whole');
  await program.until(/"event":"decision_log\.file_failed","code":"EFBIG"/);
  renameSync(path, `${path}.1`);
  await until('it is ready again, though nobody asks', async () => (await ready()).code === 200);
  t.equal(await ask(), 200);
  await program.until(/"event":"decision_log\.file_recovered"/);
  const [refused, ...kept] = recordsIn(readFileSync(path, 'utf8')).map(idOf);
  t.notOk(answered.includes(refused ?? ''), 'it was tried with a record whose answer was a 503');
  t.same(kept, answered.slice(-1));
});

t.test('DATA_DIR is a history that a restart does not end', async (t) => {
  const env = { DATA_DIR: createDirectory(t) };
  const first = await createTestApp(t, { emulators, env });
  const { json: made } = await first.decide(SUBJECT);
  const stored = () => first.ask('GET', `/v1/decisions/${made.decision_id}`);
  await until('it is recorded', async () => (await stored()).status === 200);
  await first.close();
  const second = await createTestApp(t, { emulators, env });
  const { json: another } = await second.decide({ ...SUBJECT, telemetry_id: 'block' });
  const list = async () => {
    const { json } = await second.ask<{ decisions: { decision_id: string }[] }>('GET', '/v1/decisions');
    return json.decisions.map((decision) => decision.decision_id);
  };
  await until('both are there', async () => (await list()).length === 2);
  t.same(await list(), [another.decision_id, made.decision_id]);
});

t.test('explains a decision of before a restart by the policy of that time', async (t) => {
  const env = { DATA_DIR: createDirectory(t) };
  const policy = (when: string) =>
    `policy: mine\notherwise: ALLOW\nrules:\n  - {id: only, when: '${when}', verdict: BLOCK, reason: ONLY}\n`;
  const first = await createTestApp(t, { emulators, env, policy: policy('stytch.action == "BLOCK"') });
  const { json: made } = await first.decide({ ...SUBJECT, telemetry_id: 'block' });
  await first.close();
  const second = await createTestApp(t, { emulators, env, policy: policy('!stytch.found') });
  const { status, json } = await second.ask<Record<string, unknown>>(
    'GET',
    `/v1/decisions/${made.decision_id}`,
  );
  t.equal(status, 200);
  t.match(json, {
    policy_known: true,
    rules: [{ rule: 'only', condition: 'stytch.action == "BLOCK"', reason: 'ONLY' }],
    without: {
      available: true,
      providers: [{ provider: 'stytch', decision: 'CHALLENGE', changes: true }, { changes: false }, {}],
    },
  });
});
