/** What runs before the first caller asks must be seen by nobody. */
import t from 'tap';
import { createTestApp, KEYS, startEmulators } from '../support/test-app.ts';

const emulators = await startEmulators(t);

t.test('decides without asking a provider, keeping a record or telling an observer', async (t) => {
  const app = await createTestApp(t, { emulators });
  await app.app.warmUp();
  t.same(new Set(Object.values(emulators.callCounts())), new Set([0]));
  t.notMatch(app.logText(), /decision\.made|provider\./);
  const list = await app.app.server.inject({ url: '/v1/decisions', headers: { 'x-api-key': KEYS.read } });
  t.same((list.json() as { decisions: unknown[] }).decisions, []);
  const metrics = (await app.app.server.inject('/metrics')).body;
  t.match(metrics, 'riskgate_decisions_total');
  t.notMatch(metrics, /^riskgate_decisions_total\{[^}]*\} [1-9]/m);
});
