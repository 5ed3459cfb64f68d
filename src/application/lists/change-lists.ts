import { holdsIdentifier } from '../../domain/decision-log/note-identifiers.ts';
import { RiskgateError } from '../../domain/errors.ts';
import {
  entryIdOf,
  isInForce,
  type ListEntry,
  type ListValue,
  NOTE_CHARS_MAX,
  valuesOf,
} from '../../domain/lists/list-entry.ts';
import { after } from '../../domain/lists/next-entry.ts';
import { nearestName } from '../../domain/policy/nearest-name.ts';
import type { Clock } from '../clock.ts';
import type { RecordEvent } from '../decision-log/record-event.ts';
import type { ForgetTarget, Forgettable } from '../subject-memory/forgettable.ts';
import type { ListStore } from './list-store.ts';
import { type GivenValue, type ListHashes, toListValue } from './list-values.ts';
import { toEntryRecord } from './to-entry-record.ts';

/** An entry as a caller gives it. */
export interface GivenEntry {
  readonly value: GivenValue;
  /** Unix milliseconds; null for ever. */
  readonly expiresAtMs: number | null;
  readonly note: string | null;
}

/** Who changes a list. */
export interface Changer {
  /** The id of the API key. */
  readonly caller: string;
  readonly requestId: string | null;
}

/** One mistake in a given entry: the name of the field and what is wrong. */
interface EntryMistake {
  readonly pointer: 'value' | 'hash_key' | 'expires_at' | 'note';
  readonly detail: string;
}

interface ChangeListsOptions {
  readonly store: ListStore;
  /** The lists that the policy in force names. */
  readonly lists: () => readonly string[];
  /** Under each known hash key, the one in force first. */
  readonly hashes: readonly [ListHashes, ...ListHashes[]];
  readonly clock: Clock;
  /** RFC 3339 in UTC with milliseconds, of Unix milliseconds. */
  readonly formatTime: (unixMs: number) => string;
  /** Null records nothing. */
  readonly record: RecordEvent | null;
  readonly onChange: (change: ListChange) => void;
  readonly entriesMax: number;
}

/** A change as an operator reads it in a log. */
interface ListChange {
  readonly list: string;
  readonly change: 'put' | 'removed';
  readonly entries: number;
  readonly caller: string;
}

/** Changes lists, on all replicas, and records each change. */
export interface ChangeLists {
  /** Throws `not_found` for a list that the policy in force does not name. */
  requireList(list: string): void;
  /** The entry that was given, ready to be put; or its mistakes. */
  read(
    list: string,
    given: GivenEntry,
    caller: string,
  ): ListEntry | { readonly mistakes: readonly EntryMistake[] };
  /**
   * Puts entries that were read on one list. Resolves with them as they are kept, how many were there before, and
   * what was in force of each before, in their order, null for nothing.
   */
  put(
    list: string,
    entries: readonly ListEntry[],
    changer: Changer,
  ): Promise<{
    readonly entries: readonly ListEntry[];
    readonly replaced: number;
    readonly former: readonly (ListEntry | null)[];
  }>;
  /** Removes one entry. Resolves with false where there is none. */
  remove(list: string, id: string, changer: Changer): Promise<boolean>;
  /** Forgets the entries that name a subject. */
  readonly memory: Forgettable;
}

/** Entries of one record in the log. */
const RECORDED_TOGETHER = 200;

/** Builds the use case. What cannot be kept is refused with `store_unavailable`. */
export function createChangeLists(options: ChangeListsOptions): ChangeLists {
  return new ListChanger(options);
}

