import t from 'tap';
import { createTestApp } from '../support/test-app.ts';

type Json = { readonly [name: string]: Json } & { readonly length?: number };

interface MediaType {
  readonly schema: {
    readonly properties?: Json;
    readonly additionalProperties?: boolean;
    readonly examples?: readonly unknown[];
  };
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Operation {
  readonly summary?: string;
  readonly operationId?: string;
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Json }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes: Json };
}

const app = await createTestApp(t);
const { status, json: document } = await app.ask<Document>('GET', '/openapi.json', { key: null });

t.test('describes every route in OpenAPI 3.1, to everyone', async (t) => {
  t.equal(status, 200);
  t.match(document.openapi, /^3\.1\./);
  t.match(document.info, { title: 'riskgate', version: '0.0.0-test' });
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  t.same(operations.sort(), [
    'delete /v1/backtests/{backtest_id}',
    'delete /v1/evidence',
    'delete /v1/lists/{list}/entries/{entry_id}',
    'delete /v1/policies/in-force',
    'delete /v1/policies/{id}/candidate',
    'delete /v1/policies/{id}/promotion',
    'delete /v1/review/claims/{decision_id}',
    'delete /v1/review/queues',
    'delete /v1/session',
    'delete /v1/subjects',
    'get /livez',
    'get /metrics',
    'get /readyz',
    'get /v1/alerts',
    'get /v1/backtests/{backtest_id}',
    'get /v1/decisions',
    'get /v1/decisions/export',
    'get /v1/decisions/stream',
    'get /v1/decisions/{decision_id}',
    'get /v1/gateway/{dialect}/{profile}',
    'get /v1/lists',
    'get /v1/lists/{list}/entries',
    'get /v1/lists/{list}/export',
    'get /v1/metrics',
    'get /v1/policies',
    'get /v1/policies/history',
    'get /v1/policies/{hash}',
    'get /v1/policies/{hash}/analysis',
    'get /v1/policies/{hash}/diff',
    'get /v1/policies/{id}/promotion',
    'get /v1/policy',
    'get /v1/providers',
    'get /v1/review/claims',
    'get /v1/review/queues',
    'get /v1/session',
    'get /v1/stats',
    'get /v1/stats/rules',
    'get /v1/subjects/{part}/{hash}',
    'get /v1/subjects/{part}/{hash}/memory',
    'get /version',
    'post /access/v1/evaluation',
    'post /access/v1/evaluations',
    'post /v1/backtests',
    'post /v1/decide',
    'post /v1/decide/batch',
    'post /v1/decisions/{decision_id}/outcome',
    'post /v1/events',
    'post /v1/lists/{list}/import',
    'post /v1/policies/history/{hash}/restore',
    'post /v1/policies/{id}/promote',
    'post /v1/review/claims',
    'post /v1/session',
    'post /v1/step-ups',
    'post /v1/subjects/find',
    'put /v1/lists/{list}/entries',
    'put /v1/policies/{id}/candidate',
    'put /v1/review/queues',
  ]);
});

t.test('gives every operation a name, a summary and its answers', async (t) => {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  t.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const { summary, responses } of operations) {
    t.match(summary, /\S/);
    t.ok(Object.keys(responses).some((status) => status.startsWith('2')));
    for (const { description } of Object.values(responses)) t.match(description, /\S/);
  }
});

t.test('describes all errors as problem documents', async (t) => {
  const statuses = {
    '/v1/decide': ['400', '401', '403', '413', '415', '500', '503'],
    '/v1/policy': ['401', '403'],
  };
  for (const [path, expected] of Object.entries(statuses)) {
    const { responses } = document.paths[path]?.['post'] ??
      document.paths[path]?.['get'] ?? { responses: {} };
    for (const code of expected) {
      t.ok(responses[code]?.content?.['application/problem+json'], `${path} ${code}`);
    }
  }
  t.ok(document.components.schemas['Problem']);
});

t.test('describes the request by the bounds of the contract, with examples', async (t) => {
  const body = document.paths['/v1/decide']?.['post']?.requestBody?.content['application/json'];
  const schemas = document.components.schemas as unknown as Record<string, MediaType['schema']>;
  const schema = schemas['DecideRequest'];
  t.match(schema?.properties, {
    telemetry_id: { maxLength: 256 },
    device_id: { maxLength: 256 },
    device_ids: { $ref: '#/components/schemas/DecideRequestDeviceIds' },
    user_agent: { maxLength: 1024 },
    deadline_ms: { minimum: 50, maximum: 10_000 },
    max_age_ms: { minimum: 0 },
  });
  t.equal(schema?.additionalProperties, false);
  t.match(schemas['DecideRequestDeviceIds'], {
    properties: { mobilerun: {}, prefactor: {} },
    additionalProperties: false,
  });
  t.ok(JSON.stringify(body).includes('example'));
});

