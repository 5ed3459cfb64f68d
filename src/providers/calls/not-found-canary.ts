import type { SuspectEvent } from '../../application/ports.ts';
import { createKnownIds, type KnownId } from './known-ids.ts';
import { type CallSample, createNotFoundWindow, SAMPLES_MIN } from './not-found-window.ts';

/** What asking a known id again came to; null where the provider gave no definite answer. */
export type Recheck = 'found' | 'not_found' | null;

/** Why a provider is suspect, for the log. */
export interface SuspectChange extends Omit<SuspectEvent, 'provider'> {
  /** Store keys whose `not_found` is now in doubt. */
  readonly notFoundKeys: readonly string[];
}

interface NotFoundCanaryOptions {
  readonly nowMs: () => number;
  /** Asks the provider about ids that it has answered for, past the cache. Never rejects. */
  readonly recheck: (known: readonly KnownId[]) => Promise<readonly Recheck[]>;
  readonly onChange: (change: SuspectChange) => void;
}

/**
 * Watches one provider for the day on which it knows nobody, which is most likely our own wrong URL, key or
 * environment.
 */
interface NotFoundCanary {
  /** True while the provider's `not_found` is in doubt. */
  isSuspect(): boolean;
  /** Notes a call that the provider answered; not what a cache answered, and not ids that were missing. */
  record(sample: Omit<CallSample, 'atMs'> & Omit<KnownId, 'atMs'>): void;
}

const NOT_FOUND_SHARE = 0.5;
/**
 * Where the known ids come from several sources, so must the unknown ones: a burst from one caller or network
 * does not even lead to a recheck.
 */
const SOURCES_MIN = 5;
/** Known ids that are asked again, and how many must be gone. One that is found settles it the other way. */
const RECHECKED_IDS = 5;
const GONE_IDS_MIN = 3;
/** At most five calls in ten seconds while in doubt, and while suspect in half of that, to recover soon. */
const RECHECK_PAUSE_MS = 10_000;
const RECOVERY_PAUSE_MS = 5_000;
/** After an ordinary call has disproved a suspicion, rechecks are not believed for a while. */
const DISPROVED_PAUSE_MS = 60_000;
/**
 * A provider that has known nobody since the start is suspect only on this much evidence: nothing can be
 * asked again.
 */
const NEVER_FOUND_SAMPLES_MIN = 50;
const NEVER_FOUND_SOURCES_MIN = 10;
/** Without calls a suspicion ends: what comes after a silence is judged strictly. */
const HELD_MS = 60_000;

/** Builds the canary of one provider. It has no timers: calls move it. */
export function createNotFoundCanary({ nowMs, recheck, onChange }: NotFoundCanaryOptions): NotFoundCanary {
  const window = createNotFoundWindow();
  const knownIds = createKnownIds();
  let suspectUntilMs: number | null = null;
  let hasEverFound = false;
  let isRechecking = false;
  let nextRecheckAtMs = Number.NEGATIVE_INFINITY;

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

  const askAgain = async (): Promise<void> => {
    const known = knownIds.pick(nowMs(), RECHECKED_IDS);
    if (known.length < GONE_IDS_MIN) return;
    isRechecking = true;
    const results = await recheck(known);
    isRechecking = false;
    if (results.includes('found')) change(false, 'found_again');
    // An ordinary call may have been answered meanwhile, and what it found outweighs what was not.
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
    if (isSuspect()) suspectUntilMs = nowMs() + HELD_MS;
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
