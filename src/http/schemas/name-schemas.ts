import { isDeepStrictEqual } from 'node:util';

type Json = { [name: string]: unknown };

/**
 * Makes an OpenAPI document one that client generators turn into code that compiles and reads: every object
 * schema gets a name of its own among the components, made of where it stands, and those that are alike share
 * one. What the generators cannot spell is said in words only: the schemas that requests are checked by keep
 * it.
 */
export function nameSchemas(document: Json): void {
  const components = objectIn(document, 'components');
  const schemas = objectIn(components, 'schemas');
  const names = new Names(schemas);
  for (const [name, schema] of Object.entries(schemas)) nameInside(schema, name, names);
  for (const path of objectsOf(objectIn(document, 'paths')))
    for (const operation of objectsOf(path)) nameOperation(operation, names);
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

function nameOperation(operation: Json, names: Names): void {
  const { operationId } = operation;
  const base = toPascal(typeof operationId === 'string' ? operationId : 'operation');
  for (const parameter of objectsOf(objectIn(operation, 'parameters')))
    if (isObject(parameter['schema'])) sayPlainly(parameter['schema']);
  const answers = objectIn(operation, 'responses');
  for (const status of Object.keys(answers)) {
    const name = `${base}${ANSWER_NAMES[status] ?? 'Other'}Answer`;
    nameContent(objectIn(answers, status), name, names);
  }
  nameContent(objectIn(operation, 'requestBody'), `${base}Request`, names);
}

/** Names the schemas of an answer or a request, of every media type. */
function nameContent(holder: Json, name: string, names: Names): void {
  for (const media of objectsOf(objectIn(holder, 'content')))
    if (isObject(media['schema'])) media['schema'] = nameSchema(media['schema'], name, names);
}

/**
 * The schema, or the reference that stands for it. Whatever it holds has been named before it is compared
 * with others.
 */
function nameSchema(schema: Json, name: string, names: Names): Json {
  nameInside(schema, name, names);
  const { type } = schema;
  const isNullable = Array.isArray(type) && type.includes('null');
  const isOfObjects = type === 'object' || (isNullable && type.includes('object'));
  if (!isOfObjects || schema['properties'] === undefined) return schema;
  const { description, ...bare } = schema;
  const reference = names.refer({ ...bare, type: 'object' }, name);
  if (!isNullable) return description === undefined ? reference : { ...reference, description };
  return { ...(description !== undefined && { description }), anyOf: [reference, { type: 'null' }] };
}

function nameInside(value: unknown, name: string, names: Names): void {
  if (!isObject(value)) return;
  const schema = value;
  sayPlainly(schema);
  const properties = objectIn(schema, 'properties');
  for (const [property, inner] of Object.entries(properties))
    if (isObject(inner)) properties[property] = nameSchema(inner, name + toPascal(property), names);
  for (const [keyword, suffix] of [
    ['items', 'Item'],
    ['additionalProperties', 'Value'],
  ] as const) {
    const inner = schema[keyword];
    if (isObject(inner)) schema[keyword] = nameSchema(inner, name + suffix, names);
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const) {
    const options: unknown = schema[keyword];
    if (!Array.isArray(options)) continue;
    schema[keyword] = options.filter(isObject).map((inner, place) => {
      const { title, ...untitled } = inner;
      return nameSchema(
        untitled,
        typeof title === 'string' ? `${name}${toPascal(title)}` : `${name}${place + 1}`,
        names,
      );
    });
  }
}

/** The object under a name, as it is and not a copy; an empty one where there is none. */
function objectIn(holder: Json, name: string): Json {
  const value = holder[name];
  return isObject(value) ? value : {};
}

function objectsOf(holder: Json): readonly Json[] {
  return Object.values(holder).filter(isObject);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
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
