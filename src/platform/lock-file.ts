import { DatabaseSync } from 'node:sqlite';

/**
 * Keeps other processes from having the same lock for as long as it is open; the system releases it when the
 * process ends, in whatever way. Throws with a `code` where another process has it.
 */
export function lockFile(path: string): { close(): void } {
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}
