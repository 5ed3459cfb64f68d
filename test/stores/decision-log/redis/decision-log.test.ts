import t, { type Test } from 'tap';
import { idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import { systemClock } from '../../../../src/platform/clock.ts';
import { toPlace, toStreamId } from '../../../../src/stores/decision-log/redis/decision-position.ts';
import { createRedisDecisionReader } from '../../../../src/stores/decision-log/redis/decision-reader.ts';
import { withDecisionScripts } from '../../../../src/stores/decision-log/redis/decision-scripts.ts';
import { createRedisDecisionSink } from '../../../../src/stores/decision-log/redis/decision-sink.ts';
import { createDecisionRecord, uuidAt } from '../../../support/decision-records.ts';
import { startRedisServer } from '../../../support/redis-server.ts';
import { until } from '../../../support/test-app.ts';
import { openRedisHandle } from '../../redis/open-redis-handle.ts';

const HOUR_MS = 3_600_000;
const server = await startRedisServer(t);
let openings = 0;

async function open(t: Test, { hourRecordsMax = 100_000, offsetMs = 0 } = {}) {
  openings += 1;
  const keyPrefix = `own-${openings}`;
  const redis = await openRedisHandle(t, { url: server.url, keyPrefix });
  const limits = { hourRecordsMax, recordsKeptMs: 2 * HOUR_MS, countsKeptMs: 48 * HOUR_MS };
  const clock = { ...systemClock, nowMs: () => Date.now() + offsetMs };
  const reader = createRedisDecisionReader({ redis, clock: systemClock, writer: 'reader', ...limits });
  t.teardown(() => reader.close());
  const openSink = (writer: string) => createRedisDecisionSink({ redis, clock, writer, ...limits });
  return { redis, reader, openSink, sink: openSink('writer-1'), keyPrefix };
}

const record = (serial: number) => createDecisionRecord(Date.now(), serial);
const count = async ({ reader }: Awaited<ReturnType<typeof open>>) =>
  (await reader.readAfter(null, 10_000)).entries.length;

t.test('keeps a batch once that is appended again, and those of others', async (t) => {
  const log = await open(t);
  const batch = { number: 1, records: [record(1), record(2)] };
  t.equal(await log.sink.append(batch), true);
  t.equal(await log.sink.append(batch), true, 'as after a reply that was lost');
  t.equal(await count(log), 2);
  t.equal(await log.openSink('writer-2').append({ ...batch, records: [record(3)] }), true);
  t.equal(await count(log), 3);
  const [counted] = await log.reader.counts({ sinceMs: 0, untilMs: Date.now() + HOUR_MS, period: 'hour' });
  t.equal(counted?.counts.get('decision:CHALLENGE'), 3);
});

t.test("goes by the server's clock, whatever its own says", async (t) => {
  for (const offsetMs of [-3 * HOUR_MS, 3 * HOUR_MS]) {
    const log = await open(t, { offsetMs });
    t.equal(await log.sink.append({ number: 1, records: [record(1)] }), true);
    const place = toPlace((await log.reader.newest()) ?? '');
    t.ok(Math.abs((place?.hour ?? 0) - Math.floor(Date.now() / HOUR_MS)) <= 1, `${offsetMs} ms`);
    t.equal(await count(log), 1);
  }
});

t.test('bounds an hour, and its index with it', async (t) => {
  const log = await open(t, { hourRecordsMax: 100 });
  const first = record(0);
  await log.sink.append({ number: 1, records: [first] });
  const { position } = await log.reader.readAfter(null, 1);
  for (let number = 2; number < 12; number += 1) {
    const records = Array.from({ length: 100 }, (_, serial) => record(number * 1000 + serial));
    await log.sink.append({ number, records });
  }
  t.ok((await count(log)) < 400, 'about as many as are wanted');
  t.equal(await log.reader.find(first.decision_id), null);
  t.match(await log.reader.readAfter(position, 10), { isGap: true, entries: { length: 10 } });
});

t.test('finds a decision whose record had to wait, and ids that say no time', async (t) => {
  const log = await open(t);
  const late = { ...record(1), decision_id: uuidAt(Date.now() - 30 * 60_000, 1) };
  const odd = { ...record(2), decision_id: 'decision-1' };
  await log.sink.append({ number: 1, records: [late, odd] });
  t.match(await log.reader.find(late.decision_id), { record: { decision_id: late.decision_id } });
  t.match(await log.reader.find(odd.decision_id), { record: { decision_id: odd.decision_id } });
});

t.test('expires with everything that belongs to it', async (t) => {
  const log = await open(t);
  const made = record(1);
  await log.sink.append({ number: 1, records: [made] });
  await log.reader.label(
    made.decision_id,
    { label: 'fraud', at: made.decided_at, note: null, caller: 'c' },
    true,
  );
  const keys = (await server.command(`KEYS ${log.keyPrefix}:*`))
    .split('\r\n')
    .filter((line) => line.startsWith('own'));
  t.ok(keys.length >= 7, `${keys.length} keys`);
  for (const key of keys) {
    const ttl = Number((await server.command(['PTTL', key])).slice(1));
    // The changes of an hour tell of its counts too.
    const isCount = /:(hour|minute:\d+|minutes-5:\d+|changes)$/.test(key);
    t.ok(ttl > HOUR_MS && ttl < (isCount ? 50 : 4) * HOUR_MS, `${key} ${ttl}`);
  }
});

t.test('is read-only for a stranger: what is no record of ours is left out', async (t) => {
  const log = await open(t);
  await log.sink.append({ number: 1, records: [record(1)] });
  const [key = ''] = (await server.command(`KEYS ${log.keyPrefix}:*:records`))
    .split('\r\n')
    .filter((line) => line.startsWith('own'));
  await server.command(['XADD', key, '*', 'r', '{"kind":"other"}']);
  await server.command(['XADD', key, '*', 'r', 'not json']);
  t.equal(await count(log), 1);
  t.match(await log.reader.query({}, { before: null, limit: 10 }), { entries: { length: 1 }, next: null });
});

t.test('takes what are no labels of ours for none', async (t) => {
  const log = await open(t);
  const labelled = record(1);
  await log.sink.append({ number: 1, records: [labelled] });
  const [key = ''] = await recordsKeyOf(log.keyPrefix);
  const labelsKey = key.replace(/records$/, 'labels');
  const { decision_id: id } = labelled;
  for (const text of ['not json', '{}', '[1]', '[{"label":"loved"}]']) {
    await server.command(['HSET', labelsKey, id, text]);
    t.match(await log.reader.find(id), { record: { decision_id: id }, labels: [] }, text);
  }
  const label = { label: 'fraud', at: '2026-01-01T00:00:00.000Z', note: null, caller: 'a' } as const;
  await t.rejects(log.reader.label(id, label, true), { code: 'conflict' }, 'and does not overwrite it');
  await server.command(['HDEL', labelsKey, id]);
  t.match(await log.reader.label(id, label, true), { kind: 'recorded' });
  t.match(await log.reader.find(id), { labels: [label] });
  // As another version may write it: what is stored is compared as it was read.
  await server.command(['HSET', labelsKey, id, JSON.stringify([{ added: 1, ...label }])]);
  t.match(await log.reader.label(id, { ...label, label: 'legit' }, true), { kind: 'recorded' });
});

t.test('reads on where an entry was lost, and not from the beginning', async (t) => {
  const log = await open(t);
  const records = [1, 2, 3].map(record);
  await log.sink.append({ number: 1, records });
  const { entries } = await log.reader.readAfter(null, 10);
  const [, second, third] = entries;
  const [key = ''] = await recordsKeyOf(log.keyPrefix);
  await server.command(['XDEL', key, streamIdOf(second?.position)]);
  const after = await log.reader.readAfter(second?.position ?? '', 10);
  t.same([after.isGap, after.entries.map(({ record }) => idOf(record))], [true, [records[2]?.decision_id]]);
  await server.command(['XDEL', key, streamIdOf(third?.position)]);
  const none = await log.reader.readAfter(third?.position ?? '', 10);
  t.same([none.isGap, none.entries, none.position], [true, [], entries[0]?.position]);
  t.match(await log.reader.readAfter(none.position, 10), { isGap: false, entries: { length: 0 } });
});

t.test('goes past what is no record of ours, however much there is', async (t) => {
  const log = await open(t);
  const [first, last] = [record(1), record(2)];
  await log.sink.append({ number: 1, records: [first] });
  const [key = ''] = await recordsKeyOf(log.keyPrefix);
  for (let n = 0; n < 12; n += 1) await server.command(['XADD', key, '*', 'r', '{"version":2}']);
  await log.sink.append({ number: 2, records: [last] });
  const seen: string[] = [];
  let { position } = await log.reader.readAfter(null, 1);
  for (let reads = 0; reads < 4; reads += 1) {
    const slice = await log.reader.readAfter(position, 5);
    seen.push(...slice.entries.map(({ record }) => idOf(record)));
    position = slice.position;
  }
  t.same(seen, [last.decision_id]);
});

t.test('indexes what came before its hour began where the hour is searched', async (t) => {
  const { redis, keyPrefix } = await open(t);
  const scripted = withDecisionScripts(redis.client);
  const beginsMs = Date.now() + 3_000;
  const keys = ['records', 'index:', 'changes', 'writers', 'earliest', 'hour', 'minute:', 'minutes-5:'];
  const expiry = String(beginsMs + 2 * HOUR_MS);
  const [status] = await scripted.appendDecisions(
    ...keys.map((name) => `${keyPrefix}:${name}`),
    String(beginsMs + HOUR_MS),
    'writer',
    '1',
    '100',
    expiry,
    expiry,
    expiry,
    '',
    '{}\n',
    'i:x\n',
    'change',
    '0',
  );
  t.equal(status, 'kept');
  const found = await server.command(`KEYS ${keyPrefix}:index:*`);
  t.match(found, `${keyPrefix}:index:${beginsMs}`);
});

t.test(
  'takes a position that no server could have given for none, and asks Redis nothing of it',
  async (t) => {
    const log = await open(t);
    await log.sink.append({ number: 1, records: [record(1)] });
    const [hour, ms] = ((await log.reader.newest()) ?? '').split('-');
    for (const sequence of ['9'.repeat(16), '9'.repeat(90)]) {
      const before = `${hour}-${ms}-${sequence}`;
      t.same(await log.reader.query({}, { before, limit: 10 }), { entries: [], next: null });
      t.match(await log.reader.readAfter(before, 10), { isGap: true });
    }
    t.equal(log.redis.guard.counters().errorReplies, 0);
  },
);

async function recordsKeyOf(keyPrefix: string): Promise<string[]> {
  const found = await server.command(`KEYS ${keyPrefix}:*:records`);
  return found.split('\r\n').filter((line) => line.startsWith('own'));
}

function streamIdOf(position = ''): string {
  const place = toPlace(position);
  return place === null ? '' : toStreamId(place);
}

t.test('says that it cannot be reached, and takes up again', async (t) => {
  const own = await startRedisServer(t);
  const redis = await openRedisHandle(t, { url: own.url });
  const limits = { hourRecordsMax: 100, recordsKeptMs: HOUR_MS, countsKeptMs: HOUR_MS };
  const options = { redis, clock: systemClock, writer: 'w', ...limits };
  const sink = createRedisDecisionSink(options);
  const reader = createRedisDecisionReader(options);
  t.teardown(() => reader.close());
  t.equal(await sink.append({ number: 1, records: [record(1)] }), true);
  await own.stop();
  t.equal(await sink.append({ number: 2, records: [record(2)] }), false);
  await t.rejects(reader.query({}, { before: null, limit: 1 }), { code: 'store_unavailable' });
  await t.rejects(reader.version(), { code: 'store_unavailable' });
  await own.start();
  await until('it is back', () => redis.guard.admits());
  t.equal(await sink.append({ number: 2, records: [record(2)] }), true);
});
