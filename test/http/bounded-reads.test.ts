import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { createDecisionRecord } from '../support/decision-records.ts';
import { createReadApi } from '../support/read-api.ts';
import { KEYS } from '../support/test-app.ts';

const LOG_ROUTES = [
  '/v1/decisions',
  '/v1/decisions/00000000-0000-7000-8000-000000000000',
  '/v1/decisions/export',
  '/v1/decisions/stream',
  '/v1/stats',
  '/v1/stats/rules',
  `/v1/subjects/device/${'a'.repeat(32)}`,
];

t.test('refuses reads of the log while decisions need the process, and says so', async (t) => {
  let isStrained = true;
  const api = await createReadApi(t, { isStrained: () => isStrained });
  for (const path of LOG_ROUTES) {
    const { status, headers, text } = await api.get(path);
    t.equal(status, 503, path);
    t.match(headers, { 'retry-after': '2', 'content-type': 'application/problem+json' });
    t.match(JSON.parse(text), { code: 'overloaded', detail: /^Decisions come first/ });
  }
  t.equal((await api.get('/v1/policy')).status, 200, 'revoking needs it');
  t.equal((await api.get('/v1/providers')).status, 200);
  isStrained = false;
  t.equal((await api.get('/v1/decisions')).status, 200);
});

t.test('bounds the reads under way, lets some wait, and gives their places back', async (t) => {
  const { log } = await createReadApi(t);
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const version = async () => {
    asked += 1;
    await gate.promise;
    return 'v';
  };
  const api = await createReadApi(t, { reader: { ...log, version }, readsConcurrent: 2 });
  const under = Array.from({ length: 10 }, () => api.get('/v1/decisions'));
  const refused = await api.get('/v1/decisions');
  t.match(refused, { status: 503, json: { code: 'overloaded', detail: /2 reads at a time/ } });
  t.equal(refused.headers['retry-after'], '2', 'at once, since two are answered and eight wait');
  gate.resolve();
  for (const { status } of await Promise.all(under)) t.equal(status, 200);
  t.ok(asked > 2, 'those that waited were answered');
  t.equal((await api.get('/v1/decisions')).status, 200);
});

t.test('refuses a read that has waited too long', async (t) => {
  const { log } = await createReadApi(t);
  const gate = Promise.withResolvers<void>();
  const version = async () => {
    await gate.promise;
    return 'v';
  };
  const api = await createReadApi(t, { reader: { ...log, version }, readsConcurrent: 1 });
  const held = api.get('/v1/stats');
  t.equal((await api.get('/v1/decisions')).status, 503);
  gate.resolve();
  t.equal((await held).status, 200);
});

t.test('drops the reads of a client that has left before their turn', async (t) => {
  const { log } = await createReadApi(t);
  const [gate, isHeld] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let queries = 0;
  const reader = {
    ...log,
    find: async () => {
      isHeld.resolve();
      await gate.promise;
      return null;
    },
    query: async () => {
      queries += 1;
      return { entries: [], next: null };
    },
  };
  const api = await createReadApi(t, { reader });
  const port = await api.listen();
  const held = api.get('/v1/decisions/00000000-0000-7000-8000-000000000000');
  await isHeld.promise;
  const headers = { authorization: `Bearer ${KEYS.read}` };
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET /v1/decisions HTTP/1.1\r\nHost: a\r\nAuthorization: ${headers.authorization}\r\n\r\n`);
  // Behind it on the same server: once this one is answered, that one is under way.
  t.equal((await fetch(`http://127.0.0.1:${port}/v1/policy`, { headers })).status, 200);
  socket.end();
  await once(socket.resume(), 'close');
  t.equal((await fetch(`http://127.0.0.1:${port}/v1/policy`, { headers })).status, 200);
  gate.resolve();
  t.equal((await held).status, 404);
  t.equal((await api.get('/v1/decisions')).status, 200, 'in the order of the turns');
  t.equal(queries, 1);
});

t.test('lets others run between two looks at a log in memory', async (t) => {
  const api = await createReadApi(t, { recordsMax: 100_000 });
  const nowMs = Date.now();
  const records = Array.from({ length: 90_000 }, (_, serial) => createDecisionRecord(nowMs, serial));
  await api.log.append({ number: 1, records });
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const { json } = await api.get('/v1/decisions?caller=nobody');
  isOver = true;
  t.same(json.decisions, []);
  t.ok(turns >= 4, `${turns} turns of others while 90,000 records were looked through`);
});
