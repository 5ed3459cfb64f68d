import t, { type Test } from 'tap';
import { systemClock } from '../../../../src/platform/clock.ts';
import { createRedisDecisionReader } from '../../../../src/stores/decision-log/redis/decision-reader.ts';
import { createRedisDecisionSink } from '../../../../src/stores/decision-log/redis/decision-sink.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { type RedisServer, startRedisServer } from '../../../support/redis-server.ts';
import { until } from '../../../support/test-app.ts';
import { openRedisHandle } from '../../redis/open-redis-handle.ts';

const HOUR_MS = 3_600_000;
/** So many hours later everything stands in an hour to which nothing is appended any more. */
const LATER_MS = 3 * HOUR_MS;

/** A log that is written now, and a second reader of it who lives later. */
async function open(t: Test, server: RedisServer) {
  const redis = await openRedisHandle(t, { url: server.url });
  const limits = { hourRecordsMax: 1_000, recordsKeptMs: 5 * HOUR_MS, countsKeptMs: 48 * HOUR_MS };
  const options = { redis, clock: systemClock, ...limits };
  const readFrom = (offsetMs: number) => {
    const clock = { ...systemClock, nowMs: () => Date.now() + offsetMs };
    const reader = createRedisDecisionReader({ ...options, clock, writer: 'reader' });
    t.teardown(() => reader.close());
    return reader;
  };
  const append = async (writer: string, ...serials: number[]) => {
    const records = serials.map((serial) => createDecisionRecord(Date.now(), serial));
    const sink = createRedisDecisionSink({ ...options, writer });
    if (!(await sink.append({ number: 1, records }))) throw new Error('a batch was not appended');
    return records;
  };
  const restart = async () => {
    await server.restart();
    await until('it is lost', () => redis.events.some(({ kind }) => kind === 'down'));
    await until('it is back', () => redis.guard.admits());
  };
  return { reader: readFrom(0), later: readFrom(LATER_MS), append, restart };
}

t.test('has no version again after a restart of an empty Redis', async (t) => {
  const { reader, append, restart } = await open(t, await startRedisServer(t));
  await append('first', 1);
  const before = await reader.version();
  t.equal(await reader.version(), before);
  await restart();
  const empty = await reader.version();
  await append('second', 2);
  const after = await reader.version();
  t.equal(new Set([before, empty, after]).size, 3);
});

t.test('has another version when Redis has lost hours that are over', async (t) => {
  const { later, append, restart } = await open(t, await startRedisServer(t));
  await append('first', 1);
  const before = await later.version();
  t.equal(await later.version(), before);
  t.match(await later.readAfter(null, 10), { entries: { length: 1 } });
  await restart();
  t.not(await later.version(), before);
});

t.test('has no version again after a failover to a replica that lags', async (t) => {
  const master = await startRedisServer(t, { args: () => ['--repl-diskless-sync-delay', '0'] });
  const replica = await startRedisServer(t, {
    args: () => ['--replicaof', '127.0.0.1', String(master.port)],
  });
  const first = await open(t, master);
  await first.append('common', 1);
  const held = await first.reader.version();
  await until('the replica has it', async () => (await replica.command('DBSIZE')) !== ':0');
  // What follows does not reach it.
  await replica.command('REPLICAOF NO ONE');
  await first.append('lost', 2);
  const second = await open(t, replica);
  t.equal(await second.reader.version(), held, 'the same content has the same version everywhere');
  await second.append('kept', 3);
  t.not(await second.reader.version(), await first.reader.version());
});

t.test('changes with the label of an old decision, in the same step', async (t) => {
  const server = await startRedisServer(t);
  const { later, append } = await open(t, server);
  const [record] = await append('writer', 1);
  const before = await later.version();
  const said = { label: 'fraud', at: new Date().toISOString(), note: null, caller: 'c' } as const;
  const monitored = await server.monitor(async () => {
    t.match(await later.label(record?.decision_id ?? '', said, true), { kind: 'recorded' });
  });
  t.not(await later.version(), before);
  const sent = monitored
    .split('\n')
    .filter((line) => /\] "/.test(line) && !/ lua\]|"ping"|"quit"|end of/i.test(line));
  t.match(sent.at(-1), /"eval(sha)?"/i, 'nothing can fail between the label and its version');
});
