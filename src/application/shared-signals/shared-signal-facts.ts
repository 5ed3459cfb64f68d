import { isInForce } from '../../domain/lists/list-entry.ts';
import type { ListTable } from '../../domain/lists/list-table.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import { SHARED_EVENTS, SHARED_PARTS, type SharedPart } from '../../domain/shared-signals/shared-events.ts';
import {
  NOTHING_SHARED,
  SHARED_FACT,
  type SharedPartSignals,
} from '../../domain/shared-signals/shared-fact.ts';
import { hasText, type Subject } from '../../domain/subject.ts';
import type { RecordHashes } from '../decision-log/to-decision-record.ts';
import type { FactSource } from '../facts/fact-source.ts';
import type { ListStore } from '../lists/list-store.ts';

interface SharedSignalFactsOptions {
  readonly store: Pick<ListStore, 'table' | 'isTrusted'>;
  /** Under each known hash key. */
  readonly hashes: readonly RecordHashes[];
}

/** What nearly every decision is told: nothing is built for it. */
const NOTHING: SubjectFacts = Object.freeze({
  [SHARED_FACT.name]: Object.freeze({ account: NOTHING_SHARED, device: NOTHING_SHARED }),
});
const UNKNOWN: SubjectFacts = Object.freeze({ [SHARED_FACT.name]: 'unknown' });

/**
 * What others have told of the account and the devices of a subject. Unknown as a whole while what was told on
 * other replicas cannot be heard: what is known could have been told anew, or ended.
 */
export function createSharedSignalFacts({ store, hashes }: SharedSignalFactsOptions): FactSource {
  return {
    names: [SHARED_FACT.name],
    ask:
      ({ subject }) =>
      ({ nowMs }) => {
        if (!store.isTrusted()) return UNKNOWN;
        if (store.table.size === 0) return NOTHING;
        const parts = SHARED_PARTS.map(
          (part) => [part, tell(store.table, part, hashesOf(subject, part, hashes), nowMs)] as const,
        );
        if (parts.every(([, signals]) => signals === NOTHING_SHARED)) return NOTHING;
        return { [SHARED_FACT.name]: Object.fromEntries(parts) };
      },
  };
}

/** The latest of each event. */
function tell(
  table: ListTable,
  part: SharedPart,
  hashes: readonly string[],
  nowMs: number,
): SharedPartSignals {
  let told: Record<string, number> | null = null;
  for (const hash of hashes)
    for (const event of SHARED_EVENTS) {
      const entry = table.get(event, part, hash);
      if (entry === null || !isInForce(entry, nowMs)) continue;
      const seconds = Math.max(0, Math.floor((nowMs - entry.addedAtMs) / 1000));
      const name = `${event}_seconds`;
      told ??= { ...NOTHING_SHARED };
      told[name] = Math.min(told[name] ?? seconds, seconds);
    }
  // It has every name that nothing told has.
  return (told as SharedPartSignals | null) ?? NOTHING_SHARED;
}

function hashesOf(
  { accountId, device }: Subject,
  part: SharedPart,
  hashes: readonly RecordHashes[],
): readonly string[] {
  const ids =
    part === 'account' ? [accountId] : device.kind === 'shared' ? [device.id] : [...device.ids.values()];
  return ids.filter(hasText).flatMap((id) => hashes.map((under) => under[part](id)));
}
