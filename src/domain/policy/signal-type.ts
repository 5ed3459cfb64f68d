import { z } from 'zod';

/** The type of a signal in policies, read from its schema once. Checks, runs and samples all use it. */
export type SignalType = ScalarType | ListType | ObjectType;

/** A single value. */
export interface ScalarType {
  readonly kind: 'bool' | 'int' | 'double' | 'string';
}

/** A list of values of one type. */
export interface ListType {
  readonly kind: 'list';
  readonly item: ScalarType | ListType;
}

/** Signals by name. */
export interface ObjectType {
  readonly kind: 'object';
  readonly fields: ReadonlyMap<string, SignalType>;
}

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** By the schema: a millisecond each, which every policy and every proof asks for again. */
const known = new WeakMap<z.ZodObject, ObjectType>();

/** The type of a schema of signals, the same each time. Throws on a schema that policies have no type for. */
export function signalTypeOf(schema: z.ZodObject): ObjectType {
  let type = known.get(schema);
  if (type === undefined) {
    // zod's type allows what the schema of an object never is, such as `true`.
    type = toObjectType(z.toJSONSchema(schema, { target: 'draft-7', io: 'output' }) as JsonSchema);
    known.set(schema, type);
  }
  return type;
}

function toObjectType({ properties = {} }: JsonSchema): ObjectType {
  const fields = Object.entries(properties).map(([name, field]) => [name, toType(name, field)] as const);
  return { kind: 'object', fields: new Map(fields) };
}

function toType(name: string, schema: JsonSchema): SignalType {
  switch (schema.type) {
    case 'boolean':
      return { kind: 'bool' };
    case 'integer':
      return { kind: 'int' };
    case 'number':
      return { kind: 'double' };
    case 'string':
      return { kind: 'string' };
    case 'array':
      return { kind: 'list', item: toItemType(name, schema.items ?? {}) };
    case 'object':
      return toObjectType(schema);
    default:
      throw unreadable(name);
  }
}

function toItemType(name: string, schema: JsonSchema): ScalarType | ListType {
  const item = toType(name, schema);
  if (item.kind === 'object') throw unreadable(name);
  return item;
}

function unreadable(name: string): Error {
  return new Error(`Signal "${name}" has a type that policies cannot read.`);
}
