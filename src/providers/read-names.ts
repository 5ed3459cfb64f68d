import { z } from 'zod';

/** The names that a schema reads in one object. */
export interface ReadNames {
  /**
   * For each name: the names inside its value where that is an object or a list of objects, otherwise null.
   */
  readonly inside: ReadonlyMap<string, ReadNames | null>;
  readonly folded: ReadonlySet<string>;
}

/** The names that a schema reads, at every depth. */
export function toReadNames(schema: z.ZodObject): ReadNames {
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  const members = Object.entries(shape);
  return {
    inside: new Map(members.map(([name, member]) => [name, namesInside(member)])),
    folded: new Set(members.map(([name]) => fold(name))),
  };
}

function namesInside(schema: z.core.$ZodType): ReadNames | null {
  if (schema instanceof z.ZodObject) return toReadNames(schema);
  if (schema instanceof z.ZodArray) return namesInside(schema.element);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodCatch) {
    return namesInside(schema.unwrap());
  }
  return null;
}

/**
 * True when a value has a name that differs from an expected one only in case. Readers that fold case, such
 * as Go's encoding/json, treat the two as one.
 */
export function hasCaseVariant(value: unknown, names: ReadNames): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).some((key) => {
    const inside = names.inside.get(key);
    if (inside === undefined) return names.folded.has(fold(key));
    return inside !== null && hasVariantInside(Reflect.get(value, key), inside);
  });
}

/**
 * Looks into one list and no deeper: lists of lists hold nothing that is read, and a hostile one could
 * exhaust the stack.
 */
function hasVariantInside(value: unknown, names: ReadNames): boolean {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.some((item) => hasCaseVariant(item, names));
}

/** Folds through upper case, which also folds `ſ` and the Kelvin sign, as Go does. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}
