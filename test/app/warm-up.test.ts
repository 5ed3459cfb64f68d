/** What runs before the first caller asks must be seen by nobody. */
import t from 'tap';
import { EXAMPLE_ID } from '../../src/providers/definition.ts';
import { readAnswer } from '../../src/providers/read-answer.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { createTestApp, KEYS, startEmulators, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);

t.test('every provider reads its own example as a success, with every signal that has no age', async (t) => {
  for (const definition of PROVIDERS) {
    const response = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(definition.example),
    };
    const context = { nowMs: 1_700_000_000_000, hash: (value: string) => `hash of ${value}` };
    const answer = readAnswer(definition, response, { id: EXAMPLE_ID }, context);
    t.equal(answer.outcome, 'ok', definition.id);
    const names = Object.keys(definition.signals.shape).filter(
      (name) => !/^(age|expires_in)_|_matches_request$/.test(name),
    );
    t.strictSame(
      names.filter((name) => !('signals' in answer) || !(name in answer.signals)),
      [],
      definition.id,
    );
  }
});

t.test('connects to every provider, and starts without those that are out of reach', async (t) => {
  const connections: string[] = [];
  const servers = await startEmulators(t);
  servers.app.server.on('connection', (socket) => connections.push(String(socket.remotePort)));
  const app = await createTestApp(t, { emulators: servers });
  await app.app.warmUp();
  await until('each has one', async () => connections.length === PROVIDERS.length);
  const lonely = await createTestApp(t, { emulators: servers });
  servers.app.server.closeAllConnections();
  await servers.app.close();
  await lonely.app.warmUp();
});

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
