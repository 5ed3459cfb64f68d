import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Clock } from '../../src/application/clock.ts';
import type { LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { OpenSink, SinkContext } from '../../src/stores/decision-log/definition.ts';
import { parseServerUrl } from '../../src/stores/decision-log/postgres/server-address.ts';
import { checkSinks, SINKS } from '../../src/stores/decision-log/registry.ts';
import { createRedisHandle } from '../../src/stores/redis/handle.ts';
import { PATIENT_BUDGET_MS } from '../stores/redis/watched-store.ts';
import { openSink } from '../support/open-sink.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { toRedisTarget } from '../support/redis-target.ts';
import { ROOT } from '../support/start-program.ts';
import { createDirectory, createManualClock } from '../support/test-app.ts';
import { testDecisionGroups } from './decision-groups.ts';
import {
  type ReaderTwin,
  testDecisionLogReader,
  testDecisionSink,
  testPagesOverRestart,
} from './decision-log.ts';
import { testPolicyTexts } from './policy-texts.ts';

/** How a sink is opened here, and what reads all that one without a reader holds. */
interface Opening {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly context?: Partial<SinkContext> & { readonly clock?: Clock };
  readonly text?: () => string;
}

const server = await startRedisServer(t);
const database = await startPostgresServer(t, { settings: ['fsync = off'] });
let openings = 0;

/** By the id of the sink. A sink of the registry that is not here fails. */
const OPENINGS: Readonly<Record<string, (t: Test) => Opening | Promise<Opening>>> = {
  memory: () => ({ settings: { recordsMax: 50_000 }, context: { clock: createManualClock() } }),
  postgres: async () => {
    const server = parseServerUrl(await database.createDatabase());
    return {
      settings: { server, retentionMs: 90 * 86_400_000, labelledKeptMs: 365 * 86_400_000, bytesMax: 2 ** 30 },
    };
  },
  redis: () => {
    openings += 1;
    const target = toRedisTarget(server.url, `test-${openings}`);
    const openRedis = (name: string) => createRedisHandle({ target, name, budgetMs: PATIENT_BUDGET_MS });
    return { settings: { hourRecordsMax: 100_000, recordsKeptMs: 2 * 3_600_000 }, context: { openRedis } };
  },
  sqlite: (t) => ({
    settings: {
      dataDirectory: createDirectory(t),
      retentionMs: 90 * 86_400_000,
      labelledKeptMs: 0,
      bytesMax: 2 ** 30,
    },
  }),
  file: (t) => {
    const path = join(createDirectory(t), 'decisions.ndjson');
    return { settings: { path }, text: () => readFileSync(path, 'utf8') };
  },
  stdout: () => {
    let written = '';
    const write = (text: string) => {
      written += text;
    };
    return { settings: {}, context: { write }, text: () => written };
  },
};

/** Sinks of servers that `npm test` does not start, by the file that holds them to the same contract. */
const ELSEWHERE: Readonly<Record<string, string>> = { kafka: 'test/engines/kafka-sink.test.ts' };

async function recordsOf({ reader }: OpenSink, { text }: Opening): Promise<readonly LogRecord[]> {
  if (reader !== null) return (await reader.readAfter(null, 5000)).entries.map(({ record }) => record);
  if (text === undefined) throw new Error('nothing reads what the sink holds');
  const lines = text().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LogRecord);
}

const looped: string[] = [];
for (const definition of SINKS) {
  if (Object.hasOwn(ELSEWHERE, definition.id)) continue;
  const { id, isDurable, isReadable } = definition;
  const prepare = async (t: Test): Promise<Opening> => {
    const opening = await OPENINGS[id]?.(t);
    if (opening === undefined) throw new Error(`say how the sink ${id} is opened here`);
    return opening;
  };

  looped.push(`sink ${id}`);
  t.test(`the ${id} sink is what its definition says`, async (t) => {
    const { settings, context } = await prepare(t);
    t.strictSame(definition.check(settings), []);
    const { sink, reader, policies } = await openSink(t, definition, settings, context);
    t.match(sink, { id, isDurable: definition.isDurable, isShared: definition.isShared });
    t.equal(reader !== null, isReadable);
    t.equal(policies !== null, isReadable);
  });

  t.test(`the ${id} sink keeps the contract`, async (t) => {
    await testDecisionSink(t, {
      id,
      open: async (t) => {
        const opening = await prepare(t);
        const open = await openSink(t, definition, opening.settings, opening.context);
        return { sink: open.sink, held: () => recordsOf(open, opening) };
      },
    });
  });

  if (!isReadable) continue;
  looped.push(`reader ${id}`);
  t.test(`the ${id} log keeps the contract of readers`, async (t) => {
    const twin: ReaderTwin = {
      id,
      open: async (t) => {
        const { settings, context } = await prepare(t);
        const { sink, reader } = await openSink(t, definition, settings, context);
        if (reader === null) throw new Error(`the sink ${id} cannot be read`);
        return { sink, reader, nowMs: (context?.clock ?? systemClock).nowMs };
      },
    };
    await testDecisionLogReader(t, twin);
    await testDecisionGroups(t, twin);
    // What ends with the process has no cursors either.
    if (!isDurable) return;
    await testPagesOverRestart(t, async (t) => {
      const { settings, context } = await prepare(t);
      const nowMs = (context?.clock ?? systemClock).nowMs;
      return async () => {
        const open = await openSink(t, definition, settings, context);
        if (open.reader === null) throw new Error(`the sink ${id} cannot be read`);
        return { sink: open.sink, reader: open.reader, nowMs, close: open.close };
      };
    });
  });

  looped.push(`policies ${id}`);
  t.test(`the ${id} log keeps the texts of policies`, async (t) => {
    await testPolicyTexts(t, {
      id,
      isDurable: definition.isDurable,
      open: async (t) => {
        const { settings, context } = await prepare(t);
        const open = async () => {
          const sink = await openSink(t, definition, settings, context);
          if (sink.policies === null) throw new Error(`the sink ${id} cannot be read`);
          return { ...sink, policies: sink.policies };
        };
        const first = await open();
        const reopen = async () => {
          await first.close();
          return (await open()).policies;
        };
        return { texts: first.policies, reopen };
      },
    });
  });
}

for (const [id, path] of Object.entries(ELSEWHERE)) {
  const text = readFileSync(join(ROOT, path), 'utf8');
  t.match(text, 'testDecisionSink(t, {', `${id} is held to the contract in ${path}`);
}

t.strictSame(
  looped,
  SINKS.filter(({ id }) => !Object.hasOwn(ELSEWHERE, id)).flatMap(({ id, isReadable }) => [
    `sink ${id}`,
    ...(isReadable ? [`reader ${id}`, `policies ${id}`] : []),
  ]),
  'the suites looped over the registry',
);
t.strictSame(checkSinks(SINKS), { ok: true, value: SINKS });
