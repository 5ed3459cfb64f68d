import type { LogRecord } from '../../domain/decision-log/decision-record.ts';
import { readExportLine } from '../../domain/decision-log/export-line.ts';
import type { LabelledRecord } from '../../domain/decision-log/record-columns.ts';
import type { NumberedLine } from './read-lines.ts';
import { Spool } from './spool.ts';

/** A line that is no record, and why. */
export interface BadLine {
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}

/** Records of files, all of them read and checked. */
interface SpooledRecords {
  readonly count: number;
  /** The first of them. */
  readonly badLines: readonly BadLine[];
  readonly badCount: number;
  /** In the order in which a log took them: an export has the newest first. */
  pages(): AsyncGenerator<readonly LabelledRecord[]>;
  close(): Promise<void>;
}

/** Bad lines that are told; the others are counted. */
const BAD_LINES_MAX = 100;

/** Reads all lines before any is used. Rejects with what reading rejects with. */
export async function spoolRecords(
  files: readonly { readonly name: string; readonly lines: AsyncIterable<NumberedLine> }[],
): Promise<SpooledRecords> {
  const spool = await Spool.open();
  try {
    const badLines: BadLine[] = [];
    let badCount = 0;
    let count = 0;
    let first: string | null = null;
    let last = '';
    for (const { name, lines } of files) {
      for await (const { number, text } of lines) {
        const read = readExportLine(text);
        if (!read.ok) {
          badCount += 1;
          if (badLines.length < BAD_LINES_MAX)
            badLines.push({ file: name, line: number, problem: read.problem });
          continue;
        }
        await spool.add(text.trim());
        count += 1;
        last = timeOf(read.value.record);
        first ??= last;
      }
    }
    const order = first !== null && last < first ? 'backward' : 'forward';
    return {
      count,
      badLines,
      badCount,
      pages: async function* () {
        for await (const lines of spool.pages(order)) yield lines.flatMap(toRecord);
      },
      close: () => spool.close(),
    };
  } catch (error) {
    await spool.close();
    throw error;
  }
}

/** It was read before. */
function toRecord(line: string): LabelledRecord[] {
  const read = readExportLine(line);
  return read.ok ? [read.value] : [];
}

function timeOf(record: LogRecord): string {
  if (record.kind === 'decision') return record.decided_at;
  return record.kind === 'gap' ? record.from : record.at;
}
