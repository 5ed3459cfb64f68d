import t, { type Test } from 'tap';
import type {
  DecisionLogReader,
  LogPage,
  LogPosition,
} from '../../../../src/application/decision-log/decision-log.ts';
import { idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import type { RecordFilter } from '../../../../src/domain/decision-log/record-filter.ts';
import { systemClock } from '../../../../src/platform/clock.ts';
import { createRedisDecisionReader } from '../../../../src/stores/decision-log/redis/decision-reader.ts';
import { createRedisDecisionSink } from '../../../../src/stores/decision-log/redis/decision-sink.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { startRedisServer } from '../../../support/redis-server.ts';
import { openRedisHandle } from '../../redis/open-redis-handle.ts';

const HOUR_MS = 3_600_000;
const server = await startRedisServer(t);
let openings = 0;

/** A log of long ago by the clock of its reader. */
async function openOld(t: Test, count: number) {
  openings += 1;
  const redis = await openRedisHandle(t, { url: server.url, keyPrefix: `old-${openings}` });
  const limits = { hourRecordsMax: 100_000, recordsKeptMs: 1_000 * HOUR_MS, countsKeptMs: HOUR_MS };
  const options = { redis, writer: 'writer', ...limits };
  const clock = { ...systemClock, nowMs: () => Date.now() + 400 * HOUR_MS };
  const reader = createRedisDecisionReader({ ...options, clock });
  t.teardown(() => reader.close());
  const records = Array.from({ length: count }, (_, serial) =>
    createDecisionRecord(Date.now(), serial, serial % 1_000 === 0 ? { decision: 'BLOCK' } : {}),
  );
  const sink = createRedisDecisionSink({ ...options, clock: systemClock });
  for (let at = 0; at < count; at += 500)
    t.equal(await sink.append({ number: at + 1, records: records.slice(at, at + 500) }), true);
  return { reader, records };
}

async function walk(reader: DecisionLogReader, filter: RecordFilter) {
  const found: string[] = [];
  let commandsMax = 0;
  let queries = 0;
  let before: LogPosition | null = null;
  do {
    const asked = Promise.withResolvers<LogPage>();
    const options = { before, limit: 10 };
    const monitored = await server.monitor(async () => asked.resolve(await reader.query(filter, options)));
    const page = await asked.promise;
    found.push(...page.entries.map(({ record }) => idOf(record)));
    before = page.next;
    queries += 1;
    commandsMax = Math.max(commandsMax, monitored.split('\n').length);
  } while (before !== null);
  return { found, commandsMax, queries };
}

t.test('reads a bounded part of a long index for one query, and finds everything in the end', async (t) => {
  const { reader, records } = await openOld(t, 3);
  const device = records[0]?.subject.devices[0] ?? '';
  const { found, commandsMax, queries } = await walk(reader, { device: [device] });
  t.same(found, records.map(({ decision_id: id }) => id).reverse(), 'each once');
  t.ok(commandsMax < 2_000, `${commandsMax} commands`);
  t.ok(queries > 30, `${queries} queries`);
});

t.test('reads a bounded number of hours without records for one query', async (t) => {
  const { reader, records } = await openOld(t, 3);
  const { found, commandsMax } = await walk(reader, {});
  t.same(found, records.map(({ decision_id: id }) => id).reverse());
  t.ok(commandsMax < 50, `${commandsMax} commands`);
});

t.test('looks at a bounded number of records of one subject for one query', async (t) => {
  const { reader, records } = await openOld(t, 12_000);
  const device = records[0]?.subject.devices[0] ?? '';
  const { found, commandsMax } = await walk(reader, { device: [device], decision: 'BLOCK' });
  const wanted = records.filter(({ decision }) => decision === 'BLOCK').map(({ decision_id: id }) => id);
  t.same(found, wanted.reverse(), 'each once');
  t.ok(commandsMax < 7_500, `${commandsMax} commands`);
});
