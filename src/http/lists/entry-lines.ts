import type { GivenEntry } from '../../application/lists/change-lists.ts';
import type { ListEntryRecord } from '../../domain/decision-log/event-record.ts';
import { toCsvLine } from '../decision-log/csv.ts';
import { ONE_VALUE, putEntrySchema, toGivenEntry, VALUE_FIELDS, valueFieldOf } from '../schemas/lists.ts';
import { readCells, type TextRecord } from './record-lines.ts';

/** The formats of imports and exports. */
export const LIST_FORMATS = ['csv', 'ndjson'] as const;

/** One of them. */
export type ListFormat = (typeof LIST_FORMATS)[number];

/** What one line holds: an entry, or what is wrong with it. */
type ReadLine =
  | { readonly line: number; readonly given: GivenEntry }
  | { readonly line: number; readonly mistake: string };

type Row = Readonly<Record<string, unknown>>;

const VALUE_COLUMNS = Object.keys(VALUE_FIELDS);
/** What an export says of an entry beside what an import takes: read again, it is passed over. */
const SHOWN_COLUMNS = ['id', 'added_at', 'added_by'] as const;
const COLUMNS = ['id', ...VALUE_COLUMNS, 'hash_key', 'expires_at', 'note', 'added_at', 'added_by'];

/** The line of column names of an export as CSV. */
export const ENTRY_CSV_HEAD = toCsvLine(COLUMNS);

/** The line of an entry in an export, which an import takes again. */
export function toEntryLine(entry: ListEntryRecord, format: ListFormat): string {
  const row = toRow(entry);
  return format === 'ndjson'
    ? `${JSON.stringify(row)}\n`
    : toCsvLine(COLUMNS.map((name) => (row[name] ?? null) as string | number | null));
}

/** Builds what reads the lines of an import, in their order. CSV begins with its column names. */
export function createLineReader(format: ListFormat): (record: TextRecord) => ReadLine | null {
  let columns: readonly string[] | null = null;
  return ({ line, text }) => {
    if (text === null) return { line, mistake: 'is too long' };
    // What could not be read would be hashed as something else, and match nobody.
    if (text.includes('\uFFFD')) return { line, mistake: 'is not UTF-8' };
    if (format === 'ndjson') return toLine(line, parseRow(text));
    const cells = readCells(text);
    if (columns === null) {
      const names = cells ?? [];
      const mistake = findHeadMistake(names);
      // No line has as many cells as no columns.
      columns = mistake === null ? names : [];
      return mistake === null ? null : { line, mistake };
    }
    if (cells === null || cells.length !== columns.length)
      return { line, mistake: 'has other cells than the first line' };
    return toLine(line, toCsvRow(columns, cells));
  };
}

function findHeadMistake(names: readonly string[]): string | null {
  if (names.some((name) => !COLUMNS.includes(name)))
    return `names a column that there is not; there are ${COLUMNS.join(', ')}`;
  return new Set(names).size < names.length ? 'names a column twice' : null;
}

function toLine(line: number, row: Row | null): ReadLine {
  if (row === null) return { line, mistake: 'is no JSON object' };
  const rest = Object.fromEntries(
    Object.entries(row).filter(
      ([name, value]) => value !== null && !SHOWN_COLUMNS.some((shown) => shown === name),
    ),
  );
  const body = putEntrySchema.safeParse(rest);
  if (!body.success) {
    const [issue] = body.error.issues;
    const where = issue?.path.join('.') || issue?.code || '';
    return { line, mistake: `is not valid: ${where}` };
  }
  const field = valueFieldOf(body.data);
  return field === null ? { line, mistake: ONE_VALUE } : { line, given: toGivenEntry(body.data, field) };
}

function parseRow(text: string): Row | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Row) : null;
  } catch {
    // A SyntaxError: the line is told.
    return null;
  }
}

/** Empty cells are absent. */
function toCsvRow(columns: readonly string[], cells: readonly string[]): Row {
  const given = columns.flatMap((name, place) => {
    const cell = cells[place] ?? '';
    return cell === '' ? [] : [[name, name === 'asn' && /^\d+$/.test(cell) ? Number(cell) : cell] as const];
  });
  return Object.fromEntries(given);
}

function toRow({ part, value, ...entry }: ListEntryRecord): Row {
  const field =
    VALUE_COLUMNS.find((name) => VALUE_FIELDS[name as keyof typeof VALUE_FIELDS] === part) ?? part;
  const spelled = part === 'asn' ? Number(value) : entry.hash_key === null ? value : `#${value}`;
  const { id, hash_key, expires_at, note, added_at, added_by } = entry;
  return { id, [field]: spelled, hash_key, expires_at, note, added_at, added_by };
}
