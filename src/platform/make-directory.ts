import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Creates a directory, and those above it that are missing. Throws with a `code` of the system. The recursive
 * way of Node never ends where a system says ENOENT of a directory whose parent is there, as Linux does
 * below /proc.
 */
export function makeDirectory(path: string, mode?: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (isDirectory(path)) return;
    const parent = dirname(path);
    const lacksParent =
      error instanceof Error && Reflect.get(error, 'code') === 'ENOENT' && !existsSync(parent);
    if (!lacksParent || parent === path) throw error;
    makeDirectory(parent, mode);
    // Its parent is there now, so that this is the last try.
    makeDirectory(path, mode);
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // ELOOP, EACCES: making it has said so.
    return false;
  }
}
