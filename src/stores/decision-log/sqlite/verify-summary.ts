import { statSync } from 'node:fs';
import { toSums } from './history-counts.ts';
import { toSummary } from './make-summary.ts';
import { openForReading } from './segment-file.ts';
import { SegmentReader } from './segment-reader.ts';
import { SUMMARY, SummaryFile } from './summary-file.ts';

/**
 * What is wrong with the summary beside a segment that is whole: one line, or none. A summary of another content is
 * never read.
 */
export function findSummaryProblems(path: string): readonly string[] {
  const reader = new SegmentReader(openForReading(path));
  try {
    const { ino } = statSync(path);
    const summary = SummaryFile.open(path + SUMMARY, () => reader.content(ino));
    if (summary === null) return [];
    const wrong = [...toSummary(reader, toSums(reader))]
      .filter(([name, bytes]) => summary.read(name)?.equals(bytes) !== true)
      .map(([name]) => name);
    if (wrong.length === 0) return [];
    return [`the summary is not what the file says (${wrong.join(', ')}): remove ${SUMMARY.slice(1)}`];
  } finally {
    reader.close();
  }
}
