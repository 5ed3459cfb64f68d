import t from 'tap';
import type { LogPosition } from '../../src/application/decision-log/decision-log.ts';
import { idOf } from '../../src/domain/decision-log/decision-record.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { openPostgresLog } from '../support/open-postgres-log.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { createRandom } from '../support/random.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const REPLICAS = 4;
const BATCHES = 60;
/** More than is written meanwhile, so that it reads at the very end of the log. */
const SLICE = 5_000;

const server = await startPostgresServer(t);

t.test('shows a follower every record of all replicas once, while they write side by side', async (t) => {
  const url = await server.createDatabase();
  const { reader } = await openPostgresLog(t, url);
  const sinks = await Promise.all(Array.from({ length: REPLICAS }, () => openPostgresLog(t, url)));
  const random = createRandom(5);
  const written = new Set<string>();
  let serial = 0;
  const write = async ({ sink }: (typeof sinks)[number]) => {
    for (let number = 1; number <= BATCHES; number += 1) {
      const size = 1 + Math.floor(random() ** 3 * 300);
      const firstSerial = serial;
      serial += size;
      const records = Array.from({ length: size }, (_, place) =>
        createDecisionRecord(Date.now(), firstSerial + place),
      );
      if (!(await sink.append({ number, records }))) throw new Error('a batch was not kept');
      for (const record of records) written.add(idOf(record));
    }
  };
  const progress = { isWriting: true };
  const writing = Promise.all(sinks.map(write)).finally(() => {
    progress.isWriting = false;
  });
  const seen: string[] = [];
  const positions: LogPosition[] = [];
  let position: LogPosition | null = null;
  let slices = 0;
  for (;;) {
    const wasWriting = progress.isWriting;
    const slice = await reader.readAfter(position, SLICE);
    if (!wasWriting && slice.entries.length === 0) break;
    if (slice.isGap) t.fail(`a gap after ${position}`);
    position = slice.position;
    if (wasWriting && slice.entries.length > 0) slices += 1;
    for (const entry of slice.entries) {
      seen.push(idOf(entry.record));
      positions.push(entry.position);
    }
  }
  await writing;
  t.ok(slices > REPLICAS, `it followed while they wrote: ${slices} slices`);
  t.equal(seen.length, written.size);
  t.same(new Set(seen), written);
  t.same(positions.toSorted(), positions);
  const newest = await reader.newest();
  t.equal(newest, position);
});

t.test('keeps a batch once whose answer was lost', async (t) => {
  const url = await server.createDatabase();
  const proxy = await startTcpProxy(t, server.port);
  const through = url.replace(`:${server.port}/`, `:${proxy.port}/`);
  const { sink, reader } = await openPostgresLog(t, through, { timeoutMs: 1000 });
  const first = [createDecisionRecord(Date.now(), 1)];
  t.equal(await sink.append({ number: 1, records: first }), true);
  proxy.setDelayMs(5_000);
  const second = [createDecisionRecord(Date.now(), 2)];
  t.equal(await sink.append({ number: 2, records: second }), false, 'it is given up');
  proxy.setDelayMs(0);
  while (!(await sink.append({ number: 2, records: second })));
  const { entries } = await reader.readAfter(null, 10);
  t.same(
    entries.map(({ record }) => idOf(record)),
    [...first, ...second].map(idOf),
  );
});

t.test('keeps nothing of a batch that waited in vain for others, until it is tried again', async (t) => {
  const url = await server.createDatabase();
  const { sink, reader } = await openPostgresLog(t, url, { timeoutMs: 1000 });
  t.equal(await sink.append({ number: 1, records: [] }), true);
  const other = await server.hold(url, 'SELECT riskgate.lock_history()');
  const records = [createDecisionRecord(Date.now(), 1)];
  t.equal(await sink.append({ number: 2, records }), false);
  await other.release();
  t.same((await reader.readAfter(null, 10)).entries, []);
  while (!(await sink.append({ number: 2, records })));
  t.equal((await reader.readAfter(null, 10)).entries.length, 1);
});
