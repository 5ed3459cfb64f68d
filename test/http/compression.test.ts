import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { createTestApp, KEYS } from '../support/test-app.ts';

const app = await createTestApp(t, { env: { DECISION_LOG: 'memory' } });
for (let serial = 0; serial < 40; serial += 1)
  await app.decide({ telemetry_id: `allow-compressed-${serial}`, device_id: 'active' });
const port = await app.listen();

interface Received {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
}

/** Over a socket: what undoes codings by itself would hide them. */
async function get(
  path: string,
  headers: Record<string, string>,
  { method = 'GET', body = '' } = {},
): Promise<Received> {
  const sent = request({
    port,
    path,
    method,
    headers: { authorization: `Bearer ${KEYS.all}`, ...headers },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, bytes: await buffer(response) };
}

t.test('compresses for all who ask at once, first of all', async (t) => {
  const asked = { 'accept-encoding': 'gzip' };
  const all = await Promise.all(
    [1, 2, 3].map((serial) => get('/v1/decisions?limit=20', { ...asked, 'x-request-id': `first-${serial}` })),
  );
  const plain = JSON.parse(String((await get('/v1/decisions?limit=20', {})).bytes));
  for (const [place, { headers, bytes }] of all.entries()) {
    t.match(headers, { 'content-encoding': 'gzip', 'x-request-id': `first-${place + 1}` });
    t.same(JSON.parse(String(gunzipSync(bytes))), plain);
  }
});

t.test('compresses what is read, as the client asks', async (t) => {
  const plain = await get('/v1/decisions?limit=20', {});
  t.notOk(plain.headers['content-encoding']);
  const whole = JSON.parse(String(plain.bytes));
  for (const [field, encoding, undo] of [
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0.1, gzip;q=0.9', 'gzip', gunzipSync],
    ['br;q=0, *', 'gzip', gunzipSync],
    ['GZIP', 'gzip', gunzipSync],
    ['zstd, x-gzip', 'gzip', gunzipSync],
  ] as const) {
    const packed = await get('/v1/decisions?limit=20', { 'accept-encoding': field });
    t.equal(packed.headers['content-encoding'], encoding, field);
    t.equal(packed.headers['vary'], 'accept-encoding');
    t.ok(packed.bytes.length * 3 < plain.bytes.length, 'to less than a third');
    t.same(JSON.parse(String(undo(packed.bytes))), whole);
  }
});

t.test('sends an answer as it is where the client does not ask for less', async (t) => {
  for (const field of ['', 'identity', 'br;q=0', 'gzip;q=0.0', 'zstd', 'deflate', 'identity;q=0', ';;,=,q'])
    t.match(
      (await get('/v1/decisions', { 'accept-encoding': field })).headers,
      { 'content-encoding': undefined, vary: 'accept-encoding' },
      field,
    );
});

t.test('knows an answer again in another coding, and sends HEAD what GET has', async (t) => {
  const br = { 'accept-encoding': 'br' };
  const url = '/v1/decisions?limit=30';
  const first = await get(url, br);
  const { etag = '' } = first.headers;
  t.match(etag, /^W\//, 'the tag is that of all codings');
  t.equal((await get(url, { 'accept-encoding': 'gzip' })).headers['etag'], etag);
  const again = await get(url, { ...br, 'if-none-match': etag });
  t.equal(again.status, 304);
  t.match(again.headers, { etag, vary: 'accept-encoding', 'content-encoding': undefined });
  t.equal(again.bytes.length, 0);
  const head = await get(url, br, { method: 'HEAD' });
  t.equal(head.status, 200);
  t.match(head.headers, { etag, vary: 'accept-encoding' });
  t.equal(head.bytes.length, 0);
});

t.test('compresses no decision, no small answer, no stream and nothing that is no read', async (t) => {
  const headers = { 'accept-encoding': 'gzip', 'content-type': 'application/json' };
  const items = Array.from({ length: 20 }, (_, at) => ({ telemetry_id: `allow-${at}`, device_id: 'active' }));
  const batch = await get('/v1/decide/batch', headers, { method: 'POST', body: JSON.stringify({ items }) });
  t.equal(batch.status, 200);
  t.ok(batch.bytes.length > 2_000);
  t.match(batch.headers, { 'content-encoding': undefined, vary: undefined });
  const decided = await get('/v1/decide', headers, { method: 'POST', body: JSON.stringify(items[0]) });
  t.match(decided.headers, { 'content-encoding': undefined, vary: undefined });
  const small = await get('/v1/decisions?limit=1&caller=nobody', headers);
  t.ok(small.bytes.length < 1_000);
  t.match(small.headers, { 'content-encoding': undefined, vary: 'accept-encoding' });
  const exported = await get('/v1/decisions/export?format=csv', headers);
  t.ok(exported.bytes.length > 2_000);
  t.match(exported.headers, { 'content-encoding': undefined });
});

t.test('sends the first event of a stream at once', async (t) => {
  const sent = request({
    port,
    path: '/v1/decisions/stream',
    headers: { authorization: `Bearer ${KEYS.all}`, 'accept-encoding': 'gzip, br' },
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  t.notOk(response.headers['content-encoding']);
  await app.decide({ telemetry_id: 'allow-streamed', device_id: 'active' });
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (text.includes('decision_id')) break;
  }
  sent.destroy();
  t.match(text, /"decision":"ALLOW"/);
});
