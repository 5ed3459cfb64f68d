import type { RecordEvent } from '../application/decision-log/record-event.ts';
import type { PurgeEvidence } from '../application/evidence/purge-evidence.ts';
import type { FactSource } from '../application/facts/fact-source.ts';
import type { ListStore } from '../application/lists/list-store.ts';
import { createSharedSignalForgetting } from '../application/shared-signals/forget-signals.ts';
import { createSharedSignalFacts } from '../application/shared-signals/shared-signal-facts.ts';
import { createTakeSignals } from '../application/shared-signals/take-signals.ts';
import type { Forgettable } from '../application/subject-memory/forgettable.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import type { AppContext } from './context.ts';
import type { IdHashes } from './id-hashes.ts';
import type { Observers } from './observers.ts';
import type { SharedSignalReceiver } from './open-streams.ts';
import { readSharedSignals } from './shared-signals-file.ts';

/** What decisions read of shared signals, and what forgets them: neither where none are taken. */
interface SharedSignalMemory {
  readonly facts: readonly FactSource[];
  readonly memories: readonly Forgettable[];
}

interface SharedSignalParts {
  /** Null where none are taken. */
  readonly store: ListStore | null;
  readonly hashes: IdHashes;
  /** Null records nothing. */
  readonly recordEvent: RecordEvent | null;
  readonly observer: Observers['observer'];
  /** Forgets evidence and completed challenges. */
  readonly purge: PurgeEvidence;
}

/** The memory alone, which what purges has to know. */
export function wireSharedSignalMemory(
  { clock }: AppContext,
  { store, hashes }: Pick<SharedSignalParts, 'store' | 'hashes'>,
): SharedSignalMemory {
  // Of a service that takes none nothing is known: to rules they are unknown.
  if (store === null) return { facts: [], memories: [] };
  return {
    facts: [createSharedSignalFacts({ store, hashes: hashes.records })],
    memories: [createSharedSignalForgetting(store, clock)],
  };
}

/** Starts to receive what the file of streams says. Rejects where it cannot be used. */
export async function receiveSharedSignals(
  context: AppContext,
  parts: SharedSignalParts,
): Promise<SharedSignalReceiver> {
  const { config, clock } = context;
  const { store, hashes, recordEvent, observer, purge } = parts;
  const [inForce, ...older] = hashes.records;
  if (config.sharedSignalsFile === null || store === null || inForce === undefined)
    return { routes: null, close: async () => {} };
  const settings = readSharedSignals(config.sharedSignalsFile);
  if (!settings.ok) throw new Error(settings.mistakes.join('\n'));
  const take = createTakeSignals({
    store,
    hashes: [inForce, ...older],
    clock,
    purge,
    record: recordEvent,
    entriesMax: config.sharedSignalsEntriesMax,
    formatTime: toRfc3339,
  });
  // Loaded with the library of signatures, which most services have no use for.
  const { openStreams } = await import('./open-streams.ts');
  return openStreams(context, settings.value, { take, observer });
}
