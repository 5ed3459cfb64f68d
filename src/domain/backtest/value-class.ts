import type { SignalUse } from '../policy-analysis/signal-uses.ts';

/** How a signal is used, as far as it says which of its values are alike. */
type Use = Pick<SignalUse, 'literals' | 'peers' | 'searches' | 'opaque'>;

/**
 * Two values with the same class cannot be told apart by the conditions. Classes are plain values of JSON.
 */
export type ValueClass = (value: unknown) => unknown;

/** Every value is a class of its own. */
export const exactly: ValueClass = (value) => value;

/**
 * The classes of the values of a signal: by the literals that it is compared with, where it is compared with
 * nothing else, and each value by itself otherwise.
 */
export function toValueClass({ literals, peers, searches, opaque }: Use): ValueClass {
  if (peers.size > 0 || searches.size > 0 || opaque.size > 0) return exactly;
  const numbers = [...literals]
    .filter((one) => typeof one === 'number')
    .toSorted((left, right) => left - right);
  const texts = new Set([...literals].filter((one) => typeof one === 'string'));
  return (value) => {
    if (typeof value === 'number') return toNumberClass(value, numbers);
    if (typeof value === 'string') return texts.has(value) ? value : OTHER_TEXT;
    return isTexts(value) ? toListClass(value, texts) : value;
  };
}

/** No text is a number. */
const OTHER_TEXT = 0;

/**
 * The place of a number among the literals, even for one of them and odd for what is between; as a text with a
 * mark for a fraction, which a signal of integers may hold and which is then of another type.
 */
function toNumberClass(value: number, literals: readonly number[]): unknown {
  let below = 0;
  while (below < literals.length && (literals[below] as number) < value) below += 1;
  const place = 2 * below + Number(literals[below] !== value);
  return Number.isInteger(value) ? place : `${place}.5`;
}

/** What conditions look for in a list is there or not, whatever the order and the rest. */
function toListClass(list: readonly string[], texts: ReadonlySet<string>): readonly string[] {
  return [...texts].filter((text) => list.includes(text));
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
