import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { openSse, type SseClient } from '../support/sse-client.ts';
import { createServiceEnvironment, SERVICE_KEY, startService } from '../support/start-service.ts';
import { portOf, startEmulators, until } from '../support/test-app.ts';

const STREAMS = 500;
/** Longer than a heartbeat takes to come round. */
const WATCHED_MS = 12_000;
/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

/** Milliseconds of processor time that a process has used. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

t.test('500 idle streams cost at most 5 % of a processor', { timeout: 90_000 }, async (t) => {
  const emulators = await startEmulators(t);
  const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  const service = await startService(t, createServiceEnvironment(t, origin));
  const pid = service.child.pid ?? 0;
  const port = Number(new URL(service.origin).port);
  const clients: SseClient[] = [];
  for (let opened = 0; opened < STREAMS; opened += 50)
    clients.push(
      ...(await Promise.all(Array.from({ length: 50 }, () => openSse(t, port, { key: SERVICE_KEY })))),
    );
  t.ok(clients.every(({ status }) => status === 200));
  await delay(2000);
  const [beforeMs, startedAtMs] = [cpuMsOf(pid), performance.now()];
  await delay(WATCHED_MS);
  const share = (cpuMsOf(pid) - beforeMs) / (performance.now() - startedAtMs);
  t.comment(`${(share * 100).toFixed(2)} % of a processor`);
  t.ok(share <= 0.05, `${(share * 100).toFixed(2)} %`);
  await until('each has had a heartbeat', () =>
    clients.every(({ events }) => events.some(({ event }) => event === 'heartbeat')),
  );
  for (const client of clients) client.close();
});
