import { chownSync, cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readPageCommands } from '../support/page-commands.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import {
  askForDecision,
  createServiceEnvironment,
  patienceOf,
  type RunningService,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { createDirectory, portOf, startEmulators, until } from '../support/test-app.ts';

const run = readPageCommands('docs/history.md');
/** PostgreSQL refuses to run as root; any other user will do. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const HEADERS = { 'x-api-key': SERVICE_KEY, 'content-type': 'application/json' };
const emulators = await startEmulators(t);
const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;

function start(t: Test, env: Readonly<Record<string, string>>): Promise<RunningService> {
  const strict = { DECISION_LOG_DELIVERY: 'strict', DECISION_LOG_TIMEOUT_MS: '10000' };
  return startService(t, {
    ...createServiceEnvironment(t, origin),
    ...patienceOf(10_000),
    ...strict,
    ...env,
  });
}

/** Asks on and on, and keeps the ids of what was answered, until it is stopped. */
function askOn(service: RunningService) {
  const answered: string[] = [];
  const over = new AbortController();
  const asking = (async () => {
    for (let serial = 0; !over.signal.aborted; serial += 1) {
      const body = {
        telemetry_id: `allow-${serial}`,
        device_id: 'active',
        account_id: `account-${serial % 5}`,
      };
      const { decision_id } = (await (await askForDecision(service.origin, body)).json()) as {
        readonly decision_id: string;
      };
      answered.push(decision_id);
    }
  })();
  return {
    answered,
    more: (count: number) => {
      const wanted = answered.length + count;
      return until(`${count} more are answered`, () => answered.length >= wanted);
    },
    stop: () => {
      over.abort();
      return asking;
    },
  };
}

async function read<Body>(service: RunningService, url: string): Promise<Body> {
  return (await (await fetch(service.origin + url, { headers: HEADERS })).json()) as Body;
}

interface Page {
  readonly decisions: readonly { readonly decision_id: string }[];
  readonly next_cursor: string | null;
}

interface Place {
  readonly cursor: string;
  readonly behind: string;
}

async function listAll(service: RunningService): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let cursor = ''; ; ) {
    const page: Page = await read<Page>(service, `/v1/decisions?limit=100${cursor}`);
    ids.push(...page.decisions.map(({ decision_id: id }) => id));
    if (page.next_cursor === null) return ids;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

/** What a service on a restored history has to have: everything of `before`, and room for more. */
async function expectRestored(t: Test, service: RunningService, before: readonly string[], place: Place) {
  const ids = new Set(await listAll(service));
  t.strictSame(
    before.filter((id) => !ids.has(id)),
    [],
    `all ${before.length} that were answered before the backup are there`,
  );
  const labelled = await read<{ readonly labels: readonly object[] }>(service, `/v1/decisions/${before[0]}`);
  t.match(labelled.labels, [{ label: 'fraud' }]);
  const older = await read<Page>(service, `/v1/decisions?limit=10&cursor=${place.cursor}`);
  const index = before.indexOf(place.behind);
  t.strictSame(
    older.decisions.map(({ decision_id: id }) => id),
    before.slice(index - 10, index).toReversed(),
    'a cursor of before leads on',
  );
  const { decision_id: id } = (await (
    await askForDecision(service.origin, { telemetry_id: 'allow', device_id: 'active' })
  ).json()) as { readonly decision_id: string };
  const [newest] = await listAll(service);
  t.equal(newest, id, 'what is decided now comes after it');
}

/** Labels the first decision, and gives a cursor, and the decision whose elders it leads to. */
async function prepare(service: RunningService, answered: readonly string[]): Promise<Place> {
  await fetch(`${service.origin}/v1/decisions/${answered[0]}/outcome`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify({ label: 'fraud' }),
  });
  const { decisions, next_cursor: cursor } = await read<Page>(service, '/v1/decisions?limit=20');
  return { cursor: cursor ?? '', behind: decisions.at(-1)?.decision_id ?? '' };
}

t.test('restores a copy of the SQLite files that was made while they were written', async (t) => {
  const [DATA_DIR, BACKUP, other] = [createDirectory(t), createDirectory(t), createDirectory(t)];
  const service = await start(t, { DATA_DIR });
  const load = askOn(service);
  // More than a block of records, so that some are packed and some are not.
  await load.more(300);
  const place = await prepare(service, load.answered);
  const before = [...load.answered];
  await run('backup-sqlite', { DATA_DIR, BACKUP });
  await load.more(50);
  await load.stop();
  await run('restore-sqlite', { DATA_DIR: other, BACKUP });
  const restored = await start(t, { DATA_DIR: other });
  await expectRestored(t, restored, before, place);
});

t.test('restores a dump of PostgreSQL that was made while it was written', async (t) => {
  const server = await startPostgresServer(t);
  const BACKUP = createDirectory(t);
  const HISTORY_URL = await server.createDatabase();
  const service = await start(t, { HISTORY_URL });
  const load = askOn(service);
  await load.more(100);
  const place = await prepare(service, load.answered);
  const before = [...load.answered];
  await run('backup-postgres', { HISTORY_URL, BACKUP });
  await load.more(50);
  await load.stop();
  const other = await server.createDatabase();
  await run('restore-postgres', { HISTORY_URL: other, BACKUP });
  await expectRestored(t, await start(t, { HISTORY_URL: other }), before, place);
});

t.test('recovers PostgreSQL to a point in time from a base backup and the archive', async (t) => {
  const BACKUP = createDirectory(t);
  mkdirSync(join(BACKUP, 'wal'));
  for (const path of [BACKUP, join(BACKUP, 'wal')])
    if (NOBODY.uid !== undefined) chownSync(path, NOBODY.uid, NOBODY.gid);
  const settings = ['archive_mode = on', `archive_command = 'cp %p ${BACKUP}/wal/%f'`];
  const server = await startPostgresServer(t, { settings });
  const HISTORY_URL = await server.createDatabase();
  const service = await start(t, { HISTORY_URL });
  const load = askOn(service);
  await load.more(50);
  await run('base-postgres', { HISTORY_URL, BACKUP }, NOBODY);
  // After the base backup, and so in the archive alone.
  await load.more(50);
  const place = await prepare(service, load.answered);
  const before = [...load.answered];
  const [row] = await server.query<{ now: string }>('SELECT clock_timestamp()::text AS now');
  await load.more(50);
  await load.stop();
  const after = load.answered.slice(-20);
  const [wal] = await server.query<{ name: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS name');
  await until('the archive has the rest', async () => {
    const [now] = await server.query<{ name: string }>(
      'SELECT last_archived_wal AS name FROM pg_stat_archiver',
    );
    return (now?.name ?? '') >= (wal?.name ?? '');
  });
  const recovered = await startPostgresServer(t, {
    settings: ['archive_mode = off'],
    restore: async (data) => {
      cpSync(join(BACKUP, 'base'), data, { recursive: true });
      await run('recover-postgres', { PGDATA: data, BACKUP, UNTIL: row?.now ?? '' });
    },
  });
  const url = recovered.url(new URL(HISTORY_URL).pathname.slice(1));
  await until('it takes writes', async () => {
    const [state] = await recovered.query<{ is: boolean }>('SELECT pg_is_in_recovery() AS is');
    return state?.is === false;
  });
  const restored = await start(t, { HISTORY_URL: url });
  const ids = new Set(await listAll(restored));
  t.ok(
    after.every((id) => !ids.has(id)),
    'and nothing of after that point',
  );
  await expectRestored(t, restored, before, place);
});
