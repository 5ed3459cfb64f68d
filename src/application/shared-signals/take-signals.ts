import { RiskgateError } from '../../domain/errors.ts';
import type { ListEntry } from '../../domain/lists/list-entry.ts';
import { SHARED_KEPT_MS, type SharedSignal } from '../../domain/shared-signals/shared-events.ts';
import type { Clock } from '../clock.ts';
import type { RecordEvent } from '../decision-log/record-event.ts';
import type { RecordHashes } from '../decision-log/to-decision-record.ts';
import type { PurgeEvidence } from '../evidence/purge-evidence.ts';
import type { ListStore } from '../lists/list-store.ts';

interface TakeSignalsOptions {
  readonly store: ListStore;
  /** Under each known hash key, the one in force first. */
  readonly hashes: readonly [RecordHashes, ...RecordHashes[]];
  readonly clock: Clock;
  /** Forgets what a signal voids: evidence, and completed challenges. */
  readonly purge: PurgeEvidence;
  /** Null records nothing. */
  readonly record: RecordEvent | null;
  /** The most signals that are remembered. */
  readonly entriesMax: number;
  readonly formatTime: (unixMs: number) => string;
}

/** Who told it. */
interface Teller {
  /** The name of the stream. */
  readonly stream: string;
  /** The id of the API key; null where it was polled for. */
  readonly caller: string | null;
  readonly requestId: string | null;
}

/**
 * Takes what a token tells, on all replicas. False where all of it was known, or is older than what is kept.
 * Rejects with `store_unavailable`, `conflict` (there is no room) or `decision_log_unavailable`: nothing of it
 * counts as told then, and it has to be told again.
 */
export type TakeSignals = (signals: readonly SharedSignal[], by: Teller) => Promise<boolean>;

/**
 * Builds the use case. What is void is purged first and recorded next, and what is told is kept last: a token
 * that is told again after a failure does the same again, and one that was taken before does nothing.
 */
export function createTakeSignals(options: TakeSignalsOptions): TakeSignals {
  return async (signals, by) => {
    const fresh = signals.filter((signal) => isFresh(signal, options));
    if (fresh.length === 0) return false;
    requireRoom(fresh, options);
    await purgeVoid(fresh, options);
    for (const signal of fresh) await options.record?.(toRecord(signal, by, options));
    // Another replica may have been told something later meanwhile.
    const kept = await options.store.commitIfLater(fresh.map((signal) => toEntry(signal, by, options)));
    if (kept === null) throw unavailable();
    return kept.length > 0;
  };
}

/**
 * True where it is later than what is known of the same event. An end is remembered for as long as the event
 * would be, so that an old token cannot bring it back. Times are often whole seconds: of two of one moment the
 * beginning counts.
 */
function isFresh(
  { event, part, id, atMs, isEnded }: SharedSignal,
  { store, hashes, clock }: TakeSignalsOptions,
): boolean {
  if (atMs <= clock.nowMs() - SHARED_KEPT_MS) return false;
  return hashes.every((under) => {
    const known = store.table.get(event, part, under[part](id));
    return known === null || known.addedAtMs < atMs || beginsAgain(known, { atMs, isEnded });
  });
}

/** True for a beginning of the moment in which the same has ended. */
function beginsAgain(
  { isRemoved, addedAtMs }: Pick<ListEntry, 'isRemoved' | 'addedAtMs'>,
  { atMs, isEnded }: Pick<SharedSignal, 'atMs' | 'isEnded'>,
): boolean {
  return isRemoved && !isEnded && addedAtMs === atMs;
}

/** What has ended takes no room. */
function requireRoom(signals: readonly SharedSignal[], { store, entriesMax }: TakeSignalsOptions): void {
  const begun = signals.filter(({ isEnded }) => !isEnded).length;
  if (begun === 0 || store.table.size + begun <= entriesMax) return;
  throw new RiskgateError('conflict', 'There is no room for more shared signals.');
}

async function purgeVoid(signals: readonly SharedSignal[], { purge }: TakeSignalsOptions): Promise<void> {
  const targets = new Map(
    signals.filter(({ isEnded }) => !isEnded).map(({ part, id }) => [`${part} ${id}`, { part, id }]),
  );
  for (const { part, id } of targets.values()) {
    const { isComplete } = await purge(part === 'account' ? { account_id: id } : { device_id: id });
    if (!isComplete) throw unavailable();
  }
}

function toRecord(
  { event, isEnded, part, id, atMs }: SharedSignal,
  { stream, caller, requestId }: Teller,
  { hashes: [inForce], formatTime }: TakeSignalsOptions,
) {
  const hash = inForce[part](id);
  return {
    event: 'shared_signal',
    caller: caller ?? '',
    request_id: requestId,
    stream,
    signal: event,
    state: isEnded ? 'ended' : 'begun',
    happened_at: formatTime(atMs),
    subject: {
      hash_key: inForce.keyId,
      telemetry: null,
      device: part === 'device' ? hash : null,
      account: part === 'account' ? hash : null,
    },
  } as const;
}

function toEntry(
  { event, isEnded, part, id, atMs }: SharedSignal,
  { stream }: Teller,
  { store, hashes: [inForce] }: TakeSignalsOptions,
): ListEntry {
  const value = inForce[part](id);
  const known = store.table.get(event, part, value);
  return {
    list: event,
    part,
    value,
    keyId: inForce.keyId,
    others: null,
    // Just after the end that it follows.
    addedAtMs: known !== null && beginsAgain(known, { atMs, isEnded }) ? atMs + 1 : atMs,
    addedBy: stream,
    expiresAtMs: isEnded ? null : atMs + SHARED_KEPT_MS,
    note: null,
    isRemoved: isEnded,
  };
}

function unavailable(): RiskgateError {
  return new RiskgateError('store_unavailable', 'A shared signal could not be kept everywhere.');
}
