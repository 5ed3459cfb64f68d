import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readPageCommands } from '../support/page-commands.ts';
import {
  createServiceEnvironment,
  patienceOf,
  type RunningService,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { createDirectory, portOf, startEmulators, until } from '../support/test-app.ts';

/** What docs/backup.md says of everything but decisions, whose drill is history-backup.test.ts. */
const run = readPageCommands('docs/backup.md');
const runHistory = readPageCommands('docs/history.md');
const emulators = await startEmulators(t);
const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;

async function ask<Body>(
  service: RunningService,
  method: string,
  path: string,
  body?: object,
): Promise<Body> {
  const response = await fetch(service.origin + path, {
    method,
    headers: { 'x-api-key': SERVICE_KEY, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status}`);
  return (await response.json()) as Body;
}

t.test('restores lists, queues and decisions of a copy that was made while they changed', async (t) => {
  // One environment: the hash key is kept apart, and is the same.
  const env = { ...createServiceEnvironment(t, origin), ...patienceOf(10_000) };
  const [DATA_DIR, BACKUP, other] = [createDirectory(t), createDirectory(t), createDirectory(t)];
  const queue = { name: 'saved', filters: { decision: 'BLOCK' }, savedBy: 'analyst', savedAtMs: 0 };
  writeFileSync(join(DATA_DIR, 'review-queues.json'), JSON.stringify({ queues: [queue] }));
  const service = await startService(t, { ...env, DATA_DIR });
  const block = (account_id: string) => ask(service, 'PUT', '/v1/lists/blocked/entries', { account_id });
  const decide = (at: RunningService, account_id: string) =>
    ask<{ decision: string; decision_id: string }>(at, 'POST', '/v1/decide', {
      telemetry_id: `allow-${account_id}`,
      device_id: 'active',
      account_id,
    });
  const listed: string[] = [];
  const over = new AbortController();
  const changing = (async () => {
    for (let serial = 0; !over.signal.aborted; serial += 1) {
      await block(`blocked-${serial}`);
      listed.push(`blocked-${serial}`);
    }
  })();
  const { decision_id: id } = await decide(service, 'honest');
  await until('some are listed', () => listed.length >= 20);
  await until('it is recorded', async () => {
    const found = await fetch(`${service.origin}/v1/decisions/${id}`, {
      headers: { 'x-api-key': SERVICE_KEY },
    });
    return found.status === 200;
  });
  const before = [...listed];
  await run('backup-data', { DATA_DIR, BACKUP });
  await runHistory('backup-sqlite', { DATA_DIR, BACKUP: join(BACKUP, 'history') });
  await until('more are listed', () => listed.length >= before.length + 10);
  over.abort();
  await changing;
  // As if the copy had met a line half written.
  appendFileSync(join(BACKUP, 'lists.journal'), '{"half a li');

  await run('restore-data', { DATA_DIR: other, BACKUP });
  await runHistory('restore-sqlite', { DATA_DIR: other, BACKUP: join(BACKUP, 'history') });
  const restored = await startService(t, { ...env, DATA_DIR: other });
  t.equal((await ask<{ decision_id: string }>(restored, 'GET', `/v1/decisions/${id}`)).decision_id, id);
  t.match(await ask<object>(restored, 'GET', '/v1/review/queues'), { queues: [{ name: 'saved' }] });
  for (const account of before) t.equal((await decide(restored, account)).decision, 'BLOCK', account);
  t.not((await decide(restored, 'nobody-blocked')).decision, 'BLOCK');
});
