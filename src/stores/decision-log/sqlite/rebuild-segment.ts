import { rmSync } from 'node:fs';
import { toEntry } from './record-entry.ts';
import { NAMED_PLACES_VERSION, openForWriting, SCHEMA_VERSION } from './segment-file.ts';
import type { SegmentReader } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';

/** Records that are written in one transaction. */
const BATCH = 1_000;

/**
 * Writes all records of a segment to a new file, from their texts alone, with the same numbers and salt, and with
 * what a file of a version knows of them. Returns how many.
 * Throws with a `code` where a record cannot be read, or the disk fails.
 */
export function rebuildSegment(source: SegmentReader, path: string, version = SCHEMA_VERSION): number {
  removeDatabase(path);
  const writer = new SegmentWriter(
    openForWriting(path, false, source.evidenceSalt()),
    version >= NAMED_PLACES_VERSION,
  );
  try {
    let count = 0;
    let last = (source.range()?.first ?? 1) - 1;
    for (
      let batch = source.textsAbove(last, BATCH);
      batch.length > 0;
      batch = source.textsAbove(last, BATCH)
    ) {
      for (const [seq] of batch) {
        if (seq !== last + 1)
          throw Object.assign(new Error('entries are missing'), { code: 'MISSING_ENTRIES' });
        last = seq;
      }
      writer.append(
        { writer: 'rebuild', number: last },
        batch.map(([, text]) => toEntry(text)),
      );
      count += batch.length;
    }
    if (source.columns.lastInChunks() === last) writer.seal();
    return count;
  } finally {
    writer.close();
  }
}

/** Removes a file of SQLite with what stands beside it. */
export function removeDatabase(path: string): void {
  for (const side of ['', '-wal', '-shm', '-journal']) rmSync(path + side, { force: true });
}
