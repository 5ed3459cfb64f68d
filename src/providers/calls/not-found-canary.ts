import type { SuspectEvent } from '../../application/observers.ts';
import { createKnownIds, type KnownId } from './known-ids.ts';
import {
  type CallSample,
  createNotFoundWindow,
  type NotFoundWindow,
  SAMPLES_MIN,
} from './not-found-window.ts';

/** The result of asking a known id again; null where the provider gave no definite answer. */
export type Recheck = 'found' | 'not_found' | null;

/** Why a provider is suspect, for the log. */
export interface SuspectChange extends Omit<SuspectEvent, 'provider'> {
  /** Store keys whose `not_found` is now in doubt. */
  readonly notFoundKeys: readonly string[];
}

interface NotFoundCanaryOptions {
  readonly nowMs: () => number;
  /** Asks the provider again about ids that it has answered for, bypassing the cache. Never rejects. */
  readonly recheck: (known: readonly KnownId[]) => Promise<readonly Recheck[]>;
  readonly onChange: (change: SuspectChange) => void;
}

/**
 * Detects that one provider no longer finds any id, most likely because our URL, key or environment is wrong.
 */
interface NotFoundCanary {
  /** True while the provider's `not_found` is in doubt. */
  isSuspect(): boolean;
  /** Notes a call that the provider answered. Answers from a cache, and for missing ids, do not count. */
  record(sample: Omit<CallSample, 'atMs'> & Omit<KnownId, 'atMs'>): void;
}

const NOT_FOUND_SHARE = 0.5;
/**
 * Where the known ids come from several sources, the unknown ones must too: a burst from one caller or
 * network does not even trigger a recheck.
 */
const SOURCES_MIN = 5;
/**
 * The number of known ids that are asked again, and how many of them must be gone. A single one that is found
 * ends the suspicion.
 */
const RECHECKED_IDS = 5;
const GONE_IDS_MIN = 3;
/**
 * At most five calls in ten seconds while in doubt. While suspect the pause is half as long, so that the
 * provider recovers soon.
 */
const RECHECK_PAUSE_MS = 10_000;
const RECOVERY_PAUSE_MS = 5_000;
/** After an ordinary call has disproved a suspicion, there are no rechecks for this time. */
const DISPROVED_PAUSE_MS = 60_000;
/**
 * A provider that has not found any id since the start is suspect only after this many samples and sources:
 * there are no known ids to ask again.
 */
const NEVER_FOUND_SAMPLES_MIN = 50;
const NEVER_FOUND_SOURCES_MIN = 10;
/** Without calls a suspicion ends after this time: the calls after a pause are judged strictly. */
const HELD_MS = 60_000;

/** Builds the canary of one provider. It has no timers: only calls change its state. */
export function createNotFoundCanary({ nowMs, recheck, onChange }: NotFoundCanaryOptions): NotFoundCanary {
  const window = createNotFoundWindow();
  const { isSuspect, change, hold } = createSuspicion({ nowMs, onChange }, window);
  const knownIds = createKnownIds();
  let hasEverFound = false;
  let isRechecking = false;
  let nextRecheckAtMs = Number.NEGATIVE_INFINITY;

  const askAgain = async (): Promise<void> => {
    const known = knownIds.pick(nowMs(), RECHECKED_IDS);
    if (known.length < GONE_IDS_MIN) return;
    isRechecking = true;
    const results = await recheck(known);
    isRechecking = false;
    if (results.includes('found')) change(false, 'found_again');
    // An ordinary call may have found an id in the meantime, which outweighs the ids that were not found.
    else if (results.filter((result) => result === 'not_found').length >= GONE_IDS_MIN && isInDoubt())
      change(true, 'known_ids_not_found');
    const pauseMs = isSuspect() ? RECOVERY_PAUSE_MS : RECHECK_PAUSE_MS;
    nextRecheckAtMs = Math.max(nextRecheckAtMs, nowMs() + pauseMs);
  };

  const isInDoubt = (): boolean => {
    const { samples, notFound, run, runSources } = window.read(nowMs());
    if (samples < SAMPLES_MIN || notFound <= NOT_FOUND_SHARE * samples || run < SAMPLES_MIN) return false;
    return runSources >= Math.min(SOURCES_MIN, knownIds.sources(nowMs()));
  };

  const onFound = (known: KnownId): void => {
    hasEverFound = true;
    knownIds.remember(known);
    if (!isSuspect()) return;
    nextRecheckAtMs = nowMs() + DISPROVED_PAUSE_MS;
    change(false, 'found_again');
  };

  const onNotFound = (): void => {
    if (isSuspect()) hold();
    else if (!hasEverFound) {
      const { run, runSources } = window.read(nowMs());
      if (run >= NEVER_FOUND_SAMPLES_MIN && runSources >= NEVER_FOUND_SOURCES_MIN)
        change(true, 'nothing_ever_found');
      return;
    }
    if (!isRechecking && nowMs() >= nextRecheckAtMs && (isSuspect() || isInDoubt())) void askAgain();
  };

  return {
    isSuspect,
    record: ({ id, key, source, isFound, validUntilMs }) => {
      const atMs = nowMs();
      window.add({ key, source, isFound, atMs });
      if (isFound) onFound({ id, source, atMs, validUntilMs });
      else onNotFound();
    },
  };
}

/** Whether the provider is suspect. It ends by itself where nothing holds it. */
interface Suspicion {
  isSuspect(): boolean;
  change(isSuspect: boolean, cause: SuspectChange['cause']): void;
  /** Prolongs it. */
  hold(): void;
}

function createSuspicion(
  { nowMs, onChange }: Pick<NotFoundCanaryOptions, 'nowMs' | 'onChange'>,
  window: NotFoundWindow,
): Suspicion {
  let suspectUntilMs: number | null = null;
  const change = (isSuspect: boolean, cause: SuspectChange['cause']): void => {
    const { samples, notFound, notFoundKeys } = window.read(nowMs());
    const wasSuspect = suspectUntilMs !== null;
    suspectUntilMs = isSuspect ? nowMs() + HELD_MS : null;
    if (!isSuspect) window.clear();
    if (wasSuspect !== isSuspect) onChange({ isSuspect, cause, samples, notFound, notFoundKeys });
  };

  const isSuspect = (): boolean => {
    if (suspectUntilMs === null) return false;
    if (nowMs() <= suspectUntilMs) return true;
    change(false, 'quiet');
    return false;
  };

  return {
    isSuspect,
    change,
    hold: () => {
      suspectUntilMs = nowMs() + HELD_MS;
    },
  };
}
