import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { openDecisionFile } from '../../src/stores/decision-log/file/decision-file.ts';
import { createMemoryDecisionLog } from '../../src/stores/decision-log/memory/decision-log.ts';
import { createRedisDecisionReader } from '../../src/stores/decision-log/redis/decision-reader.ts';
import { createRedisDecisionSink } from '../../src/stores/decision-log/redis/decision-sink.ts';
import { createDecisionStream } from '../../src/stores/decision-log/stdout/decision-stream.ts';
import { openRedisHandle } from '../stores/redis/open-redis-handle.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createDirectory, createManualClock } from '../support/test-app.ts';
import { type ReaderTwin, type SinkTwin, testDecisionLogReader, testDecisionSink } from './decision-log.ts';

const KEPT_MS = 30 * 86_400_000;

const memoryReader: ReaderTwin = {
  id: 'memory',
  open: async () => {
    const clock = createManualClock();
    const log = createMemoryDecisionLog({ clock, recordsMax: 50_000, countsKeptMs: KEPT_MS });
    return { sink: log, reader: log, nowMs: clock.nowMs };
  },
};

const memorySink: SinkTwin = {
  id: 'memory',
  open: (t) => openSinkOf(t, memoryReader),
};

async function openSinkOf(t: Test, twin: ReaderTwin) {
  const { sink, reader } = await twin.open(t);
  const held = async () => (await reader.readAfter(null, 5000)).entries.map(({ record }) => record);
  return { sink, held };
}

const server = await startRedisServer(t);
let openings = 0;

const redisReader: ReaderTwin = {
  id: 'redis',
  open: async (t) => {
    openings += 1;
    const redis = await openRedisHandle(t, { url: server.url, keyPrefix: `test-${openings}` });
    const limits = { hourRecordsMax: 100_000, recordsKeptMs: 2 * 3_600_000, countsKeptMs: KEPT_MS };
    const options = { redis, clock: systemClock, writer: 'writer-1', ...limits };
    const reader = createRedisDecisionReader(options);
    t.teardown(() => reader.close());
    return { sink: createRedisDecisionSink(options), reader, nowMs: systemClock.nowMs };
  },
};

const redisSink: SinkTwin = { id: 'redis', open: (t) => openSinkOf(t, redisReader) };

const fileSink: SinkTwin = {
  id: 'file',
  open: async (t) => {
    const path = join(createDirectory(t), 'decisions.ndjson');
    const sink = await openDecisionFile({ path, isSynced: true, onEvent: () => {} });
    t.teardown(() => sink.close());
    return { sink, held: async () => parseLines(readFileSync(path, 'utf8')) };
  },
};

const streamSink: SinkTwin = {
  id: 'stdout',
  open: async () => {
    let written = '';
    const sink = createDecisionStream((text) => {
      written += text;
    });
    return { sink, held: async () => parseLines(written) };
  },
};

function parseLines(text: string): LogRecord[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogRecord);
}

const looped: string[] = [];
for (const twin of [memorySink, redisSink, fileSink, streamSink]) {
  looped.push(`sink ${twin.id}`);
  t.test(`the ${twin.id} sink keeps the contract`, async (t) => testDecisionSink(t, twin));
}
for (const twin of [memoryReader, redisReader]) {
  looped.push(`reader ${twin.id}`);
  t.test(`the ${twin.id} log keeps the contract of readers`, async (t) => testDecisionLogReader(t, twin));
}
t.same(
  looped,
  ['sink memory', 'sink redis', 'sink file', 'sink stdout', 'reader memory', 'reader redis'],
  'the suites looped over all backends',
);
