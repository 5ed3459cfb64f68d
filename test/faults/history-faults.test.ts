import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { startPostgresServer } from '../support/postgres-server.ts';
import { type Fault, type FaultLoad, startFaultLoad } from '../support/redis-fault-load.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { askForDecision } from '../support/start-service.ts';
import { createDirectory, until } from '../support/test-app.ts';

const redis = await startRedisServer(t);
const postgres = await startPostgresServer(t);
const directory = createDirectory(t);
const history = join(directory, 'history');

/** Keeps every write away from the newest file, as a tool that holds its lock does. */
function lockNewest(): () => void {
  const [newest = ''] = readdirSync(history)
    .filter((name) => name.endsWith('.sqlite'))
    .filter((name) => /^\d/.test(name))
    .toSorted()
    .reverse();
  // The service may be in the middle of a write.
  const database = new DatabaseSync(join(history, newest), { timeout: 10_000 });
  database.exec('BEGIN IMMEDIATE');
  return () => database.close();
}

let unlock = () => {};
const ENGINES: readonly (readonly [string, Readonly<Record<string, string>>, readonly Fault[]])[] = [
  [
    'sqlite',
    { DATA_DIR: directory },
    [
      {
        name: 'SQLite: locked by another program',
        begin: () => {
          unlock = lockNewest();
        },
        end: () => unlock(),
      },
      {
        name: 'SQLite: directory moved away',
        begin: () => renameSync(history, `${history}-away`),
        end: () => renameSync(`${history}-away`, history),
      },
    ],
  ],
  [
    'postgres',
    { HISTORY_URL: await postgres.createDatabase() },
    [
      { name: 'PostgreSQL: killed', begin: () => postgres.stop(), end: () => postgres.start() },
      { name: 'PostgreSQL: frozen', begin: () => postgres.pause(), end: () => postgres.resume() },
    ],
  ],
];

// All services first: the tests of one may be over before that of the next has started.
const started: (readonly [string, FaultLoad, readonly Fault[]])[] = [];
for (const [sink, env, faults] of ENGINES)
  started.push([sink, await startFaultLoad(t, { REDIS_URL: redis.url, ...env }), faults]);

for (const [sink, load, faults] of started) {
  let answered = 0;
  for (const fault of faults) {
    t.test(`decides right and in time while the history is gone. ${fault.name}`, async (t) => {
      answered += (await load.run(t, fault)).requests;
    });
  }

  t.test(`writes to ${sink} what had to wait, and drops nothing`, async (t) => {
    const count = async (name: string, labels: string) => {
      const text = await (await fetch(`${load.service.origin}/metrics`)).text();
      const [, value] = new RegExp(`^${name}\\{${labels}\\} (\\d+)$`, 'm').exec(text) ?? [];
      return Number(value);
    };
    const records = 'riskgate_decision_log_records_total';
    // A batch under way does not wait any more, and is not appended yet.
    await until(`nothing waits, and the ${answered} that were answered are appended`, async () => {
      // A record that waited shows when the next one is written.
      await askForDecision(load.service.origin, { telemetry_id: 'allow', device_id: 'active' });
      const waiting = await count('riskgate_decision_log_waiting', `sink="${sink}"`);
      return waiting === 0 && (await count(records, `sink="${sink}",result="appended"`)) >= answered;
    });
    t.equal(await count(records, `sink="${sink}",result="dropped"`), 0);
  });
}
