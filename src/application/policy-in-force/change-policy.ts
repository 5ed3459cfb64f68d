import { RiskgateError } from '../../domain/errors.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { AbortedPolicy, PolicyCause, PolicyEntry } from '../../domain/policy-in-force/policy-record.ts';
import type { Clock } from '../clock.ts';
import type { RecordEvent } from '../decision-log/record-event.ts';
import { createLateChanges } from './late-changes.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import type { PolicyChange, PolicyStore, PolicyWithText } from './policy-store.ts';

/** Who changes what is in force. */
interface PolicyChanger {
  /** The id of the API key; null for what riskgate does by itself. */
  readonly caller: string | null;
  readonly requestId: string | null;
}

/** A policy that is to be in force, and how. */
interface PutPolicy {
  readonly policy: PolicyWithText;
  readonly why: Exclude<PolicyCause, 'file' | 'released'>;
  /** Stands beside it from then on, in place of what did. */
  readonly rollout: PolicyChange['rollout'];
  /** That of the state by which it was judged that the change may be made. */
  readonly expectedRevision: number;
  /** What brought it about, in a sentence for the event; null where somebody simply asked for it. */
  readonly reason: string | null;
  /** Told where it is learned after the end, which was `store_unavailable`, that the change was made after all. */
  readonly onMadeLate?: () => void;
}

/** What is to stand beside the policy in force. */
interface PutRollout extends Pick<PutPolicy, 'rollout' | 'expectedRevision' | 'onMadeLate'> {
  /** What is taken back by that before it was in force, and by whom, which is remembered; absent for nothing. */
  readonly aborted?: Omit<AbortedPolicy, 'atMs'>;
}

/**
 * Changes what is in force for all replicas. Each change rejects with `conflict` where somebody else made one
 * since `expectedRevision`, and where there is no Redis, without which the file of a process is the truth; with
 * `store_unavailable` where it is not known whether it was made. It ends when this process judges by it, and is
 * an event in the decision log, `policy_changed`: one, also where it is learned later that it was made.
 */
export interface ChangePolicy {
  /** Puts a policy in force, over the files. */
  put(put: PutPolicy, changer: PolicyChanger): Promise<PolicyEntry>;
  /** Replaces what stands beside the policy in force, which stays. This is no event: who uses it tells of it. */
  putRollout(put: PutRollout): Promise<void>;
  /**
   * Puts a policy in force that was in force before. Null where it is not among those that are remembered.
   * Rejects with `conflict` where it is what overrules the files, with `invalid_request` where this version
   * refuses it, and with `not_found` where its text is lost.
   */
  restore(hash: string, changer: PolicyChanger): Promise<PolicyEntry | null>;
  /** Lets the files of replicas count again. Null where they do. */
  release(changer: PolicyChanger): Promise<PolicyEntry | null>;
}

interface ChangePolicyOptions {
  readonly store: PolicyStore;
  readonly inForce: Pick<PolicyInForce, 'policy' | 'settled'>;
  /** The policy of the file of this process. */
  readonly file: () => CompiledPolicy;
  /** The mistakes of a text, none for one that can be used. */
  readonly check: (text: string) => Promise<readonly string[]>;
  /** The text of a policy, wherever it is kept; null for none. Rejects with `store_unavailable`. */
  readonly textOf: (hash: string) => Promise<string | null>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** An id that nothing else has. */
  readonly newId: () => string;
  /** Null records nothing. */
  readonly record: RecordEvent | null;
}

