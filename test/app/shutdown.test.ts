import t from 'tap';
import { createTestApp, startEmulators, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);

t.test('logs how many records wait when it ends without closing', async (t) => {
  const env = { DECISION_LOG: 'redis', REDIS_URL: 'redis://127.0.0.1:1' };
  const app = await createTestApp(t, { emulators, env });
  // The first records may be on their way to the sink; those behind them wait.
  await until('the loss is told', async () => {
    await app.decide({ telemetry_id: 'allow', device_id: 'active' });
    app.app.abandon();
    return app.events().includes('decision_log.dropped');
  });
  const line = app.logs.find(({ event }) => event === 'decision_log.dropped');
  t.match(line, { sink: 'redis' });
  t.ok(Number(line?.['dropped']) >= 1);
});
