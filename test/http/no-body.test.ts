import { readFileSync } from 'node:fs';
import t from 'tap';
import { Client } from 'undici';
import { sendBytes } from '../support/raw-http.ts';
import { createTestApp, KEYS, startEmulators, type TestApp } from '../support/test-app.ts';

/** Many HTTP clients send this with every request, and so with those that have no body. */
const JSON_TYPE = { 'content-type': 'application/json' };
const METHODS = ['post', 'put', 'patch', 'delete'] as const;

interface Described {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Partial<Record<string, { readonly requestBody?: { readonly content?: object } }>>>
    >
  >;
}

const emulators = await startEmulators(t);
const { paths } = JSON.parse(readFileSync('openapi/openapi.json', 'utf8')) as Described;
const operations = Object.entries(paths).flatMap(([path, described]) =>
  METHODS.flatMap((method) => {
    const operation = described[method];
    if (operation === undefined || path.startsWith('/v1/gateway/')) return [];
    const types = Object.keys(operation.requestBody?.content ?? {});
    const verb = method.toUpperCase() as Uppercase<typeof method>;
    return [{ method: verb, url: toUrl(path), types, takesNone: operation.requestBody === undefined }];
  }),
);

/** With values that pass the schemas of paths. */
function toUrl(path: string): string {
  return path.replaceAll('{hash}', `sha256:${'0'.repeat(64)}`).replaceAll(/\{\w+\}/g, 'some');
}

const ask = async (app: TestApp, method: (typeof operations)[number]['method'], url: string) =>
  app.ask<{ code?: string; detail?: string } | undefined>(method, url, { headers: JSON_TYPE });

t.test('a request without a body may say application/json, wherever none is taken', async (t) => {
  const app = await createTestApp(t, { emulators });
  const bare = operations.filter(({ takesNone }) => takesNone);
  t.ok(bare.length >= 8, bare.map(({ method, url }) => `${method} ${url}`).join(', '));
  for (const { method, url } of bare) {
    const [typed, untyped] = [
      await ask(app, method, url),
      await app.ask<{ code?: string } | undefined>(method, url),
    ];
    t.not(typed.json?.code, 'malformed_body', `${method} ${url}`);
    t.not(typed.json?.code, 'internal', `${method} ${url}`);
    t.same([typed.status, typed.json?.code], [untyped.status, untyped.json?.code], `${method} ${url}`);
  }
});

t.test('where a body is needed an empty one is refused, as before', async (t) => {
  const app = await createTestApp(t, { emulators });
  const needing = operations.filter(({ takesNone }) => !takesNone);
  t.ok(needing.length >= 8);
  for (const { method, url, types } of needing) {
    const { status, json } = await ask(app, method, url);
    const isJson = types.includes('application/json');
    t.ok([400, 404, 415].includes(status), `${method} ${url} ${status} ${json?.code}`);
    if (isJson && status === 400)
      t.match(json, { code: 'malformed_body', detail: 'The body is empty.' }, url);
  }
});

t.test('what is in a body that is not taken is still looked at', async (t) => {
  const { app, listen } = await createTestApp(t, { emulators });
  const port = await listen();
  const remove = async (payload: string) =>
    app.server.inject({
      method: 'DELETE',
      url: '/v1/policies/in-force',
      headers: { ...JSON_TYPE, authorization: `Bearer ${KEYS.admin}` },
      payload,
    });
  for (const payload of [' ', '{', '{"a":1,"a":2}', '{"__proto__":{}}'])
    t.match((await remove(payload)).json(), { status: 400, code: 'malformed_body' }, payload);
  const lines = ['DELETE /v1/policies/in-force HTTP/1.1', 'Host: riskgate', 'Connection: close'];
  const head = [...lines, `Authorization: Bearer ${KEYS.admin}`, 'Content-Type: application/json'];
  for (const [framing, body] of [
    ['Content-Length: 0', ''],
    ['Transfer-Encoding: chunked', '0\r\n\r\n'],
  ] as const)
    t.equal(
      (await sendBytes(port, `${[...head, framing].join('\r\n')}\r\n\r\n${body}`)).status,
      409,
      framing,
    );
  const client = new Client(`http://127.0.0.1:${port}`);
  t.teardown(() => client.close());
  const headers = { ...JSON_TYPE, authorization: `Bearer ${KEYS.admin}` };
  const { statusCode, body } = await client.request({
    method: 'DELETE',
    path: '/v1/policies/in-force',
    headers,
  });
  t.match([statusCode, await body.json()], [409, { detail: /Without Redis/ }]);
});
