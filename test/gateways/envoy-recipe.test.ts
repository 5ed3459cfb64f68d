/**
 * The recipes for Envoy, read by Envoy's own definitions: a field that does not exist would stop an Envoy
 * from starting.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';

const RECIPES = ['envoy', 'envoy-grpc'];
/** Newer than the definitions; a real Envoy is given the recipes by `npm run test:gateways`. */
const NEWER = /\.(remove_on_match|http_service)$/;
const DEPS = new URL('../../node_modules/@grpc/grpc-js-xds/deps/', import.meta.url);
const FILTERS = 'envoy/extensions/filters';

const LOADED: Readonly<Record<string, object>> = loadSync(
  [
    'envoy/config/bootstrap/v3/bootstrap.proto',
    `${FILTERS}/network/http_connection_manager/v3/http_connection_manager.proto`,
    `${FILTERS}/http/header_mutation/v3/header_mutation.proto`,
    `${FILTERS}/http/ext_authz/v3/ext_authz.proto`,
    `${FILTERS}/http/router/v3/router.proto`,
    'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
  ],
  {
    keepCase: true,
    includeDirs: ['envoy-api', 'xds', 'protoc-gen-validate', 'googleapis'].map((name) =>
      fileURLToPath(new URL(name, DEPS)),
    ),
  },
);

const namedSchema = z.looseObject({ name: z.string() });
const messageSchema = z.object({
  field: z.array(z.object({ name: z.string(), type: z.string(), typeName: z.string(), label: z.string() })),
  nestedType: z.array(namedSchema),
  enumType: z.array(namedSchema),
  options: z.object({ mapEntry: z.boolean().optional() }).nullish(),
});
const enumSchema = z.object({ value: z.array(z.object({ name: z.string() })) });
const recordSchema = z.record(z.string(), z.unknown());
const envoyFilterSchema = z.object({
  spec: z.object({ configPatches: z.tuple([z.object({ patch: z.object({ value: z.unknown() }) })]) }),
});
const anySchema = z.object({ '@type': z.string().startsWith('type.googleapis.com/') });

/** Descriptors of messages and enumerations by full name, nested ones too. */
const DEFINITION = new Map<string, unknown>();
for (const [name, entry] of Object.entries(LOADED)) if ('type' in entry) define(name, entry.type);

function define(name: string, descriptor: unknown): void {
  DEFINITION.set(name, descriptor);
  const { data } = messageSchema.safeParse(descriptor);
  for (const inner of [...(data?.nestedType ?? []), ...(data?.enumType ?? [])])
    define(`${name}.${inner.name}`, inner);
}

/** A name is relative to the message that speaks of it, or to one of what that is in. */
function resolve(name: string, scope: string): string {
  const parts = scope.split('.');
  for (let count = parts.length; count >= 0; count -= 1) {
    const full = [...parts.slice(0, count), name].join('.');
    if (DEFINITION.has(full)) return full;
  }
  throw new Error(`${name}, which ${scope} speaks of, is not defined`);
}

/** What of the value its definition does not know, by its path. */
function findMistakes(value: unknown, message: string, path: string): string[] {
  if (message === 'google.protobuf.Any') {
    const { '@type': url } = anySchema.parse(value);
    const { '@type': _, ...rest } = recordSchema.parse(value);
    return findMistakes(rest, url.slice('type.googleapis.com/'.length), path);
  }
  if (message === 'google.protobuf.Struct') return [];
  // Written as plain values in YAML: durations and wrapped numbers.
  if (message.startsWith('google.protobuf.')) return typeof value === 'object' ? [path] : [];
  return Object.entries(recordSchema.parse(value)).flatMap(([name, inner]) =>
    findMistakesInField(inner, message, name, `${path}.${name}`),
  );
}

function findMistakesInField(value: unknown, message: string, name: string, path: string): string[] {
  const field = messageSchema.parse(DEFINITION.get(message)).field.find((known) => known.name === name);
  if (field === undefined) return [path];
  const values = field.label === 'LABEL_REPEATED' ? valuesOf(value) : [value];
  if (field.type === 'TYPE_MESSAGE') {
    const inner = resolve(field.typeName, message);
    // A map is a list of entries, whose values are all that a mistake can be in.
    const isMap = messageSchema.safeParse(DEFINITION.get(inner)).data?.options?.mapEntry === true;
    if (isMap === Array.isArray(value) && field.label === 'LABEL_REPEATED') return [path];
    return values.flatMap((item) => findMistakes(isMap ? { value: item } : item, inner, path));
  }
  if (field.type !== 'TYPE_ENUM') return values.some((item) => typeof item === 'object') ? [path] : [];
  const { value: known } = enumSchema.parse(DEFINITION.get(resolve(field.typeName, message)));
  return values.every((item) => known.some((one) => one.name === item)) ? [] : [path];
}

function valuesOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : Object.values(recordSchema.parse(list));
}

function readRecipe(name: string): string {
  return readFileSync(new URL(`../../docs/gateways/${name}/envoy.yaml`, import.meta.url), 'utf8');
}

const BOOTSTRAP = 'envoy.config.bootstrap.v3.Bootstrap';

t.test('every field and every name of a recipe is one that Envoy knows', async (t) => {
  for (const name of RECIPES) {
    const mistakes = findMistakes(parse(readRecipe(name)), BOOTSTRAP, '');
    t.same(
      mistakes.filter((path) => !NEWER.test(path)),
      [],
      name,
    );
    t.ok(mistakes.length < 5, 'and few are too new to be known');
  }
});

t.test('the filter on the page of Istio is the one that a real Envoy runs', async (t) => {
  const page = readFileSync(new URL('../../docs/gateways/istio.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
  const block = blocks.find((text) => text.includes('EnvoyFilter'));
  const [{ patch }] = envoyFilterSchema.parse(parse(block ?? '')).spec.configPatches;
  const recipe = JSON.stringify(parse(readRecipe('envoy-grpc')));
  t.ok(recipe.includes(JSON.stringify(patch.value)));
});

t.test('a mistake at any depth is found', async (t) => {
  for (const [right, wrong] of [
    ['static_resources:', 'static_resource:'],
    ['failure_mode_allow:', 'failure_mode_allowed:'],
    ['context_extensions:', 'context_extension:'],
    ['http2_protocol_options:', 'http2_options:'],
    ['grpc_health_check:', 'health_check_grpc:'],
    ['ServiceUnavailable', 'Unavailable'],
    ['{ remove: x-risk-reasons }', '{ drop: x-risk-reasons }'],
    ['DROP_HEADER }', 'DROP_ALL }'],
  ] as const) {
    const recipe = readRecipe('envoy-grpc');
    const known = findMistakes(parse(recipe), BOOTSTRAP, '');
    t.ok(recipe.includes(right), right);
    const found = findMistakes(parse(recipe.replace(right, wrong)), BOOTSTRAP, '');
    t.equal(found.filter((path) => !known.includes(path)).length, 1, wrong);
  }
});
