import type { Engine } from '../../app/open-engine.ts';
import { createParquetEncoder } from '../../app/parquet-encoder.ts';
import type { LogEntry } from '../../application/decision-log/decision-log.ts';
import { exportDecisions } from '../../http/decision-log/decision-export.ts';
import { encodeExport } from '../../http/decision-log/encode-export.ts';
import type { OpenReader } from '../../stores/decision-log/definition.ts';
import { type CliContext, CommandFailure } from '../command.ts';
import { openLogReader } from './open-log-reader.ts';
import { writeWholeFile } from './write-file.ts';

interface ExportOptions {
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly form: 'ndjson' | 'csv' | 'parquet';
  /** Null: standard output. */
  readonly path: string | null;
}

/** What was written. */
interface ExportCounts {
  decisions: number;
  gaps: number;
  events: number;
}

/** Writes what an engine holds of a time. Rejects where it cannot be read, or cannot be written in full. */
export async function exportHistory(
  engine: Engine,
  { since, until, form, path }: ExportOptions,
  { stdout, interruption }: Pick<CliContext, 'stdout' | 'interruption'>,
): Promise<ExportCounts> {
  const counts = { decisions: 0, gaps: 0, events: 0 };
  const { reader, close } = await openLogReader(engine);
  try {
    const filter = { since, until };
    const lines = exportDecisions(countReads(reader, counts), filter, {
      format: form === 'csv' ? 'csv' : 'ndjson',
      hasMark: false,
    });
    const pieces = form === 'parquet' ? encodeExport(lines, createParquetEncoder) : lines;
    const signal = interruption();
    if (path !== null) await writeWholeFile(path, pieces, signal);
    else await writeTo(stdout, pieces, signal);
    return counts;
  } finally {
    await close();
  }
}

function countReads(
  reader: OpenReader['reader'],
  counts: ExportCounts,
): Pick<OpenReader['reader'], 'query' | 'labelsOf'> {
  return {
    query: async (filter, options) => {
      const page = await reader.query(filter, options);
      for (const { record } of page.entries) counts[COUNTED[record.kind]] += 1;
      return page;
    },
    labelsOf: (entries) => reader.labelsOf(entries),
  };
}

const COUNTED = { decision: 'decisions', gap: 'gaps', event: 'events' } as const satisfies Record<
  LogEntry['record']['kind'],
  keyof ExportCounts
>;

/** Waits for a reader that is slow, and does not close the output, which has the report after it. */
async function writeTo(
  output: CliContext['stdout'],
  pieces: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new CommandFailure('interrupted', 'interrupted: the output is not whole');
    if (!output.write(piece)) await new Promise<void>((resolve) => output.once('drain', resolve));
  }
}
