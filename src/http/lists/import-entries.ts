import type { ChangeLists, Changer } from '../../application/lists/change-lists.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { ListEntry } from '../../domain/lists/list-entry.ts';
import { createLineReader, type ListFormat } from './entry-lines.ts';
import { readRecords } from './record-lines.ts';

/** Entries of one import: a file of more is to be divided. */
export const IMPORT_LINES_MAX = 100_000;
/** Entries that are kept together. */
const TOGETHER = 1_000;

/** What became of an import. */
interface ImportReport {
  /** Lines with entries, good and bad. */
  readonly lines: number;
  readonly put: number;
  /** Of those that were put: values that the list had already. */
  readonly replaced: number;
  /** Each line that was passed over, by its number from 1. */
  readonly refused: readonly { readonly line: number; readonly detail: string }[];
}

interface ImportOptions {
  readonly change: ChangeLists;
  readonly list: string;
  readonly format: ListFormat;
  readonly changer: Changer;
  /** Checked before each piece is kept: a key may be withdrawn meanwhile. */
  readonly isAllowed: () => boolean;
}

/**
 * Puts what a text holds on a list, a piece at a time. A bad line is told and passed over. Rejects with
 * `payload_too_large` for more lines than there may be, and as the change does: what came before is kept, and an
 * import may be repeated.
 */
export async function importEntries(
  pieces: AsyncIterable<Buffer | string>,
  { change, list, format, changer, isAllowed }: ImportOptions,
): Promise<ImportReport> {
  const refused: { line: number; detail: string }[] = [];
  const readLine = createLineReader(format);
  let [lines, put, replaced] = [0, 0, 0];
  let waiting: ListEntry[] = [];
  const keep = async () => {
    if (waiting.length === 0) return;
    if (!isAllowed()) throw new RiskgateError('unauthenticated', 'The API key was withdrawn.');
    const kept = await change.put(list, waiting, changer);
    put += kept.entries.length;
    replaced += kept.replaced;
    waiting = [];
  };
  for await (const record of readRecords(pieces, format === 'csv')) {
    const read = readLine(record);
    if (read === null) continue;
    lines += 1;
    if (lines > IMPORT_LINES_MAX) {
      await keep();
      throw tooMany();
    }
    const entry = 'mistake' in read ? null : change.read(list, read.given, changer.caller);
    if ('mistake' in read) refused.push({ line: read.line, detail: read.mistake });
    else if (entry !== null && 'mistakes' in entry)
      refused.push({ line: read.line, detail: entry.mistakes.map(toDetail).join('; ') });
    else if (entry !== null) waiting.push(entry);
    if (waiting.length >= TOGETHER) await keep();
  }
  await keep();
  return { lines, put, replaced, refused };
}

function toDetail({ pointer, detail }: { readonly pointer: string; readonly detail: string }): string {
  return `${pointer} ${detail}`;
}

function tooMany(): RiskgateError {
  return new RiskgateError('payload_too_large', 'An import of too many lines.', {
    publicDetail: `An import has at most ${IMPORT_LINES_MAX} lines. Those are kept: divide the rest.`,
  });
}
