import type { CandidateStore, StoredCandidate } from '../application/candidates/candidate-store.ts';
import {
  type ChangeCandidates,
  createChangeCandidates,
} from '../application/candidates/change-candidates.ts';
import { createRecordEvent } from '../application/decision-log/record-event.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { PoliciesDependencies } from '../http/routes/policies.ts';
import type { Result } from '../platform/result.ts';
import { compileText } from './compile-text.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { runCasesInThread } from './examine.ts';
import { oneAtATime } from './one-at-a-time.ts';

type CandidateRoutes = Pick<PoliciesDependencies, 'policy' | 'candidates' | 'store' | 'change'>;

/** Candidates that were registered over HTTP, by this replica or another. */
interface RegisteredCandidates {
  /** Those of files, which are given, and those that were registered and could be compiled. */
  candidates(): readonly CompiledPolicy[];
  /** Those that were registered, as they are kept. */
  stored(): readonly StoredCandidate[];
  /** What the routes use that show and change them. */
  routes(log: DecisionLog | null, inForce: () => CompiledPolicy): CandidateRoutes;
  close(): Promise<void>;
}

/** Follows the candidates that a store has, beside those of files. */
export function openRegisteredCandidates(
  context: AppContext,
  store: CandidateStore,
  inFiles: () => readonly CompiledPolicy[],
): RegisteredCandidates {
  const { logger, clock, newId } = context;
  const compiled = new Map<string, CompiledPolicy>();
  const compile = async (text: string): Promise<Result<CompiledPolicy>> => {
    const result = await compileText(text, context);
    if (result.ok) compiled.set(result.value.hash, result.value);
    return result;
  };
  let all: readonly CompiledPolicy[] = [];
  let files: readonly CompiledPolicy[] | null = null;
  const refresh = () => {
    files = inFiles();
    all = [...files, ...store.candidates().flatMap(({ hash }) => compiled.get(hash) ?? [])];
  };
  const follow = async () => {
    const kept = store.candidates();
    for (const { id, hash, text } of kept) {
      if (compiled.has(hash)) continue;
      const result = await compile(text);
      if (!result.ok)
        logger.error({ event: 'policy_candidate.refused', policy: id, hash, mistakes: result.mistakes });
    }
    const known = new Set(store.candidates().map(({ hash }) => hash));
    for (const hash of compiled.keys()) if (!known.has(hash)) compiled.delete(hash);
    refresh();
  };
  let following: Promise<void> = Promise.resolve();
  store.onChange(() => {
    following = following.then(follow);
  });
  const candidates = () => {
    if (files !== inFiles()) refresh();
    return all;
  };
  return {
    candidates,
    stored: () => store.candidates(),
    routes: (log, inForce) => {
      const record = log === null ? null : createRecordEvent({ ...log, clock, newId });
      const runCases = (text: string, tests: string | null) => runCasesInThread(text, tests, context);
      const change = createChangeCandidates({ store, inForce, compile, runCases, clock, record });
      return { policy: inForce, candidates, store, change: settled(change, () => following) };
    },
    close: () => following,
  };
}

/**
 * Its answers come when this replica judges by the change. A text is checked and its cases are run in threads, for half
 * a minute at most: one candidate is registered at a time.
 */
function settled(change: ChangeCandidates, following: () => Promise<void>): ChangeCandidates {
  return {
    put: oneAtATime({ busy: 'Another candidate is being registered' }, async (...given) => {
      const put = await change.put(...given);
      await following();
      return put;
    }),
    remove: async (...given) => {
      const removed = await change.remove(...given);
      await following();
      return removed;
    },
  };
}
