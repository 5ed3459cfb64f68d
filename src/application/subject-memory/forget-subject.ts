import { RiskgateError } from '../../domain/errors.ts';
import { hasText } from '../../domain/subject.ts';
import type { RecordEvent } from '../decision-log/record-event.ts';
import type { RecordHashes } from '../decision-log/to-decision-record.ts';
import type { PurgeEvidence } from '../evidence/purge-evidence.ts';
import type { ForgetTarget, Forgettable, Forgotten } from './forgettable.ts';

/** The ids by which a subject can be forgotten; at least one of them has text. */
interface SubjectIds {
  readonly telemetry_id?: string | undefined;
  readonly device_id?: string | undefined;
  readonly account_id?: string | undefined;
}

interface ForgetSubjectOptions {
  readonly purge: PurgeEvidence;
  readonly memories: readonly Forgettable[];
  /** Under each known hash key, the one in force first. */
  readonly hashes: readonly [RecordHashes, ...RecordHashes[]];
  /** Null records nothing. */
  readonly record: RecordEvent | null;
}

interface Wish {
  readonly ids: SubjectIds;
  /** The memories to leave alone, by their names. */
  readonly except: readonly string[];
  /** The id of the API key. */
  readonly caller: string;
  readonly requestId: string;
}

/** What was removed, by the name of the memory; null where that is not counted. */
type SubjectForgotten = Readonly<Record<string, number | null>>;

const EVIDENCE = 'evidence';

/**
 * Forgets what is remembered of a subject everywhere, and records that. Rejects with `store_unavailable`
 * where some of it may still be known, and with `decision_log_unavailable`; it may be repeated.
 */
export type ForgetSubject = (wish: Wish) => Promise<SubjectForgotten>;

/** Builds the use case. */
export function createForgetSubject(options: ForgetSubjectOptions): ForgetSubject {
  const { purge, memories, hashes, record } = options;
  return async ({ ids, except, caller, requestId }) => {
    const targets = toTargets(ids, hashes);
    const chosen = memories.filter(({ memory }) => !except.includes(memory));
    const [evidence, ...rest] = await Promise.all([
      purge(ids),
      ...chosen.map(
        async (each) => [each.memory, await each.forget(targets, { caller, requestId })] as const,
      ),
    ]);
    const results: readonly (readonly [string, Forgotten])[] = [
      [EVIDENCE, { removed: null, isComplete: evidence.isComplete }],
      ...rest,
    ];
    const forgotten = Object.fromEntries(results.map(([memory, { removed }]) => [memory, removed]));
    await record?.({
      event: 'subject_forgotten',
      caller,
      request_id: requestId,
      subject: { hash_key: hashes[0].keyId, ...namesOf(targets) },
      forgotten,
    });
    const failed = results.flatMap(([memory, { isComplete }]) => (isComplete ? [] : [memory]));
    if (failed.length > 0) throw incomplete(failed);
    return forgotten;
  };
}

function toTargets(ids: SubjectIds, hashes: readonly RecordHashes[]): readonly ForgetTarget[] {
  const { telemetry_id: telemetry, device_id: device, account_id: account } = ids;
  return Object.entries({ telemetry, device, account }).flatMap(([name, id]) => {
    // The entries are those of the object above.
    const part = name as ForgetTarget['part'];
    return hasText(id) ? [{ part, id, hashes: hashes.map((under) => under[part](id)) }] : [];
  });
}

function namesOf(targets: readonly ForgetTarget[]) {
  const nameOf = (part: ForgetTarget['part']) =>
    targets.find((target) => target.part === part)?.hashes[0] ?? null;
  return { telemetry: nameOf('telemetry'), device: nameOf('device'), account: nameOf('account') };
}

function incomplete(memories: readonly string[]): RiskgateError {
  return new RiskgateError('store_unavailable', 'A subject could not be forgotten everywhere.', {
    publicDetail: `Some of ${memories.join(', ')} may still be known. Repeat the request until it succeeds.`,
  });
}
