import type { ASTNode } from '@marcbachmann/cel-js';
import type { EvidenceRow, RowLayout, RowPlace } from './evidence-row.ts';
import { namePathOf } from './name-path.ts';
import type { SignalType } from './signal-type.ts';

/**
 * A part of a condition that has a value: a literal or a signal. `type` is what it was checked as, and the
 * value may be of another. Integers are numbers. Null where reading it is an error because it is absent;
 * undefined where only the interpreter can tell.
 */
export interface Operand {
  readonly type: SignalType;
  readonly read: (row: EvidenceRow) => unknown;
}

/** Null for a part whose value only the interpreter can tell. */
export function toOperand(node: ASTNode, layout: RowLayout): Operand | null {
  const literal = toLiteral(node);
  if (literal !== null) return { type: literal.type, read: () => literal.value };
  const signal = findSignal(node, layout);
  return signal && { type: signal.type, read: toReader(signal.place, signal.keys) };
}

/** A literal of a type that signals have too; null for any other node. */
export function toLiteral(node: ASTNode): { readonly type: SignalType; readonly value: unknown } | null {
  const isNegated = node.op === '-_';
  const inner = isNegated ? node.args : node;
  if (inner.op !== 'value') return null;
  const value: unknown = inner.args;
  if (typeof value === 'bigint') return toInteger(isNegated ? -value : value);
  if (typeof value === 'number') return { type: { kind: 'double' }, value: isNegated ? -value : value };
  if (isNegated) return null;
  if (typeof value === 'string') return { type: { kind: 'string' }, value };
  return typeof value === 'boolean' ? { type: { kind: 'bool' }, value } : null;
}

/** Null for an integer that has no exact number. */
function toInteger(value: bigint) {
  const number = Number(value);
  return Number.isSafeInteger(number) ? { type: { kind: 'int' } as const, value: number } : null;
}

interface SignalRead {
  readonly place: number;
  /** From the variable inwards; at least one. */
  readonly keys: readonly string[];
  readonly type: SignalType;
}

/** The signal that a node reads by name, such as `stytch.found`; null for any other node. */
function findSignal(node: ASTNode, layout: RowLayout): SignalRead | null {
  const [variable = '', ...path] = namePathOf(node) ?? [];
  if (variable === 'providers') return findField(layout.states.get(path[0] ?? ''), path.slice(1));
  const whole = layout.variables.get(variable);
  // A fact may be a part of its variable.
  return whole === undefined
    ? findField(layout.variables.get(`${variable}.${path[0]}`), path.slice(1))
    : findField(whole, path);
}

function findField(variable: RowPlace | undefined, keys: readonly string[]): SignalRead | null {
  if (variable === undefined || keys.length === 0) return null;
  let type: SignalType | undefined = variable.type;
  for (const key of keys) type = type?.kind === 'object' ? type.fields.get(key) : undefined;
  return type === undefined ? null : { place: variable.place, keys, type };
}

function toReader(place: number, keys: readonly string[]): Operand['read'] {
  const [key = '', ...rest] = keys;
  if (rest.length === 0) return (row) => readField(row[place], key);
  return (row) => rest.reduce(readField, readField(row[place], key));
}

/** The interpreter reads own fields of plain objects, and of some other kinds that signals never have. */
function readField(object: unknown, key: string): unknown {
  if (object === null) return null;
  if (!isPlainObject(object)) return undefined;
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  // A field that holds null is there: what becomes of it depends on the operator.
  return value === undefined ? null : (value ?? undefined);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && value.constructor === Object;
}

/** `has(signal)`: false only where everything around the signal is there. Null where it reads no signal. */
export function toPresence(
  node: ASTNode | undefined,
  layout: RowLayout,
): ((row: EvidenceRow) => boolean | null | undefined) | null {
  const signal = node === undefined ? null : findSignal(node, layout);
  if (signal === null) return null;
  const { place, keys } = signal;
  const outer = keys.slice(0, -1);
  const key = keys.at(-1) ?? '';
  return (row) => {
    const object = outer.reduce(readField, row[place]);
    if (object === null) return null;
    if (!isPlainObject(object)) return undefined;
    const value = Object.hasOwn(object, key) ? object[key] : undefined;
    if (value === undefined) return false;
    return isSignalValue(value) ? true : undefined;
  };
}

/** A value that the interpreter has a type for. */
function isSignalValue(value: unknown): boolean {
  if (typeof value === 'object') return isPlainObject(value) || isPlainList(value);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** True for a list that the interpreter walks as one. */
export function isPlainList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.constructor === Array;
}
