import { parentPort } from 'node:worker_threads';
import type { LogRecord } from '../domain/decision-log/decision-record.ts';
import type { Label, OutcomeLabel } from '../domain/decision-log/outcome-label.ts';
import { recordColumns } from '../domain/decision-log/record-columns.ts';
import { TableEncoder } from '../platform/parquet/table-encoder.ts';
import { serveCalls } from '../platform/remote-worker.ts';
import { PROVIDERS } from '../providers/registry.ts';

/**
 * What is held, compressed and written together: about 60 MB in memory. Twice as many rows take a twentieth
 * less room, where devices return.
 */
const GROUP_ROWS = 25_000;
const GROUP_CHARS = 32 * 1024 * 1024;

/** Encodes lines of an export as one file. */
function encodeRecords() {
  const columns = recordColumns(PROVIDERS);
  const table = new TableEncoder({
    columns,
    groupRows: GROUP_ROWS,
    groupChars: GROUP_CHARS,
    createdBy: 'riskgate',
  });
  return {
    /** Adds lines of NDJSON, and returns the bytes that are ready. */
    add: (lines: string): Uint8Array => {
      for (const line of lines.split('\n')) if (line !== '') table.add(toRow(line));
      return table.take();
    },
    /** The last bytes of the file. */
    finish: (): Uint8Array => {
      table.finish();
      return table.take();
    },
    close: () => {},
  };

  function toRow(line: string) {
    const {
      label: _,
      labels = [],
      ...record
    } = JSON.parse(line) as LogRecord & {
      readonly label?: Label | null;
      readonly labels?: readonly OutcomeLabel[];
    };
    // Without its labels it is the record again, which the compiler cannot tell.
    const labelled = { record: record as LogRecord, labels };
    return columns.map(({ read }) => read(labelled));
  }
}

/** What the thread can be asked. */
export type ParquetThread = ReturnType<typeof encodeRecords>;

if (parentPort !== null) serveCalls(parentPort, encodeRecords());
