import { askWorker, type WorkerQuestion } from '../platform/ask-worker.ts';
import type { Result } from '../platform/result.ts';
import type { CheckedFiles, FileKind, FileQuestion } from './check-file.ts';
import type { WorkerFileQuestion } from './check-file-worker.ts';

/** The largest file with the most mistakes takes a few seconds on a busy machine, and 200 MiB. */
const LIMITS = { timeoutMs: 30_000, heapMbMax: 512 };
const MODULE = new URL('./check-file-worker.ts', import.meta.url);

/** Checks files in a thread of their own. */
interface FileChecker {
  /** As checkFile. A worker that fails or takes too long is a mistake in the file. */
  check<Kind extends FileKind>(question: FileQuestion<Kind>): Promise<Result<CheckedFiles[Kind]>>;
  /** Ends the check that is under way. */
  close(): void;
}

/** `providerIds` are those of the registry that policies may read. */
export function createFileChecker(providerIds: readonly string[]): FileChecker {
  let asked: WorkerQuestion<unknown> | null = null;
  return {
    check: async <Kind extends FileKind>(question: FileQuestion<Kind>) => {
      const data: WorkerFileQuestion = { ...question, providerIds };
      const current = askWorker<Result<CheckedFiles[Kind]>>(MODULE, data, LIMITS);
      asked = current;
      try {
        return await current.answer;
      } catch (error) {
        const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
        return { ok: false, mistakes: [`${question.path}: cannot be checked (${String(code)})`] };
      }
    },
    close: () => asked?.end(),
  };
}
