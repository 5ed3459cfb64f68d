import type { ObjectType, SignalType } from './signal-type.ts';

/** Turns signals into what conditions run on. */
export type ToRunValues = (signals: object) => object;

type Convert = (value: unknown) => unknown;

/**
 * Builds the conversion for signals of this type. It turns each integer into CEL's integer (a bigint), so
 * that a condition runs on the types it was checked against. `read` names the fields that rules read, null
 * for all; other fields stay as they are, and nothing is copied where no integer is read.
 */
export function createToRunValues(type: ObjectType, read: readonly string[] | null): ToRunValues {
  const isRead = (name: string) => read === null || read.includes(name);
  const fields = new Map([...type.fields].filter(([name]) => isRead(name)));
  // Both give an object for an object.
  return (convertObject({ kind: 'object', fields }) ?? keep) as ToRunValues;
}

function keep(value: unknown): unknown {
  return value;
}

/** Null where the type needs no conversion. */
function convertOf(type: SignalType): Convert | null {
  if (type.kind === 'object') return convertObject(type);
  if (type.kind === 'list') return convertList(convertOf(type.item));
  return type.kind === 'int' ? toInteger : null;
}

function convertObject({ fields }: ObjectType): Convert | null {
  const converted: [string, Convert][] = [];
  for (const [name, type] of fields) {
    const convert = convertOf(type);
    if (convert !== null) converted.push([name, convert]);
  }
  if (converted.length === 0) return null;
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    const copy: Record<string, unknown> = { ...value };
    for (const [name, convert] of converted) {
      const field = copy[name];
      if (field !== undefined) copy[name] = convert(field);
    }
    return copy;
  };
}

function convertList(convert: Convert | null): Convert | null {
  if (convert === null) return null;
  return (value) => (Array.isArray(value) ? value.map(convert) : value);
}

/** A number that is not an integer is left unchanged: evidence from a store may be older than the schema. */
function toInteger(value: unknown): unknown {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}
