import { z } from 'zod';

/** The types of columns. A `timestamp` is in Unix milliseconds, `strings` is a list. */
export type ColumnType = 'bool' | 'int64' | 'double' | 'string' | 'timestamp' | 'strings';

/** What a column holds of one record; null where the record has nothing for it. */
export type ColumnValue = boolean | number | string | readonly string[] | null;

/** The columns of declared signals, as deep as the signals are. */
export interface SignalTree extends ReadonlyMap<string, ColumnType | SignalTree> {}

/** A column of signals, and where its value is in them. */
interface SignalColumn {
  /** From the outermost object on. */
  readonly path: readonly string[];
  readonly type: ColumnType;
}

interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** RFC 3339 that a timestamp in milliseconds says in full. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:\d{2})$/;

/** The columns of declared signals. Throws on a type that columns cannot hold. */
export function signalTreeOf(schema: z.ZodObject): SignalTree {
  // zod's type allows what the schema of an object never is, such as `true`.
  return toTree(z.toJSONSchema(schema, { target: 'draft-7', io: 'output' }) as JsonSchema);
}

function toTree({ properties = {} }: JsonSchema): SignalTree {
  return new Map(
    Object.entries(properties).map(([name, field]) => [
      name,
      field.type === 'object' ? toTree(field) : toColumnType(name, field),
    ]),
  );
}

function toColumnType(name: string, { type, format, items }: JsonSchema): ColumnType {
  if (type === 'boolean') return 'bool';
  if (type === 'integer') return 'int64';
  if (type === 'number') return 'double';
  if (type === 'string') return format === 'date-time' ? 'timestamp' : 'string';
  if (type === 'array' && items?.type === 'string') return 'strings';
  throw new Error(`The signal "${name}" has a type that columns cannot hold.`);
}

/** The columns of a tree, in the order of their declaration. */
export function columnsOf(tree: SignalTree): readonly SignalColumn[] {
  return [...tree].flatMap(([name, inner]) =>
    typeof inner === 'string'
      ? [{ path: [name], type: inner }]
      : columnsOf(inner).map(({ path, type }) => ({ path: [name, ...path], type })),
  );
}

/** The value as a column of this type holds it; null where it cannot. */
export function toColumnValue(type: ColumnType, value: unknown): ColumnValue {
  switch (type) {
    case 'bool':
      return typeof value === 'boolean' ? value : null;
    case 'int64':
      return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
    case 'double':
      return typeof value === 'number' ? value : null;
    case 'string':
      return typeof value === 'string' ? value : null;
    case 'timestamp':
      return typeof value === 'string' && TIME.test(value) ? Date.parse(value) : null;
    case 'strings':
      return isStrings(value) ? value : null;
  }
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The value at a path; undefined where something on the way is missing. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let inner = value;
  for (const name of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, name)) return undefined;
    inner = Reflect.get(inner, name);
  }
  return inner;
}

/**
 * What of a value no column holds: names that are not declared, and values that their columns cannot hold.
 * Undefined where the columns hold all of it.
 */
export function leftOver(value: unknown, tree: SignalTree | ColumnType | undefined): unknown {
  if (typeof tree === 'string') return toColumnValue(tree, value) === null ? value : undefined;
  if (tree === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  let left: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const rest = leftOver(Reflect.get(value, name), tree.get(name));
    if (rest !== undefined) left = { ...left, [name]: rest };
  }
  return left;
}
