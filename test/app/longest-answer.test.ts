import t from 'tap';
import { createManualClock, createTestApp, startEmulators, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);

t.test('keeps a silent connection for longer than the longest decision and its record', async (t) => {
  const env = { DECISION_DEADLINE_MS: '10000', DECISION_LOG_TIMEOUT_MS: '10000' };
  const { server } = (await createTestApp(t, { emulators, env })).app.server;
  t.ok(server.timeout > 20_000, `${server.timeout} ms`);
});

t.test('keeps a silent connection for longer than the pause between heartbeats', async (t) => {
  const env = { DECISION_DEADLINE_MS: '500', DECISION_LOG_TIMEOUT_MS: '10' };
  const { server } = (await createTestApp(t, { emulators, env })).app.server;
  t.ok(server.timeout > 10_000, `${server.timeout} ms`);
});

t.test('holds an idempotency key for longer than its decision and its record', async (t) => {
  const env = { DECISION_DEADLINE_MS: '3000', DECISION_LOG_TIMEOUT_MS: '10000' };
  const clock = createManualClock();
  const app = await createTestApp(t, { emulators, env, clock });
  const hanging = { telemetry_id: 'fault-hang', device_ids: {} };
  const ask = () => app.refused(hanging, { headers: { 'idempotency-key': '"k"' } });
  const held = ask();
  await until('it is in flight', async () => (await ask()).status === 409);
  clock.advance(12_999);
  t.equal((await ask()).status, 409);
  await held;
});
