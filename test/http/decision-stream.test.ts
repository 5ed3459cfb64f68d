import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request, type ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import { createMemoryDecisionLog } from '../../src/stores/decision-log/memory/decision-log.ts';
import { createDecisionRecord, createEventRecord, createGapRecord } from '../support/decision-records.ts';
import { createReadApi, type ReadApiOptions } from '../support/read-api.ts';
import { openSse, type SseClient } from '../support/sse-client.ts';
import { createManualClock, KEYS, until } from '../support/test-app.ts';

const NOW_MS = Date.now();

async function open(t: Test, options: ReadApiOptions = {}) {
  const api = await createReadApi(t, options);
  const port = await api.listen();
  let serial = 0;
  const append = (count: number, changes: Parameters<typeof createDecisionRecord>[2] = {}) => {
    const records = Array.from({ length: count }, () => {
      serial += 1;
      return createDecisionRecord(NOW_MS, serial, changes);
    });
    void api.log.append({ number: serial, records });
    return records.map(({ decision_id: id }) => id);
  };
  const stream = (path = '', lastEventId: string | null = null): Promise<SseClient> =>
    openSse(t, port, { path: `/v1/decisions/stream${path}`, key: KEYS.read, lastEventId });
  return { api, port, append, stream };
}

const untilDecisions = (client: SseClient, count: number) =>
  client.until(`${count} decisions`, () => client.decisions().length >= count);

t.test('tells of decisions as they are made, with ids that rise', async (t) => {
  const { append, stream } = await open(t);
  append(3);
  const client = await stream();
  t.equal(client.status, 200);
  t.match(client.headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-request-id': String,
  });
  await client.until('ready', (events) => events[0]?.event === 'ready');
  t.same(client.events[0]?.data, { resumed: false, heartbeat_seconds: 10 });
  const ids = [...append(2), ...append(1)];
  await untilDecisions(client, 3);
  t.same(client.decisions(), ids, 'those from before are not told');
  const eventIds = client.events.flatMap(({ id }) => (id === null ? [] : [id]));
  t.same(eventIds, [...new Set(eventIds)].toSorted(), 'ids rise');
  t.match(client.events[1]?.data, {
    decision: 'CHALLENGE',
    label: null,
    providers: { stytch: { outcome: 'timeout' } },
  });
});

t.test('tells what somebody changed, whatever the filters', async (t) => {
  const { api, stream } = await open(t);
  const client = await stream('?decision=ALLOW');
  await client.until('ready', (events) => events.length > 0);
  const record = createEventRecord(NOW_MS, 1);
  await api.log.append({ number: 1, records: [record] });
  await client.until('the change', (events) => events.some(({ event }) => event === 'list_changed'));
  const told = client.events.find(({ event }) => event === 'list_changed');
  t.ok(told?.id);
  const { version: _, kind: _kind, event: _event, ...data } = record;
  t.strictSame(told?.data, data);
});

t.test('goes on after Last-Event-ID without gaps or duplicates, however much there is', async (t) => {
  const { api, append, stream } = await open(t);
  const first = await stream();
  await first.until('ready', (events) => events.length > 0);
  const before = append(5);
  await untilDecisions(first, 5);
  first.close();
  await until('the stream is gone', () => api.streams() === 0);
  const missed = append(1234);
  const second = await stream('', first.lastEventId);
  const arriving = append(3);
  await untilDecisions(second, 1237);
  const later = append(2);
  await untilDecisions(second, 1239);
  t.same([...first.decisions(), ...second.decisions()], [...before, ...missed, ...arriving, ...later]);
  t.same(second.events[0]?.data.resumed, true);
  t.notOk(second.events.some(({ event }) => event === 'gap'));
  const third = await stream('', second.lastEventId);
  append(1);
  await untilDecisions(third, 1);
  t.equal(third.decisions().length, 1, 'the id may stand in the query too');
});

