import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type SegmentName, toFileName, toSegment, toThinnedFileName } from './segment-name.ts';
import { PART, SUMMARY } from './summary-file.ts';

/** What SQLite puts beside a file while it is open, and what is made of a segment. */
const SIDE_FILES = ['', '-wal', '-shm', SUMMARY];

/** Ends the name of a file that was removed and still has its bytes; no reader takes it for a segment. */
const SET_ASIDE = '.removed';

/** The names of all segments of a directory, oldest first. */
export function segmentsIn(directory: string): SegmentName[] {
  const names = readdirSync(directory)
    .map(toSegment)
    .filter((name) => name !== null);
  return [...new Set(names)].sort();
}

/** The file of a segment: the thinned one where there is one, which is whole before the other goes. */
export function fileOfSegment(directory: string, name: SegmentName): string {
  const thinned = toThinnedFileName(name);
  return existsSync(join(directory, thinned)) ? thinned : toFileName(name);
}

/** Bytes of a file and of what stands beside it; 0 where there is none. */
export function bytesOf(path: string): number {
  const sizes = SIDE_FILES.map((side) => statSync(path + side, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Removes a file and what stands beside it, if it is there. */
export function removeFile(path: string): void {
  for (const side of SIDE_FILES) rmSync(path + side, { force: true });
}

/**
 * The same, but that the disk still has its bytes: for a file of gigabytes the system takes seconds to free them, for
 * which no write can wait. See freeSetAside.
 */
export function setAside(path: string): void {
  if (existsSync(path)) renameSync(path, path + SET_ASIDE);
  removeFile(path);
}

/** Frees what was set aside, in another thread; also what an earlier process has left. Rejects with a `code`. */
export async function freeSetAside(directory: string): Promise<void> {
  for (const name of readdirSync(directory))
    if (name.endsWith(SET_ASIDE)) await rm(join(directory, name), { force: true });
}

/** Removes summaries of files that are not there, as where an earlier version removed them, and parts of them. */
export function removeLeftSummaries(directory: string): void {
  for (const file of readdirSync(directory)) {
    const isLeft = file.endsWith(SUMMARY) && !existsSync(join(directory, file.slice(0, -SUMMARY.length)));
    if (isLeft || file.endsWith(SUMMARY + PART)) rmSync(join(directory, file), { force: true });
  }
}

/** Returns once the disk has a file, or the names in a directory. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
