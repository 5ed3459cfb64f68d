import { open, readFile, rename } from 'node:fs/promises';
import type { Clock } from '../../application/clock.ts';
import { REVIEW_PLACES, type ReviewStore, type SavedQueue } from '../../application/review/review-store.ts';
import { createMemoryReviewStore } from './memory-store.ts';
import { savedQueueSchema } from './saved-queue.ts';

interface FileReviewOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Told what keeps the file from being written; a code of the system (`ENOSPC`). */
  readonly onFailure: (code: string) => void;
}

/**
 * Keeps queues in a file of one process, written anew with each change, by rename. Rejects where there is a file
 * that cannot be read: it would be lost by the next change.
 */
export async function openFileReviewStore({
  path,
  clock,
  onFailure,
}: FileReviewOptions): Promise<ReviewStore> {
  const keep = async (queues: readonly SavedQueue[]): Promise<boolean> => {
    try {
      await replaceFile(path, `${JSON.stringify({ queues }, null, 1)}\n`);
      return true;
    } catch (error) {
      onFailure(codeOf(error));
      return false;
    }
  };
  const [, place] = REVIEW_PLACES;
  return createMemoryReviewStore({ clock, place, queues: await readQueues(path), keep });
}

async function readQueues(path: string): Promise<readonly SavedQueue[]> {
  try {
    const { queues } = JSON.parse(await readFile(path, 'utf8')) as { queues: unknown };
    return savedQueueSchema.array().parse(queues);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw new Error(`${path} cannot be read: move it away, or mend it`, { cause: error });
  }
}

/** The new content is on the disk before it takes the place of the old one. */
async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'UNREADABLE';
}
