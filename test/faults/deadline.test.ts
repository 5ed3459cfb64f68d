import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { percentile } from '../support/open-loop-load.ts';
import { patienceOf } from '../support/start-service.ts';
import { createTestApp, startEmulators, type TestApp, until } from '../support/test-app.ts';
import { whenQuiet } from '../support/when-quiet.ts';

/** What the contract grants on top of the deadline. */
const GRACE_MS = 20;
const APPS = 4;
const HANGING = { telemetry_id: 'fault-hang', device_id: 'fault-stall' };

const emulators = await startEmulators(t);

async function timed(app: TestApp, body: object, deadline?: string) {
  const startedAtMs = performance.now();
  const answer = await app.decide(
    body,
    deadline === undefined ? {} : { headers: { 'x-request-deadline': deadline } },
  );
  return { ...answer, tookMs: performance.now() - startedAtMs };
}

function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/**
 * By how much an answer came later than a bare timer that was set for its deadline at the same moment: what a
 * busy machine delays, it delays for both.
 */
async function overrunMs(app: TestApp, id: string, deadlineMs: number): Promise<number> {
  const body = { telemetry_id: id, device_id: id, max_age_ms: 0 };
  const startedAtMs = performance.now();
  const timer = delay(deadlineMs).then(() => performance.now() - startedAtMs);
  const { status, json, tookMs } = await timed(app, body, String(deadlineMs));
  t.equal(status, 200);
  t.match(json, { decision: 'CHALLENGE', degraded: true });
  return tookMs - (await timer);
}

// That nobody at all waits longer is shown by deadline-process.test.ts, which knows what the machine took.
t.test('answers within the deadline and 20 ms, whatever hangs', async (t) => {
  const measure = async (id: string): Promise<readonly string[]> => {
    const overruns: number[] = [];
    for (let index = 0; index < APPS; index += 1) {
      // A new app each time: after ten timeouts its circuits are open, and it no longer waits.
      const app = await createTestApp(t, { emulators, env: { DECISION_DEADLINE_MS: '5000' } });
      await app.decide({ telemetry_id: 'allow', device_id: 'active' });
      overruns.push(...(await Promise.all([1, 2, 3, 4].map(() => overrunMs(app, id, 100)))));
      await app.close();
    }
    t.equal(overruns.length, 4 * APPS);
    const isLate = percentile(overruns, 50) > GRACE_MS;
    return isLate ? [`${id}: ${overruns.map(Math.round).join(', ')} ms`] : [];
  };
  for (const id of ['fault-hang', 'fault-stall', 'fault-drip', 'fault-slow-9000'])
    await whenQuiet(t, () => measure(id));
});

t.test('leaves no socket and no timer behind', async (t) => {
  const app = await createTestApp(t, { emulators, env: { DECISION_DEADLINE_MS: '300' } });
  const idle = () => {
    const { TCPSocketWrap = 0, Timeout = 0 } = resources();
    return { TCPSocketWrap, Timeout };
  };
  await until('the calls of other tests have ended', () => idle().TCPSocketWrap === 0);
  const before = idle();
  const ids = ['fault-hang', 'fault-stall', 'fault-drip', 'fault-slow-9000'];
  await Promise.all(ids.map((id) => timed(app, { telemetry_id: id, device_id: id }, '50')));
  t.ok(idle().TCPSocketWrap > before.TCPSocketWrap, 'calls outlive their decision, for the next one');
  await until('the sockets are gone', () => idle().TCPSocketWrap === before.TCPSocketWrap);
  await until('the timers are gone', () => idle().Timeout <= before.Timeout);
});

t.test('takes the smaller of header and body, and never more than configured', async (t) => {
  // Far apart, so that a busy machine cannot take one for the other.
  const [longMs, boundMs] = [10_000, 5_000];
  const start = (deadlineMs: number) =>
    createTestApp(t, { emulators, env: { ...patienceOf(longMs), DECISION_DEADLINE_MS: String(deadlineMs) } });
  const isSoon = async (app: TestApp, body: object, header: number) => {
    const { json, tookMs } = await timed(app, { ...HANGING, max_age_ms: 0, ...body }, String(header));
    t.equal(json.providers.stytch.outcome, 'timeout');
    t.ok(tookMs < boundMs, `${tookMs} ms`);
  };
  const app = await start(longMs);
  await isSoon(app, {}, 60);
  await isSoon(app, { deadline_ms: 60 }, longMs);
  await isSoon(app, { deadline_ms: longMs }, 60);
  await isSoon(await start(300), {}, 999_999_999);
});

t.test('uses what is at hand when no time is left', async (t) => {
  const app = await createTestApp(t, { emulators });
  const body = { telemetry_id: 'allow', device_id: 'active' };
  for (const none of ['0', '1']) {
    const { json } = await timed(app, { ...body, telemetry_id: 'fault-hang' }, none);
    t.match(json, { decision: 'CHALLENGE', degraded: true });
  }
  await app.decide(body);
  t.match((await timed(app, body, '0')).json, { decision: 'ALLOW', degraded: false });
});

t.test('refuses what is not a whole number of milliseconds', async (t) => {
  const app = await createTestApp(t, { emulators });
  for (const value of ['', 'soon', '-5', '+5', '1.5', '5s', '1e3', '0x10', '100, 200', '1234567890']) {
    const { status, json } = await app.refused(HANGING, { headers: { 'x-request-deadline': value } });
    t.equal(status, 400, value);
    t.match(json, { code: 'invalid_request', errors: [{ pointer: 'x-request-deadline' }] });
  }
});