t.test('answers its own examples', async (t) => {
  const body = document.paths['/v1/decide']?.['post']?.requestBody?.content['application/json'];
  const named = Object.values(body?.examples ?? {}).map(({ value }) => value);
  const values = [...named, ...(body?.schema.examples ?? [])];
  t.ok(values.length > 0, 'there are examples');
  for (const value of values) t.equal((await app.decide(value)).status, 200, JSON.stringify(value));
});

t.test('resolves every reference inside the document', async (t) => {
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference ?? '');
  t.ok(references.length > 0);
  for (const reference of new Set(references)) {
    t.match(reference, /^#\//);
    let node: unknown = document;
    for (const step of reference.slice(2).split('/'))
      node = (node as Record<string, unknown> | undefined)?.[step];
    t.ok(node, reference);
  }
});

t.test('holds nothing that client generators cannot spell', async (t) => {
  const text = JSON.stringify(document);
  t.notMatch(text, /\\\\p\{/, 'no Unicode classes in patterns');
  t.notMatch(text, /"format":"ip"/);
  t.notMatch(text, /"not":/);
  const parameters = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).flatMap((operation) =>
      (Reflect.get(operation, 'parameters') ?? []).map(
        ({ name }: { name: string }) =>
          `${operation.operationId} ${name.toLowerCase().replaceAll(/[^a-z]/g, '')}`,
      ),
    ),
  );
  t.ok(parameters.length > 20);
  t.equal(new Set(parameters).size, parameters.length, 'no two parameters have one name in code');
  const numbers: unknown[] = [];
  const inline: string[] = [];
  const walk = (value: unknown, place: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const schema = value as Record<string, unknown>;
    if (Array.isArray(schema['enum']))
      numbers.push(...schema['enum'].filter((one) => typeof one === 'number'));
    const isNamed = /^\/components\/schemas\/[^/]+$/.test(place);
    const isObject = [schema['type']].flat().includes('object') && typeof schema['properties'] === 'object';
    if (isObject && !isNamed) inline.push(place);
    for (const [name, inner] of Object.entries(schema))
      if (name !== 'examples' && name !== 'example') walk(inner, `${place}/${name}`);
  };
  walk(document, '');
  t.same(numbers, [], 'no enum of numbers');
  t.same(inline, [], 'every object has a name');
});

t.test('asks for a key where one is needed, and nowhere else', async (t) => {
  t.ok(document.components.securitySchemes['bearer']);
  t.ok(document.components.securitySchemes['apiKey']);
  for (const path of ['/livez', '/readyz', '/version']) {
    t.strictSame(document.paths[path]?.['get']?.security, [], path);
  }
  for (const [path, method] of [
    ['/v1/decide', 'post'],
    ['/v1/policy', 'get'],
    ['/v1/evidence', 'delete'],
  ] as const) {
    const { status: answered } = await app.ask(
      method === 'post' ? 'POST' : method === 'get' ? 'GET' : 'DELETE',
      path,
      { key: null },
    );
    t.equal(answered, 401, path);
    t.not(document.paths[path]?.[method]?.security?.length, 0, path);
  }
});

t.test('renders the description at /docs, with what the page loads', async (t) => {
  const page = await app.ask('GET', '/docs', { key: null });
  const html = page.status === 302 ? await app.ask('GET', String(page.headers['location'])) : page;
  t.equal(html.status, 200);
  t.match(html.headers['content-type'], /^text\/html/);
  const loaded = [...html.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
  t.ok(loaded.length >= 3, 'the page loads something');
  for (const url of loaded) {
    t.notMatch(url, /^https?:/, 'nothing from elsewhere');
    const asset = await app.ask('GET', new URL(url, 'http://localhost/docs').pathname, { key: null });
    t.equal(asset.status, 200, url);
  }
});

t.test('writes what /docs shows once, however often it is asked for', async (t) => {
  let written = 0;
  const { paths } = app.app.server.swagger();
  const toJSON = () => {
    written += 1;
    return { ...paths };
  };
  Object.defineProperty(paths, 'toJSON', { value: toJSON });
  const shown = await Promise.all([1, 2, 3].map(() => app.ask<Document>('GET', '/docs/json', { key: null })));
  t.ok(written <= 1, `written ${written} times`);
  for (const { status, headers, json } of shown) {
    t.equal(status, 200);
    t.equal(headers['content-type'], 'application/json; charset=utf-8');
    t.same(json, { ...document, servers: [{ url: '..', description: 'This service.' }] });
  }
});