t.test('serves one that catches up and those that have, under load, the same once', async (t) => {
  const { append, stream } = await open(t);
  const witness = await stream();
  await witness.until('ready', (events) => events.length > 0);
  const ids = append(1);
  await untilDecisions(witness, 1);
  const from = witness.lastEventId;
  for (let round = 0; round < 20; round += 1) ids.push(...append(50));
  const late = [await stream('', from), await stream('', from)];
  for (let round = 0; round < 40; round += 1) {
    ids.push(...append(25));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await untilDecisions(witness, ids.length);
  t.same(witness.decisions(), ids);
  for (const client of late) {
    await untilDecisions(client, ids.length - 1);
    t.same(client.decisions(), ids.slice(1));
  }
});

t.test('says where decisions are missing', async (t) => {
  const { api, append, stream } = await open(t, { recordsMax: 100 });
  const first = await stream();
  await first.until('ready', (events) => events.length > 0);
  append(1);
  await untilDecisions(first, 1);
  first.close();
  const kept = append(500).slice(-100);
  const second = await stream('', first.lastEventId);
  await untilDecisions(second, 100);
  t.match(second.events[1], {
    event: 'gap',
    id: null,
    data: { cause: 'not_kept', dropped: null, from: null, until: null },
  });
  t.same(second.decisions(), kept, 'and goes on with what is kept');
  const gap = createGapRecord(NOW_MS, 7);
  await api.log.append({ number: 9, records: [gap] });
  await second.until('a gap record', (events) => events.at(-1)?.event === 'gap');
  t.match(second.events.at(-1)?.data, { cause: 'dropped', dropped: 1, from: gap.from, until: gap.until });
  const strange = await stream('', 'no-position-of-ours');
  await strange.until('a gap', (events) => events[1]?.event === 'gap');
  t.equal(strange.events[1]?.data.cause, 'not_kept');
});

t.test('tells of what fits the filters', async (t) => {
  const { append, stream, port } = await open(t);
  const client = await stream('?decision=BLOCK&caller=bank');
  await client.until('ready', (events) => events.length > 0);
  append(3);
  append(2, { decision: 'BLOCK' });
  const ids = append(2, { decision: 'BLOCK', caller: 'bank' });
  await untilDecisions(client, 2);
  t.same(client.decisions(), ids);
  const refused = await openSse(t, port, { path: '/v1/decisions/stream?decision=x', key: KEYS.read });
  t.equal(refused.status, 400);
  t.equal((await openSse(t, port, { key: KEYS.read, lastEventId: 'x y' })).status, 400);
  t.equal((await openSse(t, port, { key: KEYS.decide })).status, 403);
});

t.test('tells a reader that is too slow, drops it, and keeps others unharmed', async (t) => {
  const { api, append, stream } = await open(t);
  const slow = await stream();
  const quick = await stream();
  await quick.until('ready', (events) => events.length > 0);
  await slow.until('ready', (events) => events.length > 0);
  slow.pause();
  let sent = 0;
  // The kernel takes some megabytes before anything waits in the process.
  await until('the slow one is dropped', async () => {
    sent += append(500).length;
    await untilDecisions(quick, sent);
    return api.streams() === 1;
  });
  slow.resume();
  await until('the slow one is closed', () => slow.isClosed);
  t.match(slow.events.at(-1), { event: 'end', data: { cause: 'slow_reader' } });
  t.equal(quick.decisions().length, sent);
  const again = await stream('', slow.lastEventId);
  await untilDecisions(again, sent - slow.decisions().length);
  t.equal(
    new Set([...slow.decisions(), ...again.decisions()]).size,
    sent,
    'and it can come back for the rest',
  );
});

t.test('ends when the service drains, and new ones right away', async (t) => {
  const { api, append, stream } = await open(t);
  const client = await stream();
  await client.until('ready', (events) => events.length > 0);
  const ids = append(1);
  await untilDecisions(client, 1);
  api.drain();
  await until('the stream is closed', () => client.isClosed);
  t.match(client.events.at(-1), { event: 'end', data: { cause: 'draining' } });
  t.equal(api.streams(), 0);
  const late = await stream('', client.lastEventId);
  await until('the late one is closed', () => late.isClosed);
  t.same(
    late.events.map(({ event }) => event),
    ['ready', 'end'],
  );
  t.same(client.decisions(), ids);
});

t.test('forgets a client that goes away, at once', async (t) => {
  const { api, append, stream } = await open(t);
  const clients = await Promise.all(Array.from({ length: 20 }, () => stream()));
  t.equal(api.streams(), 20);
  for (const client of clients) client.close();
  append(10);
  await until('all are gone', () => api.streams() === 0);
});

t.test('beats with an id, so that a stream moves on while nothing fits', async (t) => {
  const { api, append, stream } = await open(t, { heartbeatSeconds: 0.05 });
  const client = await stream('?decision=BLOCK');
  append(3);
  const newest = await api.log.newest();
  await client.until('a heartbeat that has passed them', (events) => events.at(-1)?.id === newest);
  t.match(client.events.at(-1), { event: 'heartbeat', data: { at: /^2\d{3}-.*Z$/ } });
  t.same(client.decisions(), []);
  client.close();
  const ids = append(1, { decision: 'BLOCK' });
  const again = await stream('?decision=BLOCK', client.lastEventId);
  await untilDecisions(again, 1);
  t.same(again.decisions(), ids);
});

t.test('ends what a withdrawn key has opened', async (t) => {
  const { api, append, stream } = await open(t, { heartbeatSeconds: 0.05 });
  const client = await stream();
  await client.until('a heartbeat', (events) => events.at(-1)?.event === 'heartbeat');
  api.withdrawKeys();
  await until('the stream is closed', () => client.isClosed);
  t.match(client.events.at(-1), { event: 'end', data: { cause: 'unauthorised' } });
  append(1);
  t.equal(api.streams(), 0);
});

t.test('bounds how many are open', async (t) => {
  const { stream, api } = await open(t);
  const clients: SseClient[] = [];
  for (let opened = 0; opened < 1000; opened += 100)
    clients.push(...(await Promise.all(Array.from({ length: 100 }, () => stream()))));
  const refused = await api.get('/v1/decisions/stream');
  t.match([refused.status, refused.headers['retry-after'], refused.json.code], [503, '10', 'overloaded']);
  clients[0]?.close();
  await until('one has gone', () => api.streams() === 999);
  t.equal((await stream()).status, 200);
});

t.test('keeps no stream for a client that leaves before it begins', async (t) => {
  const clock = createManualClock();
  const memory = createMemoryDecisionLog({ clock, recordsMax: 10, countsKeptMs: 3_600_000 });
  const asked = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  const newest = async () => {
    asked.resolve();
    await reading.promise;
    return memory.newest();
  };
  const api = await createReadApi(t, { reader: { ...memory, newest } });
  const port = await api.listen();
  const closed = Promise.withResolvers<void>();
  const onStart = (message: unknown) => {
    const { response } = message as { readonly response: ServerResponse };
    response.once('close', () => closed.resolve());
  };
  subscribe('http.server.request.start', onStart);
  t.teardown(() => unsubscribe('http.server.request.start', onStart));
  const sent = request({ port, host: '127.0.0.1', path: '/v1/decisions/stream', agent: false });
  sent.setHeader('authorization', `Bearer ${KEYS.read}`);
  sent.on('error', () => {}).end();
  await asked.promise;
  sent.destroy();
  await closed.promise;
  t.equal(api.streams(), 1, 'it is being let in');
  reading.resolve();
  await until('the stream is gone', () => api.streams() === 0);
});
