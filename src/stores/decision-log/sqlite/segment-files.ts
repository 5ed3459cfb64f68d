import { closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type SegmentName, toFileName, toSegment, toThinnedFileName } from './segment-name.ts';

/** What SQLite puts beside a file while it is open. */
const SIDE_FILES = ['', '-wal', '-shm'];

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

/** Returns once the disk has a file, or the names in a directory. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
