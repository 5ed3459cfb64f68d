import { isDeepStrictEqual } from 'node:util';

type Json = { [name: string]: unknown };

/**
 * Makes an OpenAPI document one that client generators turn into code that compiles and reads: every object
 * schema gets a name of its own among the components, made of where it stands, and those that are alike share
 * one. What the generators cannot spell is said in words only: the schemas that requests are checked by keep
 * it.
 */
export function nameSchemas(document: Json): void {
  const components = (document['components'] ?? {}) as Json;
  const schemas = (components['schemas'] ?? {}) as Json;
  const names = new Names(schemas);
  for (const [name, schema] of Object.entries(schemas)) nameInside(schema, name, names);
  for (const path of Object.values((document['paths'] ?? {}) as Json))
    for (const operation of Object.values(path as Json)) nameOperation(operation as Operation, names);
  components['schemas'] = schemas;
  document['components'] = components;
}

/** What tells the answers of one operation apart. */
const ANSWER_NAMES: Readonly<Record<string, string>> = { 200: '', 302: 'Redirect', 503: 'Unavailable' };

/** The components, which grow. */
class Names {
  readonly #schemas: Json;

  constructor(schemas: Json) {
    this.#schemas = schemas;
  }

  /** The reference to a schema under this name, or under that of its like. */
  refer(schema: Json, wanted: string): Json {
    const alike = Object.entries(this.#schemas).find(([, known]) => isDeepStrictEqual(known, schema));
    let name = alike?.[0] ?? wanted;
    while (alike === undefined && Object.hasOwn(this.#schemas, name)) name += 'Also';
    this.#schemas[name] = schema;
    return { $ref: `#/components/schemas/${name}` };
  }
}

interface Operation {
  readonly operationId?: string;
  readonly responses?: Json;
  readonly requestBody?: Json;
  readonly parameters?: readonly { readonly schema?: Json }[];
}

function nameOperation(operation: Operation, names: Names): void {
  const base = toPascal(operation.operationId ?? 'operation');
  for (const { schema } of operation.parameters ?? []) if (schema !== undefined) sayPlainly(schema);
  const answers = Object.entries(operation.responses ?? {}).map(
    ([status, answer]) => [`${base}${ANSWER_NAMES[status] ?? 'Other'}Answer`, answer] as const,
  );
  for (const [name, holder] of [...answers, [`${base}Request`, operation.requestBody] as const])
    for (const media of Object.values(((holder as Json | undefined)?.['content'] ?? {}) as Json)) {
      const { schema } = media as { schema?: Json };
      if (schema !== undefined) (media as Json)['schema'] = nameSchema(schema, name, names);
    }
}

/**
 * The schema, or the reference that stands for it. Whatever it holds has been named before it is compared
 * with others.
 */
function nameSchema(schema: Json, name: string, names: Names): Json {
  nameInside(schema, name, names);
  const { type } = schema;
  const isNullable = Array.isArray(type) && type.includes('null');
  const isObject = type === 'object' || (isNullable && type.includes('object'));
  if (!isObject || schema['properties'] === undefined) return schema;
  const { description, ...bare } = schema;
  const reference = names.refer({ ...bare, type: 'object' }, name);
  if (!isNullable) return description === undefined ? reference : { ...reference, description };
  return { ...(description !== undefined && { description }), anyOf: [reference, { type: 'null' }] };
}

function nameInside(value: unknown, name: string, names: Names): void {
  const schema = value as Json;
  sayPlainly(schema);
  const properties = (schema['properties'] ?? {}) as Json;
  for (const [property, inner] of Object.entries(properties))
    properties[property] = nameSchema(inner as Json, name + toPascal(property), names);
  for (const [keyword, suffix] of [
    ['items', 'Item'],
    ['additionalProperties', 'Value'],
  ] as const) {
    const inner = schema[keyword];
    if (typeof inner === 'object' && inner !== null)
      schema[keyword] = nameSchema(inner as Json, name + suffix, names);
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const) {
    const options = schema[keyword];
    if (!Array.isArray(options)) continue;
    schema[keyword] = (options as Json[]).map((inner, place) => {
      const { title, ...untitled } = inner;
      return nameSchema(
        untitled,
        typeof title === 'string' ? `${name}${toPascal(title)}` : `${name}${place + 1}`,
        names,
      );
    });
  }
}

/** Leaves out what generators turn into code that does not compile, or into classes that cannot be used. */
function sayPlainly(schema: Json): void {
  const only =
    schema['const'] ??
    (Array.isArray(schema['enum']) && schema['enum'].length === 1 ? schema['enum'][0] : null);
  // A number of one value is an enum of numbers to Java.
  if (typeof only === 'number') {
    delete schema['const'];
    delete schema['enum'];
    Object.assign(schema, { type: 'integer', minimum: only, maximum: only });
  }
  // Which fields exclude each other is in their descriptions.
  delete schema['not'];
  // No format of JSON Schema: its own are ipv4 and ipv6, of which this is either.
  if (schema['format'] === 'ip') delete schema['format'];
}

function toPascal(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
