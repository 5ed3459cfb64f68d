import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import Fastify from 'fastify';
import t from 'tap';
import { createParquetEncoder } from '../../../src/app/parquet-encoder.ts';
import { idOf } from '../../../src/domain/decision-log/decision-record.ts';
import { RiskgateError } from '../../../src/domain/errors.ts';
import { exportDecisions } from '../../../src/http/decision-log/decision-export.ts';
import { decisionExportRoutes } from '../../../src/http/routes/decision-export.ts';
import { SHARED_SCHEMAS } from '../../../src/http/schemas/responses.ts';
import { createDecisionRecord, createEventRecord, createGapRecord } from '../../support/decision-records.ts';
import { createReadApi } from '../../support/read-api.ts';
import { KEYS, portOf, until } from '../../support/test-app.ts';

const NOW_MS = Date.now();

/** An answer of which nothing has been read yet. */
async function openExport(port: number, query = ''): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${KEYS.read}` };
  const sent = request({ port, path: `/v1/decisions/export${query}`, headers }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

t.test('exports whole records with their labels as NDJSON, newest first', async (t) => {
  const api = await createReadApi(t);
  const records = Array.from({ length: 1200 }, (_, serial) => createDecisionRecord(NOW_MS, serial));
  const gap = createGapRecord(NOW_MS, 5000);
  await api.log.append({ number: 1, records: [...records, gap] });
  await api.post(`/v1/decisions/${records[7]?.decision_id}/outcome`, { label: 'fraud' });
  const { status, headers, text } = await api.get('/v1/decisions/export');
  t.equal(status, 200);
  t.match(headers, {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'content-disposition': 'attachment; filename="decisions.ndjson"',
    'cache-control': 'no-store',
  });
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.same(
    lines.map((line) => line.decision_id ?? line.gap_id),
    [...records, gap].map(idOf).reverse(),
  );
  t.same(lines[0], gap);
  const labelled = lines.find(({ decision_id: id }) => id === records[7]?.decision_id);
  t.match(labelled, { ...records[7], label: 'fraud', labels: [{ label: 'fraud' }] });
  t.match(lines[1], { label: null, labels: [] });
});

t.test('exports events among decisions, unless it is asked for decisions of some kind', async (t) => {
  const api = await createReadApi(t);
  const event = createEventRecord(NOW_MS, 2);
  await api.log.append({ number: 1, records: [createDecisionRecord(NOW_MS, 1), event] });
  const all = await api.get('/v1/decisions/export?format=ndjson');
  t.strictSame(JSON.parse(all.text.split('\n')[0] ?? ''), event);
  const csv = await api.get('/v1/decisions/export?format=csv');
  const line = csv.text.split('\r\n')[1] ?? '';
  t.match(line, /^"event",,"[^"]+Z"/);
  t.match(line, `"${event.event_id}","list_changed","blocked put device-`);
  const filtered = await api.get('/v1/decisions/export?decision=CHALLENGE');
  t.notMatch(filtered.text, 'list_changed');
  t.match(filtered.text, 'CHALLENGE');
});

