import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import {
  createRecordEvent,
  type RecordEvent,
  type RecordedEvent,
} from '../application/decision-log/record-event.ts';
import { type ChangePolicy, createChangePolicy } from '../application/policy-in-force/change-policy.ts';
import { createPolicyInForce, type PolicyInForce } from '../application/policy-in-force/policy-in-force.ts';
import type { PolicyStore } from '../application/policy-in-force/policy-store.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { PolicyHistoryDependencies } from '../http/routes/policy-history.ts';
import { compileText } from './compile-text.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import { createDiffPolicies } from './diff-policies.ts';
import type { FollowedFiles } from './followed-files.ts';
import { rememberDocuments } from './kept-policies.ts';
import { oneAtATime } from './one-at-a-time.ts';

/**
 * What was put in force is refused for as long as nothing else is: a check that was late on a busy machine is none.
 */
const ATTEMPTS_MAX = 3;
/** So long a start waits for Redis to say what is in force: what is known later is taken later. */
const FIRST_READ_MS = 1_000;

interface PolicyInForceParts {
  readonly store: PolicyStore;
  readonly files: Pick<FollowedFiles, 'policy' | 'onPolicy'>;
  /** Those that are compiled already. */
  readonly candidates: () => readonly CompiledPolicy[];
}

/** The policy that this process judges by, and what changes it. */
interface WiredPolicyInForce {
  readonly inForce: PolicyInForce;
  readonly store: PolicyStore;
  /** What changes it. To be called once, when there is a log, or none. */
  changesWith(log: DecisionLog | null): ChangePolicy;
  /** What the routes use that show and change which policies are and were in force. */
  routes(log: DecisionLog | null, policies: KnownPolicies, change: ChangePolicy): PolicyHistoryDependencies;
}

/** Wires it. Ends when the store was read, or cannot be read in time: then the file counts, and that is told. */
export async function wirePolicyInForce(
  context: AppContext,
  { store, files, candidates }: PolicyInForceParts,
): Promise<WiredPolicyInForce> {
  const { logger, clock, newId } = context;
  const notes = createNotes();
  const inForce = createPolicyInForce({
    store,
    file: files.policy,
    find: (hash) => [files.policy(), ...candidates()].find((one) => one.hash === hash) ?? null,
    compile: (text) => compileText(text, context, { attempts: ATTEMPTS_MAX }),
    clock,
    newId,
    ...createLines(logger),
    onNoted: ({ id, hash }, previous) => {
      const event = { event: 'policy_changed', caller: '', request_id: null, change: 'file' } as const;
      notes.add({ ...event, policy: { id, hash }, previous, reason: null });
    },
  });
  files.onPolicy(() => inForce.fileChanged());
  if (!(await isDoneWithin(store.firstRead, FIRST_READ_MS)))
    logger.error(
      { event: 'policy_in_force.unknown', hash: files.policy().hash },
      'Redis does not say whether a policy is in force over the file: the file counts until it does',
    );
  await inForce.settled();
  const textIn = (log: DecisionLog | null) => async (hash: string) =>
    (await store.find(hash)) ?? (await log?.policies.find(hash)) ?? null;
  return {
    inForce,
    store,
    routes: (log, policies, change) => ({
      store,
      change,
      policies,
      textOf: textIn(log),
      documentOf: rememberDocuments(),
      diff: createDiffPolicies(context),
    }),
    changesWith: (log) => {
      const record = log === null ? null : createRecordEvent({ ...log, clock, newId });
      notes.begin(record);
      const check = oneAtATime({ busy: 'Another policy is being checked' }, async (text: string) => {
        const result = await compileText(text, context);
        return result.ok ? [] : result.mistakes;
      });
      return createChangePolicy({
        store,
        inForce,
        file: files.policy,
        check,
        textOf: textIn(log),
        clock,
        newId,
        record,
      });
    },
  };
}

/** What the log says. */
function createLines(
  logger: AppContext['logger'],
): Pick<Parameters<typeof createPolicyInForce>[0], 'onTaken' | 'onRefused' | 'onFileDiffers'> {
  return {
    onTaken: ({ id, hash }, put) =>
      logger.info(
        { event: 'policy_in_force.taken', policy: id, hash, why: put?.why ?? 'released' },
        'another policy is in force',
      ),
    onRefused: ({ id, hash }, mistakes, place) => {
      const isBeside = place === 'beside';
      const event = isBeside ? 'promotion.unusable' : 'policy_in_force.refused';
      const message = isBeside
        ? 'the policy beside the one in force cannot be used here: this replica takes no part in the promotion'
        : 'a policy that was put in force cannot be used here; an older one stays';
      logger.error({ event, policy: id, hash, mistakes }, message);
    },
    onFileDiffers: ({ id, hash }, put) =>
      logger.warn(
        { event: 'policy_in_force.file_differs', policy: id, hash, in_force: put.hash, why: put.why },
        'the policy file is not in force: another policy was put in force for all replicas',
      ),
  };
}

/** Records what came into force from files, which is known before there is a log. */
function createNotes() {
  let record: RecordEvent | null = null;
  let waiting: RecordedEvent[] = [];
  const send = () => {
    // The log itself tells when it does not take a record.
    if (record !== null) void Promise.allSettled(waiting.map(record));
    waiting = [];
  };
  return {
    add: (event: RecordedEvent) => {
      waiting.push(event);
      if (record !== null) send();
    },
    begin: (given: RecordEvent | null) => {
      record = given;
      send();
    },
  };
}

async function isDoneWithin(done: Promise<void>, timeoutMs: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), timeoutMs);
  try {
    return await Promise.race([done.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
