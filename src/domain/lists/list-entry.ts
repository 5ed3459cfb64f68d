import type { ListPart } from './list-part.ts';

/** What a list names: one value of one part. */
export interface ListValue {
  readonly part: ListPart;
  /**
   * A keyed hash of 32 hex digits (that of the decision log, or of a provider's signals for a visitor); a
   * network in its one spelling; the digits of an autonomous system; two capitals for a country.
   */
  readonly value: string;
  /** The id of the hash key of `value`; null where it is no hash. */
  readonly keyId: string | null;
  /** The same under other hash keys, by their ids; null where there are none. */
  readonly others: Readonly<Record<string, string>> | null;
}

/**
 * One entry of a list, or what is left of one that was removed. Of two about the same value of a list the one
 * with the later `addedAtMs` counts.
 */
export interface ListEntry extends ListValue {
  readonly list: string;
  /** When it was put, or removed, Unix milliseconds. */
  readonly addedAtMs: number;
  /** The id of the API key. */
  readonly addedBy: string;
  /** Unix milliseconds; null for ever. */
  readonly expiresAtMs: number | null;
  readonly note: string | null;
  readonly isRemoved: boolean;
}

/** How lists are named. */
export const LIST_NAME = /^[a-z][a-z0-9_]{0,31}$/;
/** The longest note. */
export const NOTE_CHARS_MAX = 200;
/** The hash of an identifier, as lists hold it. */
export const HASH = /^[0-9a-f]{32}$/;

/**
 * How long removed entries are remembered, so that a replica that missed the removal does not bring them
 * back.
 */
export const REMOVED_KEPT_MS = 30 * 86_400_000;

/** The id of an entry in its list, the same for the same value: safe in a path. */
export function entryIdOf({ part, value }: Pick<ListValue, 'part' | 'value'>): string {
  return value.includes('/') ? `network-${value.replaceAll(/[./:]/g, '-')}` : `${part}-${value}`;
}

/** True when the entry counts at this time (Unix milliseconds). */
export function isInForce({ isRemoved, expiresAtMs }: ListEntry, nowMs: number): boolean {
  return !isRemoved && (expiresAtMs === null || nowMs < expiresAtMs);
}

/** True for what nobody needs any more: expired, or removed so long ago. */
export function isOver(
  { isRemoved, addedAtMs, expiresAtMs }: ListEntry,
  nowMs: number,
  removedKeptMs = REMOVED_KEPT_MS,
): boolean {
  const keptUntilMs = isRemoved ? addedAtMs + removedKeptMs : (expiresAtMs ?? Number.POSITIVE_INFINITY);
  return keptUntilMs <= nowMs;
}

/** All hashes or values that the entry is found by, that of its id first. */
export function valuesOf({ value, others }: ListValue): readonly string[] {
  return others === null ? [value] : [value, ...Object.values(others)];
}
