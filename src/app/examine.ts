import { LRUCache } from 'lru-cache';
import type { Examination } from '../application/promotion/examine-candidate.ts';
import type { PromotedCandidate } from '../application/promotion/promotions.ts';
import type { CasesRun } from '../domain/promotion/check-promotion.ts';
import { askWorker } from '../platform/ask-worker.ts';
import type { AppContext } from './context.ts';
import type { WorkerExamination } from './examine-worker.ts';

/** An analysis takes some ten seconds of a core at most, and twice as long beside decisions. */
const LIMITS = { timeoutMs: 60_000, heapMbMax: 1_024 };
const MODULE = new URL('./examine-worker.ts', import.meta.url);
/** Examinations that are remembered: for the same texts they come to the same. */
const REMEMBERED_MAX = 16;
/** One that fails is remembered for so long: whoever asks again and again must not keep a core busy. */
const FAILED_MS = 5 * 60_000;

/** Examines candidates in a thread of its own, one after the other. Never rejects: what fails is not known. */
export function createExamine(
  { providers }: Pick<AppContext, 'providers'>,
  { ask = askInThread, failedMs = FAILED_MS } = {},
) {
  const providerIds = providers.map(({ id }) => id);
  const remembered = new LRUCache<string, Promise<Examination>>({ max: REMEMBERED_MAX });
  let last: Promise<unknown> = Promise.resolve();
  return (
    { policy: { hash, text }, tests }: PromotedCandidate,
    waivedRules: readonly string[],
  ): Promise<Examination> => {
    const key = JSON.stringify([hash, tests, waivedRules]);
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const question: WorkerExamination = { text: text ?? '', tests, waivedRules, providerIds };
    const examined = last.then(() => ask(question));
    last = examined.catch(() => {});
    const told = examined.catch((error: unknown) => {
      remembered.set(key, told, { ttl: failedMs });
      return toUnknown(error);
    });
    remembered.set(key, told);
    return told;
  };
}

function askInThread(question: WorkerExamination): Promise<Examination> {
  return askWorker<Examination>(MODULE, question, LIMITS).answer;
}

/** Five hundred cases take some seconds beside decisions; whoever registers a candidate waits for them. */
const CASES_LIMITS = { timeoutMs: 10_000, heapMbMax: 512 };

/** Runs the cases of a text in a thread of its own. Never rejects: what fails is not known. */
export async function runCasesInThread(
  text: string,
  tests: string | null,
  { providers }: Pick<AppContext, 'providers'>,
): Promise<CasesRun> {
  if (tests === null) return { kind: 'none' };
  const question: WorkerExamination = {
    text,
    tests,
    waivedRules: null,
    providerIds: providers.map(({ id }) => id),
  };
  try {
    return await askWorker<CasesRun>(MODULE, question, CASES_LIMITS).answer;
  } catch (error) {
    return notExamined(error);
  }
}

function toUnknown(error: unknown): Examination {
  const unknown = notExamined(error);
  return { cases: unknown, losses: unknown };
}

function notExamined(error: unknown) {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
  return { kind: 'unknown', why: `they were not examined (${String(code)})` } as const;
}