t.test('exports what fits the filters, and an empty file where nothing does', async (t) => {
  const api = await createReadApi(t);
  const records = [createDecisionRecord(NOW_MS, 1), createDecisionRecord(NOW_MS, 2, { decision: 'BLOCK' })];
  await api.log.append({ number: 1, records });
  const blocked = await api.get('/v1/decisions/export?decision=BLOCK&format=ndjson');
  t.equal(JSON.parse(blocked.text).decision_id, records[1]?.decision_id);
  t.equal((await api.get('/v1/decisions/export?decision=ALLOW')).text, '');
  t.match(
    (await api.get('/v1/decisions/export?decision=ALLOW&format=csv')).text,
    /^"kind","decision_id","decided_at",[a-z_,"]+"event_subject"\r\n$/,
  );
  t.equal((await api.get('/v1/decisions/export?format=xml')).status, 400);
  t.equal((await api.get('/v1/decisions/export?limit=1')).status, 400);
});

t.test('exports CSV that no spreadsheet runs', async (t) => {
  const api = await createReadApi(t);
  const plain = createDecisionRecord(NOW_MS, 1, { reasons: [], waivers: [], action: null });
  const record = createDecisionRecord(NOW_MS, 2, { action: '-1+1', request_id: '@SUM(1,"x")' });
  await api.log.append({ number: 1, records: [createGapRecord(NOW_MS, 3), plain, record] });
  for (const note of ['=cmd|calc!A0', '+1', '\t=1'])
    await api.post(`/v1/decisions/${record.decision_id}/outcome`, { label: 'fraud', note });
  await api.post(`/v1/decisions/${record.decision_id}/outcome`, { label: 'fraud', note: '=HYPERLINK("x")' });
  const { text, headers } = await api.get('/v1/decisions/export?format=csv');
  t.equal(headers['content-type'], 'text/csv; charset=utf-8');
  const [head, first, second, third, ...rest] = text.split('\r\n');
  t.same(rest, ['']);
  t.match(first, `,"'-1+1","'@SUM(1,""x"")",`);
  t.match(first, `,"'=HYPERLINK(""x"")",`);
  t.match(first, ',"STYTCH_UNKNOWN","LENIENT","shop","decide",');
  t.match(first, ',"stytch/timeout prefactor/ok","default","sha256:1",');
  const start = `"decision","${plain.decision_id}","${plain.decided_at}","CHALLENGE",true,"","","shop","decide",,`;
  t.match(second, `${start}"request-1",`);
  const gap = createGapRecord(NOW_MS, 3);
  t.match(third, new RegExp(`^"gap",,"${gap.from}",+"${gap.gap_id}",1,,,$`));
  for (const line of [head, third]) t.equal(line?.split(',').length, 30);
});

t.test('begins CSV with a byte order mark where it is asked to', async (t) => {
  const api = await createReadApi(t);
  await api.log.append({ number: 1, records: [createDecisionRecord(NOW_MS, 1)] });
  t.match((await api.get('/v1/decisions/export?format=csv&bom=true')).text, /^\uFEFF"kind","decision_id"/);
  t.match((await api.get('/v1/decisions/export?format=csv&bom=true&decision=ALLOW')).text, /^\uFEFF"kind"/);
  t.match((await api.get('/v1/decisions/export?format=csv&bom=false')).text, /^"kind"/);
  const { status, json } = await api.get('/v1/decisions/export?bom=true');
  t.equal(status, 400);
  t.same(json.errors, [{ pointer: 'bom', detail: 'is for format=csv' }]);
});

t.test('writes times that spreadsheets read where it is asked to', async (t) => {
  const api = await createReadApi(t);
  const record = createDecisionRecord(NOW_MS, 1);
  await api.log.append({
    number: 1,
    records: [createGapRecord(NOW_MS, 3), createEventRecord(NOW_MS, 2), record],
  });
  await api.post(`/v1/decisions/${record.decision_id}/outcome`, {
    label: 'fraud',
    note: 'of 2026-01-15T09:30:00Z',
  });
  const { text } = await api.get('/v1/decisions/export?format=csv&times=spreadsheet');
  const lines = text.trimEnd().split('\r\n').slice(1);
  for (const line of lines) t.match(line, /^"[a-z]+",("[^"]+")?,"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",/);
  t.match(
    lines[0],
    /"fraud","\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","of 2026-01-15T09:30:00Z"/,
    'texts are as they are',
  );
  t.match(lines[0], record.decided_at.slice(0, 19).replace('T', ' '));
  t.match((await api.get('/v1/decisions/export?format=csv&times=rfc3339')).text, record.decided_at);
  const { status, json } = await api.get('/v1/decisions/export?times=spreadsheet');
  t.same([status, json.errors], [400, [{ pointer: 'times', detail: 'is for format=csv' }]]);
});

t.test('goes on behind the last decision of an export that broke off', async (t) => {
  const api = await createReadApi(t);
  const records = Array.from({ length: 250 }, (_, serial) => createDecisionRecord(NOW_MS, serial));
  const gap = createGapRecord(NOW_MS, 3);
  await api.log.append({ number: 1, records: [...records.slice(0, 30), gap, ...records.slice(30)] });
  for (const format of ['csv', 'ndjson'] as const) {
    const mark = format === 'csv' ? '&bom=true' : '';
    const path = `/v1/decisions/export?format=${format}${mark}`;
    const whole = (await api.get(path)).text;
    for (const place of [0, 30, 128, 249]) {
      const id = records[place]?.decision_id ?? '';
      const { text } = await api.get(`${path}&after=${id}`);
      const there = whole.slice(0, whole.indexOf('\n', whole.indexOf(id)) + 1);
      t.equal(there + text, whole, `${format} from ${place} on`);
    }
  }
  await api.log.append({ number: 2, records: [createDecisionRecord(NOW_MS, 999)] });
  const { text } = await api.get(`/v1/decisions/export?after=${records[1]?.decision_id}`);
  t.same(JSON.parse(text), { ...records[0], label: null, labels: [] }, 'whatever arrives meanwhile');
  const lost = `/v1/decisions/export?after=${createDecisionRecord(NOW_MS, 7777).decision_id}`;
  t.match((await api.get(lost)).json.errors, [{ pointer: 'after' }]);
  for (const query of ['after=1', `format=parquet&after=${records[1]?.decision_id}`])
    t.equal((await api.get(`/v1/decisions/export?${query}`)).status, 400, query);
});

/** Resolves once no page is read for so many milliseconds. */
async function untilStill(pages: () => number, ms: number): Promise<void> {
  let before = -1;
  await until('nothing more is read', async () => {
    const isStill = pages() === before;
    before = pages();
    await delay(ms);
    return isStill && pages() === before;
  });
}

t.test('reads no further than the client does', async (t) => {
  const { log } = await createReadApi(t);
  const PAGES = 4000;
  let pages = 0;
  const query = async (_: unknown, { limit }: { limit: number }) => {
    pages += 1;
    const entries = Array.from({ length: limit }, (_, place) => {
      const record = createDecisionRecord(NOW_MS, pages * limit + place);
      return { position: record.decision_id, record };
    });
    return { entries, next: pages === PAGES ? null : 'more' };
  };
  const api = await createReadApi(t, { reader: { ...log, query, labelsOf: async () => new Map() } });
  const port = await api.listen();
  const response = await openExport(port);
  await untilStill(() => pages, 100);
  t.ok(pages < 100, `${pages} of ${PAGES} pages were read for a client that does not read`);
  response.destroy();
  await untilStill(() => pages, 100);
  t.ok(pages < 100, `${pages} of ${PAGES} pages, also when it has gone`);
});

t.test('lets others have their turn between two pages', async (t) => {
  const { log } = await createReadApi(t);
  const records = Array.from({ length: 2500 }, (_, serial) => createDecisionRecord(NOW_MS, serial));
  await log.append({ number: 1, records });
  let turns = 0;
  const count = () => {
    turns += 1;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  let pages = 0;
  for await (const text of exportDecisions(log, {}, { format: 'ndjson', hasMark: false })) {
    t.match(text, /\n$/);
    pages += 1;
  }
  clearImmediate(turning);
  t.ok(pages >= 10 && turns >= pages - 1, `${turns} turns for ${pages} pages`);
});

t.test('breaks off, so that nobody takes it for whole, when the log is lost on the way', async (t) => {
  const { log } = await createReadApi(t);
  let pages = 0;
  const query = async () => {
    pages += 1;
    if (pages === 3) throw new RiskgateError('store_unavailable', 'lost');
    const record = createDecisionRecord(NOW_MS, pages);
    return { entries: [{ position: record.decision_id, record }], next: 'more' };
  };
  const api = await createReadApi(t, { reader: { ...log, query, labelsOf: async () => new Map() } });
  const port = await api.listen();
  const response = await openExport(port);
  t.equal(response.statusCode, 200);
  response.resume();
  const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException];
  t.equal(error.code, 'ECONNRESET');
  t.equal(response.complete, false);
});

t.test('does not promise more than it can: at most four at a time', async (t) => {
  const { log } = await createReadApi(t);
  const gate = Promise.withResolvers<void>();
  const reader = { ...log, query: () => gate.promise.then(() => ({ entries: [], next: null })) };
  const api = await createReadApi(t, { reader });
  const under = Array.from({ length: 4 }, () => api.get('/v1/decisions/export'));
  const refused = await api.get('/v1/decisions/export');
  t.match([refused.status, refused.json.code], [503, 'overloaded']);
  gate.resolve();
  for (const { status } of await Promise.all(under)) t.equal(status, 200);
  t.equal((await api.get('/v1/decisions/export')).status, 200, 'and then again');
});

t.test('keeps no place for a client that goes away before its export begins', async (t) => {
  const { log, hashes } = await createReadApi(t);
  const app = Fastify();
  t.teardown(() => app.close());
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);
  app.decorate('isStillAllowed', () => true);
  let waiting = 0;
  app.addHook('onRequest', async ({ headers, raw }) => {
    if (headers['x-leaves'] === undefined) return;
    // As a count of its requests in Redis may take its time.
    waiting += 1;
    await once(raw.socket, 'close');
    await delay(1);
    waiting -= 1;
  });
  const reads = { log, bulk: log, hashes: [hashes], openParquet: createParquetEncoder };
  await app.register(decisionExportRoutes, { serve: { reads } });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const port = portOf(app.server.address());
  const path = '/v1/decisions/export';
  const leaving = Array.from({ length: 4 }, () => request({ port, path, headers: { 'x-leaves': 'yes' } }));
  for (const sent of leaving) sent.on('error', () => {}).end();
  await until('all are let in', () => waiting === 4);
  for (const sent of leaving) sent.destroy();
  await until('all have gone', () => waiting === 0);
  await until('an export is made', async () => (await app.inject(path)).statusCode === 200);
});

t.test('ends with its client and its key, also where nothing fits', async (t) => {
  const { log } = await createReadApi(t);
  for (const ends of ['client', 'key'] as const) {
    let pages = 0;
    const query = async () => {
      pages += 1;
      await delay(1);
      return { entries: [], next: 'more' };
    };
    const api = await createReadApi(t, { reader: { ...log, query } });
    const port = await api.listen();
    const response = await openExport(port, '?decision=BLOCK');
    const closed = new Promise<void>((resolve) => response.on('close', resolve));
    // It is cut off: that is what is looked for.
    response.resume().on('error', () => {});
    await until('it looks for more', () => pages > 5);
    if (ends === 'client') response.destroy();
    else api.withdrawKeys();
    await closed;
    t.equal(response.complete, false, ends);
    await untilStill(() => pages, 50);
  }
});
