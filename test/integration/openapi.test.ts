import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { createOpenApiDocument } from '../../openapi/document.ts';
import { createRecordSchema, RECORD_SCHEMA_FILE } from '../../openapi/record-schema.ts';
import { ROOT, runProgram } from '../support/start-program.ts';

interface Media {
  readonly schema: { readonly additionalProperties?: unknown };
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Content {
  readonly description?: string;
  readonly content: Readonly<Record<string, Media>>;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly openapi: string;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly examples?: readonly unknown[] }>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

const text = readFileSync(`${ROOT}/openapi/openapi.json`, 'utf8');
const document = JSON.parse(text) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
);

t.test('the committed document is what the routes describe', async (t) => {
  t.equal(await createOpenApiDocument(), text, 'run `npm run openapi`');
  t.equal(createRecordSchema(), readFileSync(`${ROOT}/openapi/${RECORD_SCHEMA_FILE}`, 'utf8'));
});

t.test('generating it twice gives the same bytes', async (t) => {
  t.equal(await createOpenApiDocument(), await createOpenApiDocument());
});

t.test('the check for CI passes without writing', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, [process.execPath, 'openapi/generate.ts', '--check']);
  t.strictSame({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' });
});

t.test('it is valid OpenAPI 3.1', async (t) => {
  t.match(document.openapi, /^3\.1\.\d+$/);
  const { code, stdout, stderr } = await runProgram(
    t,
    [
      process.execPath,
      'node_modules/@redocly/cli/bin/cli.js',
      'lint',
      '--config',
      'openapi/redocly.yaml',
      'openapi/openapi.json',
    ],
    { env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' } },
  );
  t.equal(code, 0, `${stdout}${stderr}`);
});

t.test('it lists every route that callers may use', async (t) => {
  t.strictSame(operations.map(({ name }) => name).toSorted(), [
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
    'get /.well-known/authzen-configuration',
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
    'post /v1/shared-signals/{stream}',
    'post /v1/step-ups',
    'post /v1/subjects/find',
    'put /v1/lists/{list}/entries',
    'put /v1/policies/{id}/candidate',
    'put /v1/review/queues',
  ]);
});

t.test('every operation has an id, a summary and a tag', async (t) => {
  const ids = operations.map(({ operation }) => operation.operationId);
  t.equal(new Set(ids).size, operations.length);
  for (const { name, operation } of operations) {
    t.match(operation, { operationId: /^[a-z][A-Za-z]+$/, summary: /./, tags: [/./] }, name);
  }
});

t.test('names of components are words', async (t) => {
  const names = Object.values(document.components).flatMap((group) => Object.keys(group));
  t.ok(names.includes('Problem'));
  for (const name of names) t.notMatch(name, /def-|schema-\d|\d/);
  t.notMatch(text, /def-\d/);
});

t.test('both ways to present an API key are described, and asked for under /v1', async (t) => {
  t.strictSame(Object.keys(document.components.securitySchemes), ['bearer', 'apiKey', 'gatewayKey']);
  t.strictSame(document.security, [{ bearer: [] }, { apiKey: [] }]);
  for (const { name, operation } of operations) {
    const asked = name.includes('/v1/gateway/') ? [{ gatewayKey: [] }] : undefined;
    const isOpen = !name.includes('/v1/') || name === 'get /v1/session';
    t.strictSame(operation.security, isOpen ? [] : asked, name);
  }
});

t.test('every error is a problem document, but towards gateways, whose users would read it', async (t) => {
  const api = operations.filter(({ name }) => name.includes('/v1/') && !name.includes('/v1/gateway/'));
  t.ok(api.length >= 3);
  for (const { name, operation } of api) {
    // RFC 8935 has a document of its own for tokens that are refused.
    const isOwn = (status: string) => name.endsWith('/shared-signals/{stream}') && status === '400';
    const errors = Object.entries(operation.responses).filter(
      ([status]) => status >= '400' && !isOwn(status),
    );
    // Nobody has to be known for it.
    t.ok(errors.length >= (name === 'get /v1/session' ? 3 : 4), name);
    for (const [status, { content, description }] of errors) {
      t.strictSame(Object.keys(content), ['application/problem+json'], `${name} ${status}`);
      t.match(description, /./);
    }
  }
});

t.test('the body of a decision takes no unknown fields', async (t) => {
  const media = document.paths['/v1/decide']?.['post']?.requestBody?.content['application/json'];
  t.match(media?.schema, { $ref: '#/components/schemas/DecideRequest' });
  t.match(document.components.schemas['DecideRequest'], { additionalProperties: false });
});

t.test('every example is valid by its schema', async (t) => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  let checked = 0;
  for (const { name, operation } of operations) {
    for (const { content = {} } of [operation.requestBody, ...Object.values(operation.responses)].filter(
      (part) => part !== undefined,
    )) {
      for (const { schema, example, examples = {} } of Object.values(content)) {
        const values = [example, ...Object.values(examples).map(({ value }) => value)];
        for (const value of values.filter((value) => value !== undefined)) {
          checked += 1;
          t.ok(
            ajv.validate({ ...schema, components: document.components }, value),
            `${name}: ${ajv.errorsText()}`,
          );
        }
      }
    }
  }
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    for (const value of schema.examples ?? []) {
      checked += 1;
      t.ok(
        ajv.validate({ ...schema, components: document.components }, value),
        `${name}: ${ajv.errorsText()}`,
      );
    }
  }
  t.ok(checked >= 4);
});
