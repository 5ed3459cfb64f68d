import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { askWorker } from '../platform/ask-worker.ts';
import type { Result } from '../platform/result.ts';
import type { CheckedFiles } from './check-file.ts';
import type { WorkerTextQuestion } from './check-text-worker.ts';
import type { AppContext } from './context.ts';
import { compileLater } from './follow-file.ts';

/** As for a file that is checked. */
const LIMITS = { timeoutMs: 30_000, heapMbMax: 512 };
const MODULE = new URL('./check-text-worker.ts', import.meta.url);

/**
 * Checks a text as a file is checked, and compiles it: in a thread of its own, but for what can be done in pieces.
 * Never rejects; a check that fails or takes too long is a mistake, once it was tried so many times.
 */
export async function compileText(
  text: string,
  { providers }: Pick<AppContext, 'providers'>,
  { attempts = 1, check = checkInThread } = {},
): Promise<Result<CompiledPolicy>> {
  const question: WorkerTextQuestion = { text, providerIds: providers.map(({ id }) => id) };
  try {
    const checked = await check(question);
    return checked.ok ? await compileLater(checked.value, providers) : checked;
  } catch (error) {
    if (attempts > 1) return compileText(text, { providers }, { attempts: attempts - 1, check });
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    return { ok: false, mistakes: [`cannot be checked (${String(code)})`] };
  }
}

function checkInThread(question: WorkerTextQuestion): Promise<Result<CheckedFiles['policy']>> {
  return askWorker<Result<CheckedFiles['policy']>>(MODULE, question, LIMITS).answer;
}
