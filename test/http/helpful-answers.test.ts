import { gzipSync } from 'node:zlib';
import t from 'tap';
import { createTestApp, KEYS } from '../support/test-app.ts';

const app = await createTestApp(t);
const JSON_TYPE = { 'content-type': 'application/json' };
const BEARER = { authorization: `Bearer ${KEYS.all}` };

interface Sent {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string | Buffer;
}

async function send({ method = 'POST', url = '/v1/decide', headers = {}, payload }: Sent) {
  const answer = await app.app.server.inject({
    method,
    url,
    headers: { ...headers },
    ...(payload !== undefined && { payload }),
  });
  const isJson = /json/.test(String(answer.headers['content-type'])) && answer.body !== '';
  return {
    status: answer.statusCode,
    headers: answer.headers,
    problem: isJson ? JSON.parse(answer.body) : null,
  };
}

t.test('says of a body that is no object that it is none, and nothing else', async (t) => {
  for (const payload of ['[]', '[{"device_id":"x"}]', 'null', '"text"', '7', 'true']) {
    const { status, problem } = await send({ headers: { ...BEARER, ...JSON_TYPE }, payload });
    t.equal(status, 400);
    t.same(problem.errors, [{ pointer: '', detail: 'must be object' }], payload);
  }
  const { problem } = await send({ headers: BEARER });
  t.same(problem.errors, [{ pointer: '', detail: 'must be object' }], 'no body at all');
});

t.test('says that a body is empty', async (t) => {
  const { status, problem } = await send({ headers: { ...BEARER, ...JSON_TYPE }, payload: '' });
  t.equal(status, 400);
  t.match(problem, { code: 'malformed_body', detail: 'The body is empty.' });
});

t.test('says what to send instead of another media type', async (t) => {
  const headers = { ...BEARER, 'content-type': 'text/plain' };
  const answer = await send({ headers, payload: '{}' });
  t.equal(answer.status, 415);
  t.match(answer.problem, { code: 'unsupported_media_type', detail: /`Content-Type: application\/json`/ });
  t.equal(answer.headers['accept'], 'application/json');
});

t.test('refuses a compressed body by its coding, and takes identity', async (t) => {
  for (const coding of ['gzip', 'br', 'GZIP', 'gzip, gzip']) {
    const headers = { ...BEARER, ...JSON_TYPE, 'content-encoding': coding };
    const answer = await send({ headers, payload: gzipSync('{}') });
    t.equal(answer.status, 415, coding);
    t.match(answer.problem.detail, /without `Content-Encoding`/);
    t.equal(answer.headers['accept-encoding'], 'identity');
  }
  const plain = { ...BEARER, ...JSON_TYPE, 'content-encoding': 'identity' };
  t.equal((await send({ headers: plain, payload: '{}' })).status, 200);
});

t.test('looks at the key before the body', async (t) => {
  const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
  t.equal((await send({ headers, payload: gzipSync('{}') })).status, 401);
});

t.test('says how to send an API key, by what came instead', async (t) => {
  const details: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{}, /^Send the API key as `Authorization: Bearer <key>` or as `X-API-Key: <key>`\.$/],
    [{ authorization: 'Basic eDp5' }, /^Authorization is read as a bearer token only\. Send/],
    [{ authorization: 'Bearer wrong' }, /^The API key is not known here\.$/],
    [{ 'x-api-key': 'wrong' }, /not known/],
    [{ ...BEARER, 'x-api-key': 'wrong' }, /hold different keys/],
  ];
  for (const [headers, detail] of details) {
    const answer = await send({ headers: { ...JSON_TYPE, ...headers }, payload: '{}' });
    t.equal(answer.status, 401);
    t.match(answer.problem.detail, detail);
    t.match(answer.headers['www-authenticate'], /^Bearer /);
    t.notMatch(answer.problem.detail, /wrong|eDp5/, 'and repeats nothing');
  }
});

t.test('names the methods of an address, also of one with an id in it', async (t) => {
  const allowed: readonly (readonly [NonNullable<Sent['method']>, string, string])[] = [
    ['GET', '/v1/decide', 'POST'],
    ['OPTIONS', '/v1/decide', 'POST'],
    ['PUT', '/v1/decisions/some-id', 'GET, HEAD'],
    ['GET', '/v1/decisions/some-id/outcome', 'POST'],
    ['DELETE', '/docs', 'GET, HEAD'],
  ];
  for (const [method, url, list] of allowed) {
    const { status, headers, problem } = await send({ method, url, headers: BEARER });
    t.equal(status, 405, url);
    t.equal(headers['allow'], list);
    t.match(problem.detail, `This address takes ${list}.`);
  }
});

t.test('says where else to look for what is not there', async (t) => {
  const slash = await send({ url: '/v1/decide/', headers: { ...BEARER, ...JSON_TYPE }, payload: '{}' });
  t.match(slash, { status: 404, problem: { detail: 'Leave out the slash at the end.' } });
  const nothing = await send({ method: 'GET', url: '/v1/nothing' });
  t.match(nothing, { status: 404, problem: { detail: /openapi\.json/ } });
});

t.test('leads from the root to the documentation, wherever a proxy has put the service', async (t) => {
  for (const method of ['GET', 'HEAD'] as const) {
    const { status, headers } = await send({ method, url: '/' });
    t.equal(status, 302);
    for (const base of ['http://h/', 'http://h/riskgate/'])
      t.equal(new URL(String(headers['location']), base).href, `${base}docs`);
  }
});

t.test('serves the documentation below a path that a proxy takes away', async (t) => {
  const prefix = 'http://h/riskgate';
  for (const page of ['/docs', '/docs/']) {
    const html = (await app.app.server.inject(page)).body;
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    t.ok(loaded.length >= 3);
    for (const url of loaded) {
      const { href } = new URL(url, `${prefix}${page}`);
      t.ok(href.startsWith(`${prefix}/docs/static/`), href);
      t.equal((await app.app.server.inject(href.slice(prefix.length))).statusCode, 200, href);
    }
  }
  for (const document of ['/openapi.json', '/docs/json']) {
    const { servers } = (await app.app.server.inject(document)).json<{ servers: { url: string }[] }>();
    t.equal(new URL(servers[0]?.url ?? '', `${prefix}${document}`).href, `${prefix}/`, document);
  }
  const { statusCode, headers } = await app.app.server.inject('/docs/yaml');
  t.same([statusCode, headers.location], [308, 'json'], 'YAML is not written again for everyone');
});
