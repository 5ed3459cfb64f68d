import t from 'tap';
import type { SinkDefinition } from '../../src/stores/decision-log/definition.ts';
import { memory } from '../../src/stores/decision-log/memory/index.ts';
import { createTestApp, KEYS, startEmulators, until } from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active' };
const hanging = (serial: number) => ({
  telemetry_id: 'fault-hang',
  device_ids: {},
  account_id: `a${serial}`,
});
const emulators = await startEmulators(t);

t.test("refuses one decision too many in flight, keeps the others' deadline, and recovers", async (t) => {
  const app = await createTestApp(t, { emulators, env: { MAX_IN_FLIGHT: '2', DECISION_DEADLINE_MS: '500' } });
  const held = [app.decide(hanging(1)), app.decide(hanging(2))];
  await until('they are in flight', async () => (await app.refused(GOOD)).status === 503);
  const { json, headers } = await app.refused(GOOD);
  t.match(json, { status: 503, code: 'overloaded' });
  t.match(headers['content-type'], /^application\/problem\+json/);
  t.equal(headers['retry-after'], '1');
  t.equal((await app.refused(GOOD, { key: 'wrong' })).status, 503, 'before the key is looked at');
  for (const url of ['/livez', '/readyz', '/version'])
    t.equal((await app.ask('GET', url, { key: null })).status, 200);
  t.equal((await app.ask('GET', '/v1/policy')).status, 200);
  t.equal(
    (await app.ask('DELETE', '/v1/evidence?device_id=x', { key: KEYS.admin })).status,
    200,
    'purges go through',
  );
  for (const answer of await Promise.all(held)) {
    t.match(answer, { status: 200, json: { degraded: true, providers: { stytch: { outcome: 'timeout' } } } });
  }
  t.equal((await app.decide(GOOD)).status, 200);
  const refused = app.logs.filter(({ event }) => event === 'request.refused');
  t.match(refused, [{ reason: 'in_flight', caller: null }]);
  t.equal(refused.length, 1, 'one line for all of them');
});

t.test('frees the idempotency key of a decision that was refused', async (t) => {
  const app = await createTestApp(t, { emulators, env: { MAX_IN_FLIGHT: '1', DECISION_DEADLINE_MS: '400' } });
  const held = app.decide(hanging(1));
  const keyed = { headers: { 'idempotency-key': '"k"' } };
  await until('it is in flight', async () => (await app.refused(GOOD, keyed)).status === 503);
  await held;
  const { status, headers } = await app.decide(GOOD, keyed);
  t.same([status, headers['idempotency-replayed']], [200, undefined]);
});

t.test('refuses reads while records come faster than the log takes them', async (t) => {
  const taken = Promise.withResolvers<boolean>();
  const stalling: SinkDefinition = {
    ...memory,
    isImmediate: false,
    open: async (settings, context) => {
      const opened = await memory.open(settings, context);
      const { id, isDurable, isShared, close } = opened.sink;
      return { ...opened, sink: { id, isDurable, isShared, close, append: () => taken.promise } };
    },
  };
  const env = { DECISION_LOG_BUFFER_MAX: '2' };
  const app = await createTestApp(t, { emulators, env, sinks: [stalling] });
  const read = async () => (await app.ask('GET', '/v1/decisions', { key: KEYS.read })).status;
  t.equal(await read(), 200);
  // The first one is on its way, and two more wait.
  await until('reads are refused', async () => {
    await app.decide(GOOD);
    return (await read()) === 503;
  });
  t.equal((await app.decide(GOOD)).status, 200, 'decisions are not');
  taken.resolve(true);
  await until('reads are answered again', async () => (await read()) === 200);
});
