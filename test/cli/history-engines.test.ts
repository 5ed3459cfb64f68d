import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findEngine } from '../../src/app/open-engine.ts';
import { idOf, type LogRecord } from '../../src/domain/decision-log/decision-record.ts';
import type { OpenSink } from '../../src/stores/decision-log/definition.ts';
import { createDecisionRecord, createEventRecord, createGapRecord } from '../support/decision-records.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory, until } from '../support/test-app.ts';

const NOW_MS = Date.now();
const LABEL = { label: 'fraud', at: new Date(NOW_MS).toISOString(), note: 'told', caller: 'shop' } as const;
const RECORDS: readonly LogRecord[] = [
  ...Array.from({ length: 300 }, (_, n) => createDecisionRecord(NOW_MS - 1000 + n, n)),
  createGapRecord(NOW_MS, 300),
  createEventRecord(NOW_MS, 301),
];
const [LABELLED] = RECORDS as [LogRecord];

const redis = await startRedisServer(t);
const postgres = await startPostgresServer(t, { settings: ['fsync = off'] });
let openings = 0;

/** An empty log of each engine that records can be copied from or to. */
const ENGINES: Readonly<Record<string, (t: Test) => Promise<Record<string, string>>>> = {
  redis: async () => {
    openings += 1;
    return { REDIS_URL: redis.url, REDIS_KEY_PREFIX: `engines-${openings}`, DECISION_LOG: 'redis' };
  },
  postgres: async () => ({ HISTORY_URL: await postgres.createDatabase() }),
  sqlite: async (t) => ({ DATA_DIR: createDirectory(t) }),
};

async function open(env: Record<string, string>, id: string): Promise<OpenSink> {
  const found = findEngine(env, { id, warn: () => {} });
  if (!found.ok) throw new Error(found.mistakes.join('\n'));
  return found.value.open();
}

async function fill(env: Record<string, string>, id: string): Promise<void> {
  const { sink, reader, policies, close } = await open(env, id);
  await until('it takes records', () => sink.append({ number: 1, records: RECORDS }));
  await reader?.label(idOf(LABELLED), LABEL, true);
  await until('it takes policies', async () => (await policies?.keep('sha256:1', 'rules: []')) === true);
  await close();
}

async function read(env: Record<string, string>, id: string) {
  const { reader, policies, close } = await open(env, id);
  if (reader === null) throw new Error(`${id} can be read`);
  const { entries } = await reader.readAfter(null, 10_000);
  const labels = await reader.labelsOf(entries);
  const policy = await policies?.find('sha256:1');
  await close();
  return { records: entries.map(({ record }) => record), labels: [...labels], policy };
}

for (const [from, openFrom] of Object.entries(ENGINES)) {
  t.test(`exports what ${from} holds`, async (t) => {
    const env = await openFrom(t);
    await fill(env, from);
    const { code, text, err } = await runCommand(['history', 'export', '--json'], { env });
    t.equal(code, 0);
    t.match(JSON.parse(err), { engine: from, decisions: 300, gaps: 1, events: 1 });
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.same(lines.map(idOf), RECORDS.map(idOf).reverse());
    t.match(
      lines.find((line) => idOf(line) === idOf(LABELLED)),
      { label: 'fraud', labels: [LABEL] },
    );
  });

  for (const to of ['sqlite', 'postgres'].filter((id) => id !== from)) {
    t.test(`migrates from ${from} to ${to}, and again`, async (t) => {
      const env = { ...(await openFrom(t)), ...(await ENGINES[to]?.(t)) };
      await fill(env, from);
      const args = ['history', 'migrate', '--from', from, '--to', to, '--json'];
      const first = await runCommand(args, { env });
      t.match(first.json, { engine: to, read: 302, added: 302, labels: 1, policies: 1, policies_left: 0 });
      t.equal(first.code, 0);
      const copied = { records: RECORDS, labels: [[idOf(LABELLED), [LABEL]]], policy: 'rules: []' };
      t.same(await read(env, to), copied);
      t.match((await runCommand(args, { env })).json, { read: 302, added: 0, known: 302, labels: 0 });
      t.same(await read(env, to), copied);
    });
  }
}

t.test('imports a file into PostgreSQL, also beside a service', async (t) => {
  const env = { HISTORY_URL: await postgres.createDatabase() };
  const service = await open(env, 'postgres');
  t.teardown(() => service.close());
  const file = join(createDirectory(t), 'lines.ndjson');
  writeFileSync(file, RECORDS.map((record) => JSON.stringify(record)).join('\n'));
  t.match(await runCommand(['history', 'import', file, '--json'], { env }), {
    code: 0,
    json: { added: 302 },
  });
  t.same((await read(env, 'postgres')).records, RECORDS);
});

t.test('says that an engine cannot be reached', async (t) => {
  const gone = 'postgres://nobody@127.0.0.1:1/none';
  const ran = await runCommand(['history', 'export', '--json'], { env: { HISTORY_URL: gone } });
  t.match(ran, { code: 3, json: { error: { code: 'store_unavailable' } } });
});
