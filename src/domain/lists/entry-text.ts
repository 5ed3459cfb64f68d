import { HASH, LIST_NAME, type ListEntry } from './list-entry.ts';
import { LIST_PARTS } from './list-part.ts';
import { valueWords } from './value-words.ts';

/** How an entry is stored: what is absent is left out, since there may be a million. */
interface StoredEntry {
  readonly list: string;
  readonly part: string;
  readonly value: string;
  readonly key?: string;
  readonly others?: Readonly<Record<string, string>>;
  readonly by: string;
  readonly until?: number;
  readonly note?: string;
  readonly removed?: true;
}

const STORED = /^(\d{1,15}) (\{.*\})$/s;

/** The text of an entry as stores keep it: its time, a space and JSON. */
export function toEntryText(entry: ListEntry): string {
  return `${entry.addedAtMs} ${toEntryJson(entry)}`;
}

/** The same without the time. */
export function toEntryJson(entry: ListEntry): string {
  const { list, part, value, keyId, others, addedBy: by, expiresAtMs, note, isRemoved } = entry;
  const stored: StoredEntry = {
    list,
    part,
    value,
    ...(keyId === null ? {} : { key: keyId }),
    ...(others === null ? {} : { others }),
    by,
    ...(expiresAtMs === null ? {} : { until: expiresAtMs }),
    ...(note === null ? {} : { note }),
    ...(isRemoved ? { removed: true as const } : {}),
  };
  return JSON.stringify(stored);
}

/** Reads such a text; null for what is none. A store is trusted no further than the shape of what it holds. */
export function parseEntryText(text: string): ListEntry | null {
  const [, at, json = ''] = STORED.exec(text) ?? [];
  const stored = at === undefined ? null : parseStored(json);
  if (stored === null) return null;
  const { list, value, key, others, by, until, note, removed } = stored;
  const part = LIST_PARTS.find((each) => each === stored['part']);
  const isEntry =
    part !== undefined &&
    isText(list) &&
    LIST_NAME.test(list) &&
    isText(value) &&
    valueWords(part, value) !== null &&
    isText(by) &&
    isTextOrAbsent(key) &&
    isTextOrAbsent(note) &&
    (until === undefined || Number.isSafeInteger(until)) &&
    (others === undefined || isHashes(others));
  if (!isEntry) return null;
  return {
    list,
    part,
    value,
    keyId: key ?? null,
    others: others ?? null,
    addedAtMs: Number(at),
    addedBy: by,
    expiresAtMs: until === undefined ? null : Number(until),
    note: note ?? null,
    isRemoved: removed === true,
  };
}

function parseStored(json: string): { readonly [Name in keyof StoredEntry]?: unknown } | null {
  try {
    // It begins and ends as an object does.
    return JSON.parse(json) as { readonly [Name in keyof StoredEntry]?: unknown };
  } catch {
    // A SyntaxError: it is no text of ours.
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || isText(value);
}

function isHashes(value: unknown): value is Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((hash) => isText(hash) && HASH.test(hash));
}
