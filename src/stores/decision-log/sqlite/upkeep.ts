import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CompactedFile, VerifiedFile } from '../definition.ts';
import { lockDirectory, toHistoryDirectory } from './history-directory.ts';
import { findPolicyProblems, POLICY_FILE } from './policy-file.ts';
import { rebuildSegment, removeDatabase } from './rebuild-segment.ts';
import { openForReading } from './segment-file.ts';
import { bytesOf, fileOfSegment, segmentsIn, syncFile } from './segment-files.ts';
import { SegmentReader } from './segment-reader.ts';
import { SUMMARY } from './summary-file.ts';
import { verifySegment } from './verify-segment.ts';
import { findSummaryProblems } from './verify-summary.ts';

/** Where a rebuilt file stands until it is whole; no reader takes it for a segment. */
const PART = '.compact';

/** Looks at every file of a history, also beside a service that writes to it. */
export function* verifyHistory(dataDirectory: string, isQuick: boolean): Generator<VerifiedFile> {
  const directory = requireHistory(dataDirectory);
  // On the same disk: a segment may not fit into memory or /tmp.
  const scratch = mkdtempSync(join(directory, '.verify-'));
  try {
    const names = segmentsIn(directory);
    for (const name of names) {
      const file = fileOfSegment(directory, name);
      const snapshot = join(scratch, 'snapshot');
      const path =
        name === names.at(-1) ? takeSnapshot(join(directory, file), snapshot) : join(directory, file);
      const { records, problems } = verifySegment(path, join(scratch, 'rebuilt'), isQuick);
      removeDatabase(snapshot);
      // Retention may have removed it meanwhile.
      if (!existsSync(join(directory, file))) continue;
      const isWhole = !isQuick && records > 0 && problems.length === 0;
      const ofSummary = isWhole ? findSummaryProblems(join(directory, file)) : [];
      const bytes = bytesOf(join(directory, file));
      yield { file, records, bytes, problems: [...problems, ...ofSummary] };
    }
    const policies = join(directory, POLICY_FILE);
    if (existsSync(policies))
      yield {
        file: POLICY_FILE,
        records: 0,
        bytes: bytesOf(policies),
        problems: findPolicyProblems(directory),
      };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Rebuilds every file but the newest, packed, where that makes it smaller. Throws where
 * a service has the history. A file is replaced when the new one is whole and holds the same.
 */
export function* compactHistory(dataDirectory: string): Generator<CompactedFile> {
  const directory = requireHistory(dataDirectory);
  const lock = lockDirectory(directory);
  try {
    for (const left of readdirSync(directory).filter(
      (file) => file.includes(PART) || file.startsWith('.verify-'),
    ))
      rmSync(join(directory, left), { recursive: true, force: true });
    for (const name of segmentsIn(directory).slice(0, -1))
      yield compactSegment(directory, fileOfSegment(directory, name));
  } finally {
    lock.close();
  }
}

function compactSegment(directory: string, file: string): CompactedFile {
  const path = join(directory, file);
  const part = path + PART;
  const packed = `${part}-packed`;
  const bytesBefore = bytesOf(path);
  try {
    const { records, problems } = verifySegment(path, part, false);
    const isEmpty = records === 0 && problems.length === 0;
    if (isEmpty) return { file, bytesBefore, bytesAfter: bytesBefore, problem: null };
    const problem = problems.join('; ') || rebuild(path, part, packed);
    const bytesAfter = problem === null ? statSync(packed).size : bytesBefore;
    if (problem !== null || bytesAfter >= bytesBefore)
      return { file, bytesBefore, bytesAfter: bytesBefore, problem };
    syncFile(packed);
    renameSync(packed, path);
    // It is of the file that was there.
    rmSync(path + SUMMARY, { force: true });
    syncFile(directory);
    return { file, bytesBefore, bytesAfter, problem: null };
  } finally {
    for (const left of [part, packed]) removeDatabase(left);
  }
}

/** Why the segment stays as it is; null where the packed file holds all of it. */
function rebuild(path: string, part: string, packed: string): string | null {
  closeCleanly(path);
  const reader = new SegmentReader(openForReading(path));
  let isThinned = false;
  try {
    isThinned = reader.isThinned();
    // Of a thinned file only what is left is packed: its numbers have holes.
    if (!isThinned) rebuildSegment(reader, part);
  } finally {
    reader.close();
  }
  if (isThinned) pack(path, packed);
  else {
    copyBeside(path, part);
    pack(part, packed);
  }
  return verifySegment(packed, part, false).problems.join('; ') || null;
}

/** What is not in records. */
function copyBeside(from: string, to: string): void {
  const db = new DatabaseSync(to);
  try {
    db.prepare('ATTACH ? AS kept').run(from);
    db.exec(`INSERT INTO labels SELECT * FROM kept.labels;
      INSERT OR REPLACE INTO meta SELECT * FROM kept.meta; DETACH kept;`);
  } finally {
    db.close();
  }
}

function pack(from: string, to: string): void {
  const db = new DatabaseSync(from, { readOnly: true });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

/** Moves what a killed process has left in the write-ahead log into the file: it would be read into a new one. */
function closeCleanly(path: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;');
  } finally {
    db.close();
  }
}

/** A copy of what is there now: the newest file may be written to while it is looked at. The file where it fails. */
function takeSnapshot(path: string, snapshot: string): string {
  try {
    const db = openForReading(path);
    db.close();
    pack(path, snapshot);
    return snapshot;
  } catch {
    // What is wrong with it is found in the file itself.
    return path;
  }
}

function requireHistory(dataDirectory: string): string {
  const directory = toHistoryDirectory(dataDirectory);
  if (!existsSync(directory)) throw new Error(`DATA_DIR ${dataDirectory}: holds no history`);
  return directory;
}
