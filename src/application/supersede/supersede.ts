import type { SupersedeCause } from '../../domain/decision-log/event-record.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import type { SubjectPartName } from '../../domain/decision-log/subject-parts.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { Clock } from '../clock.ts';
import type { DecisionLogReader } from '../decision-log/decision-log.ts';
import { readPage } from '../decision-log/read-pages.ts';
import type { RecordEvent } from '../decision-log/record-event.ts';

/** Something that later decisions about a subject depend on has changed. */
export interface Change {
  readonly cause: SupersedeCause;
  readonly part: SubjectPartName;
  /** Of the one id, under each known hash key, the one in force first. */
  readonly hashes: readonly string[];
  /** The id of the API key; empty where nobody asked. */
  readonly caller: string;
  readonly requestId: string | null;
}

interface SupersedeOptions {
  readonly reader: Pick<DecisionLogReader, 'query'>;
  readonly record: RecordEvent;
  /** Tells those outside. It does not wait and never throws. */
  readonly tell: (message: { readonly type: string; readonly data: object }) => void;
  readonly clock: Clock;
  readonly formatTime: (unixMs: number) => string;
  /** Told of changes that are not looked at, since too many wait, and of those that could not be recorded. */
  readonly onFailed: (why: 'too_many' | 'not_recorded') => void;
}

/**
 * Says which decisions a change supersedes: in the log, whose streams tell it, and to those outside. Does not
 * wait and never throws.
 */
export type Supersede = (change: Change) => void;

/** Decisions are given for a session, and no session is older. */
const SINCE_MS = 86_400_000;
/** The latest decisions of a subject that are named. */
const DECISIONS_MAX = 100;
/** Changes that wait: an import of a list brings thousands. */
const WAITING_MAX = 1_000;
/** A revoked device is seen with each of its decisions: how often that is told, and of how many devices. */
const REVOKED_AGAIN_MS = 3_600_000;
const REVOKED_MAX = 10_000;

/** Builds the use case. Changes of one subject that wait together are one. */
export function createSupersede(options: SupersedeOptions): Supersede {
  const { onFailed, clock } = options;
  const waiting = new Map<string, Change>();
  const revoked = createLately(clock);
  let isWorking = false;
  const work = async (): Promise<void> => {
    isWorking = true;
    for (const [key, change] of waiting) {
      waiting.delete(key);
      await tellOf(change, options);
    }
    isWorking = false;
  };
  return (change) => {
    const key = `${change.part} ${change.hashes[0] ?? ''}`;
    if (change.cause === 'device_revoked' && revoked.has(key)) return;
    if (!waiting.has(key) && waiting.size >= WAITING_MAX) {
      onFailed('too_many');
      return;
    }
    waiting.set(key, change);
    if (!isWorking) void work();
  };
}

/** Says whether something was asked about lately, and notes it; the one noted longest ago makes room. */
function createLately(clock: Clock) {
  const seen = new Map<string, number>();
  return {
    has: (key: string): boolean => {
      const nowMs = clock.monotonicMs();
      const lastMs = seen.get(key);
      if (lastMs !== undefined && nowMs - lastMs < REVOKED_AGAIN_MS) return true;
      seen.delete(key);
      seen.set(key, nowMs);
      const [oldest = key] = seen.keys();
      if (seen.size > REVOKED_MAX) seen.delete(oldest);
      return false;
    },
  };
}

async function tellOf(change: Change, options: SupersedeOptions): Promise<void> {
  const { record, tell, onFailed } = options;
  const { cause, part, hashes, caller, requestId } = change;
  const decisions = await findDecisions(change, options);
  if (decisions?.length === 0) return;
  const superseded = {
    event: 'decision.superseded',
    caller,
    request_id: requestId,
    cause,
    part,
    hash: hashes[0] ?? '',
    decisions,
  } as const;
  tell({ type: superseded.event, data: { cause, part, hash: superseded.hash, decisions } });
  try {
    await record(superseded);
  } catch {
    // A RiskgateError: a strict sink does not hold it, which its health says too.
    onFailed('not_recorded');
  }
}

/** The latest first; null where the log cannot be read. */
async function findDecisions(
  { part, hashes }: Change,
  { reader, clock, formatTime }: SupersedeOptions,
): Promise<readonly { readonly decision_id: string; readonly decision: Verdict }[] | null> {
  const filter: RecordFilter = { [part]: hashes, since: formatTime(clock.nowMs() - SINCE_MS) };
  try {
    const { entries } = await readPage(reader, filter, { before: null, limit: DECISIONS_MAX }, clock);
    return entries.flatMap(({ record }) =>
      record.kind === 'decision' ? [{ decision_id: record.decision_id, decision: record.decision }] : [],
    );
  } catch {
    // A RiskgateError: the log is away. Who is told that much can look up the rest.
    return null;
  }
}