/** Builds the use case. */
export function createChangePolicy(options: ChangePolicyOptions): ChangePolicy {
  const { store, inForce, file, check, textOf } = options;
  const make = createMake(options);
  const change = createChange(options, make);
  const put: ChangePolicy['put'] = async (given, changer) => {
    return change({ ...given, isOver: true }, changer);
  };
  return {
    put,
    putRollout: async ({ rollout, expectedRevision, aborted, onMadeLate = () => {} }) => {
      refuseWithout(store);
      const { inForce: now } = store.state();
      const kept = aborted && { aborted: { ...aborted, atMs: readTime(options) } };
      const changed = { inForce: withText(now, inForce.policy()), rollout, entry: null, ...kept };
      await make(changed, expectedRevision, onMadeLate);
      await inForce.settled();
    },
    restore: async (hash, changer) => {
      refuseWithout(store);
      const { history, inForce: now, revision: expectedRevision } = store.state();
      const entry = history.find((one) => one.hash === hash);
      if (entry === undefined) return null;
      if (now?.hash === hash) throw conflict('This policy is in force.');
      const text = await textOf(hash);
      if (text === null)
        throw new RiskgateError('not_found', 'The text of a policy is lost.', {
          publicDetail: 'Its text is not kept any more.',
        });
      const mistakes = await check(text);
      if (mistakes.length > 0)
        throw new RiskgateError('invalid_request', 'A policy that this version refuses.', {
          fields: mistakes.map((detail) => ({ pointer: '/policy', detail })),
        });
      const policy = { id: entry.id, hash, text };
      return put({ policy, why: 'restored', rollout: null, expectedRevision, reason: null }, changer);
    },
    release: async (changer) => {
      refuseWithout(store);
      const { inForce: now, revision: expectedRevision } = store.state();
      if (now === null) return null;
      const { id, hash, text } = file();
      const policy = { id, hash, text: text ?? '' };
      const given = { policy, why: 'released' as const, rollout: null, expectedRevision, reason: null };
      return change({ ...given, isOver: false }, changer);
    },
  };
}

interface Given extends Omit<PutPolicy, 'why'> {
  readonly why: Exclude<PolicyCause, 'file'>;
  /** Whether it overrules the files. */
  readonly isOver: boolean;
}

function createChange(options: ChangePolicyOptions, make: Make) {
  const { store, inForce, record } = options;
  return async (given: Given, { caller, requestId }: PolicyChanger): Promise<PolicyEntry> => {
    const { policy, why, rollout, expectedRevision, reason, onMadeLate, isOver } = given;
    refuseWithout(store);
    const { id, hash, text } = policy;
    const previousHash = inForce.policy().hash;
    const entry = { id, hash, sinceMs: readTime(options), by: caller, why, previousHash };
    const whole = { ...entry, text };
    const tell = async () =>
      record?.({
        event: 'policy_changed',
        caller: caller ?? '',
        request_id: requestId,
        change: why,
        policy: { id, hash },
        previous: previousHash,
        reason,
      });
    await make({ inForce: isOver ? whole : null, rollout, entry: whole }, expectedRevision, () => {
      // The log itself tells when it does not take a record.
      void Promise.allSettled([tell()]);
      onMadeLate?.();
    });
    await inForce.settled();
    await tell();
    return entry;
  };
}

/** By the clock that replicas share, so that what was shown before a change is told from what was shown after it. */
function readTime({ store, clock }: ChangePolicyOptions): number {
  return store.clock()?.nowMs ?? clock.nowMs();
}

/** What stays in force, for a change that is about something else; the text may be lost to the store alone. */
function withText(
  now: ReturnType<PolicyStore['state']>['inForce'],
  live: Pick<CompiledPolicy, 'hash' | 'text'>,
): PolicyChange['inForce'] {
  if (now === null) return null;
  const text = now.text ?? (live.hash === now.hash ? live.text : null);
  if (text === null) throw conflict('The text of what is in force is lost. Put another policy in force.');
  return { ...now, text };
}

type Make = (
  change: Omit<PolicyChange, 'id'>,
  expectedRevision: number,
  onMadeLate: () => void,
) => Promise<void>;

/** A change whose reply was lost is made where the state that was read after it has its id, now or later. */
function createMake({ store, newId }: ChangePolicyOptions): Make {
  const late = createLateChanges(store);
  return async (change, expectedRevision, onMade) => {
    const id = newId();
    const result = await store.change({ ...change, id }, expectedRevision);
    if (result === 'unknown' && !store.state().changeIds.includes(id)) {
      late.follow({ id, expectedRevision, onMade });
      throw unavailable();
    }
    if (result === 'changed')
      throw conflict('Somebody else has changed what is in force. Look at it, and decide again.');
  };
}

/** A process alone would forget it at its end, and its file would count again, which nobody has asked for. */
function refuseWithout(store: PolicyStore): void {
  if (store.place === 'process')
    throw conflict('Without Redis the policy file is the truth, and what is in force changes with it.');
  if (store.knowledge() !== 'known') throw unavailable();
}

function conflict(publicDetail: string): RiskgateError {
  return new RiskgateError('conflict', 'What is in force cannot be changed so.', { publicDetail });
}

function unavailable(): RiskgateError {
  return new RiskgateError('store_unavailable', 'What is in force could not be changed.', {
    publicDetail:
      'It is not known whether the change was made. Look at what is in force, and repeat the request.',
    retryAfterSeconds: 1,
  });
}