class ListChanger implements ChangeLists {
  readonly #options: ChangeListsOptions;
  readonly memory: Forgettable = { memory: 'lists', forget: (targets, by) => this.#forget(targets, by) };

  constructor(options: ChangeListsOptions) {
    this.#options = options;
  }

  requireList(list: string): void {
    const named = this.#options.lists();
    if (named.includes(list)) return;
    const meant = nearestName(list, named);
    const hint = meant === null ? `It names ${named.join(', ') || 'none'}.` : `Did you mean "${meant}"?`;
    throw new RiskgateError('not_found', 'A list that no policy names.', {
      publicDetail: `The policy in force names no list of this name under \`lists:\`. ${hint}`,
    });
  }

  read(list: string, { value: given, expiresAtMs, note }: GivenEntry, caller: string) {
    const { clock, hashes } = this.#options;
    const nowMs = clock.nowMs();
    const value = toListValue(given, hashes);
    const mistakes: EntryMistake[] = [];
    if ('mistake' in value)
      mistakes.push({
        pointer: value.isOfKey === true ? 'hash_key' : 'value',
        detail: value.mistake,
      });
    // NaN is no time.
    if (expiresAtMs !== null && !(expiresAtMs > nowMs))
      mistakes.push({ pointer: 'expires_at', detail: 'is no time to come' });
    if (note !== null && note.length > NOTE_CHARS_MAX)
      mistakes.push({ pointer: 'note', detail: `must be at most ${NOTE_CHARS_MAX} characters` });
    if (note !== null && holdsIdentifier(note, (word) => this.#names(word, value)))
      mistakes.push({ pointer: 'note', detail: 'must hold no identifier' });
    if ('mistake' in value || mistakes.length > 0) return { mistakes };
    return { ...value, list, addedAtMs: nowMs, addedBy: caller, expiresAtMs, note, isRemoved: false };
  }

  async put(list: string, entries: readonly ListEntry[], changer: Changer) {
    const nowMs = this.#options.clock.nowMs();
    const former = entries.map((entry) => this.#formerOf(entry));
    this.#requireRoom(former.filter((entry) => entry === null).length);
    const inForce = former.map((entry) => (entry !== null && isInForce(entry, nowMs) ? entry : null));
    const replaced = inForce.filter((entry) => entry !== null).length;
    // Under another hash key the same value has another id: it is not to be on the list twice.
    const renamed = former.flatMap((entry, place) =>
      entry !== null && entry.value !== entries[place]?.value ? [this.#asRemoved(entry, changer)] : [],
    );
    // In this order: where only a part can be kept, nothing is off the list meanwhile.
    const later = entries.map((entry, place) => after(former[place] ?? null, entry));
    const kept = await this.#commit([...later, ...renamed]);
    const put = kept.filter(({ isRemoved }) => !isRemoved);
    await this.#record(list, 'put', put, changer);
    return { entries: put, replaced, former: inForce };
  }

  async remove(list: string, id: string, changer: Changer): Promise<boolean> {
    const { store, clock } = this.#options;
    const named = toNamed(id);
    const entry = named === null ? null : store.table.get(list, named.part, named.value);
    if (entry === null || entryIdOf(entry) !== id || !isInForce(entry, clock.nowMs())) return false;
    await this.#remove([entry], changer);
    return true;
  }

  async #forget(targets: readonly ForgetTarget[], changer: Changer) {
    const { store } = this.#options;
    const found = store.table.lists().flatMap((list) =>
      targets.flatMap(({ part, hashes }) =>
        hashes.flatMap((hash) => {
          const entry = store.table.get(list, part, hash);
          return entry === null || entry.isRemoved ? [] : [entry];
        }),
      ),
    );
    const entries = [...new Map(found.map((entry) => [`${entry.list} ${entryIdOf(entry)}`, entry])).values()];
    if (entries.length === 0) return { removed: 0, isComplete: true };
    const removed = entries.map((entry) => this.#asRemoved(entry, changer));
    if ((await store.commit(removed)) === null) return { removed: null, isComplete: false };
    await this.#recordRemoved(removed, changer);
    return { removed: entries.length, isComplete: true };
  }

  async #remove(entries: readonly ListEntry[], changer: Changer): Promise<void> {
    const kept = await this.#commit(entries.map((entry) => this.#asRemoved(entry, changer)));
    const lists = new Set(kept.map(({ list }) => list));
    await this.#recordRemoved(
      entries.filter(({ list }) => lists.has(list)),
      changer,
    );
  }

  async #recordRemoved(entries: readonly ListEntry[], changer: Changer): Promise<void> {
    for (const list of new Set(entries.map((entry) => entry.list)))
      await this.#record(
        list,
        'removed',
        entries.filter((entry) => entry.list === list),
        changer,
      );
  }

  /** What is left of an entry holds nothing but its value: notes and times go with it. */
  #asRemoved(entry: ListEntry, { caller }: Pick<Changer, 'caller'>): ListEntry {
    const addedAtMs = this.#options.clock.nowMs();
    return { ...entry, addedAtMs, addedBy: caller, expiresAtMs: null, note: null, isRemoved: true };
  }

  #formerOf(entry: ListEntry): ListEntry | null {
    const { table } = this.#options.store;
    for (const value of valuesOf(entry)) {
      const former = table.get(entry.list, entry.part, value);
      if (former !== null && !former.isRemoved) return former;
    }
    return null;
  }

  #requireRoom(count: number): void {
    const { store, entriesMax } = this.#options;
    if (count === 0 || store.table.size + count <= entriesMax) return;
    throw new RiskgateError('conflict', 'The lists are full.', {
      publicDetail: `The lists hold ${store.table.size} entries, and LISTS_ENTRIES_MAX is ${entriesMax}.`,
    });
  }

  async #commit(entries: readonly ListEntry[]): Promise<readonly ListEntry[]> {
    const kept = await this.#options.store.commit(entries);
    if (kept !== null) return kept;
    throw new RiskgateError('store_unavailable', 'A change of a list could not be kept.', {
      publicDetail:
        'The change could not be kept, or only a part of it. Repeat the request until it succeeds.',
    });
  }

  async #record(list: string, change: ListChange['change'], entries: readonly ListEntry[], changer: Changer) {
    const { record, formatTime, onChange } = this.#options;
    const { caller, requestId } = changer;
    onChange({ list, change, entries: entries.length, caller });
    for (let from = 0; from < entries.length && record !== null; from += RECORDED_TOGETHER)
      await record({
        event: 'list_changed',
        caller,
        request_id: requestId,
        list,
        change,
        entries: entries
          .slice(from, from + RECORDED_TOGETHER)
          .map((entry) => toEntryRecord(entry, formatTime)),
      });
  }

  #names(word: string, value: ListValue | object): boolean {
    if (!('value' in value)) return false;
    const { hashes } = this.#options;
    const values = valuesOf(value);
    return hashes.some((under) =>
      [under.device, under.account, under.telemetry, under.visitor].some((hash) =>
        values.includes(hash(word)),
      ),
    );
  }
}

const ID = /^(device|account|telemetry|ip|visitor|asn|country)-([0-9A-Za-z]{1,64})$/;
const NETWORK_ID = /^network-([0-9a-f-]+)-(\d{1,3})$/;

/** The part and the value of an entry's id; null for what can be none. */
function toNamed(id: string): Pick<ListValue, 'part' | 'value'> | null {
  const [, network, prefix] = NETWORK_ID.exec(id) ?? [];
  if (network !== undefined) {
    const spelled = network.includes('--') ? network.replaceAll('-', ':') : network.replaceAll('-', '.');
    return { part: 'ip', value: `${spelled}/${prefix}` };
  }
  const [, part, value = ''] = ID.exec(id) ?? [];
  // The pattern admits parts alone.
  return part === undefined ? null : { part: part as ListValue['part'], value };
}
