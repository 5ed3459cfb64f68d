import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../application/clock.ts';
import type { ListKnowledge, ListStore } from '../../application/lists/list-store.ts';
import { isOver, type ListEntry } from '../../domain/lists/list-entry.ts';
import type { ListTable } from '../../domain/lists/list-table.ts';
import type { RedisHandle } from '../redis/handle.ts';
import type { ListKeys } from '../redis/keys.ts';
import { OwnChanges } from './own-changes.ts';
import { ENTRIES_TOGETHER, type ListLook, type ListVersion, RedisLists } from './redis-lists.ts';

/** What an operator wants to read of lists in Redis in a log. */
export type RedisListEvent =
  | { readonly kind: 'read'; readonly entries: number }
  | { readonly kind: 'lost'; readonly known_entries: number }
  | { readonly kind: 'restored'; readonly entries: number }
  | { readonly kind: 'stale' | 'current' };

interface RedisListStoreOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  /** Where they are kept; those of lists otherwise. */
  readonly keys?: ListKeys;
  readonly clock: Clock;
  readonly table: ListTable;
  readonly onEvent: (event: RedisListEvent) => void;
  readonly lookIntervalMs?: number;
}

/** So often is Redis asked whether something has changed: all replicas obey well within a second. */
const LOOK_INTERVAL_MS = 250;
/** Looks that fail for so long are told; a single late one is not. */
const STALE_AFTER_MS = 2_000;
/** Without a look for so long, entries that were changed elsewhere may be missed by too much. */
const TRUSTED_MS = 60_000;
/** How long a start waits for its lists. */
const READY_WAIT_MS = 1_500;
/** Within so many looks of the others a Redis that has just begun is told what they know. */
const SETTLING_LOOKS = 3;
/** So many own changes are read back before there are more: those that the stream no longer has count as lost. */
const OWN_UNREAD_MAX = 64;
const NOTHING: ListVersion = { number: 0, name: '' };

/**
 * Lists that all replicas share. Each asks Redis several times a second for the number of the latest change,
 * and reads the changes since the one that it knows: nothing that is told can be missed. Where Redis turns out
 * to know less than this replica does, lists were lost: the replica keeps what it knows, says so, and writes
 * back what is missing. Of two entries about one value the later one counts, so that any number of replicas
 * can do so at once.
 */
export function createRedisListStore(options: RedisListStoreOptions): ListStore {
  const store = new RedisListStore(options);
  store.start();
  return store;
}

class RedisListStore implements ListStore {
  readonly table: ListTable;
  readonly #options: RedisListStoreOptions;
  readonly #lists: RedisLists;
  readonly #ready = Promise.withResolvers<void>();
  /** The version that the table holds; null before the first reading. */
  #version: ListVersion | null = null;
  readonly #own = new OwnChanges();
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #isRestoring = false;
  #isOthersRestoring = false;
  /** From the start on, while others may hold lists and not have found out yet that Redis lost them. */
  #isSettling = true;
  /** In monotonic milliseconds. */
  #settlesAtMs = 0;
  #isStaleTold = false;
  /**
   * What Redis was at when this replica had written back. It may not have read so far when Redis forgets again,
   * and would take the empty Redis for the one that it knows.
   */
  #restored: ListVersion = NOTHING;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: RedisListStoreOptions) {
    this.#options = options;
    this.table = options.table;
    this.#lists = new RedisLists(options.redis, options.keys);
  }

  start(): void {
    this.#options.redis.onUp(() => this.#lookSoon(0));
    setTimeout(() => this.#ready.resolve(), READY_WAIT_MS).unref();
    this.#lookSoon(0);
  }

  commit(entries: readonly ListEntry[]): Promise<readonly ListEntry[] | null> {
    return this.#commit('put', entries);
  }

  commitIfLater(entries: readonly ListEntry[]): Promise<readonly ListEntry[] | null> {
    return this.#commit('later', entries);
  }

  async #commit(mode: 'put' | 'later', entries: readonly ListEntry[]): Promise<readonly ListEntry[] | null> {
    const kept: ListEntry[] = [];
    for (let from = 0; from < entries.length; from += ENTRIES_TOGETHER) {
      const piece = entries.slice(from, from + ENTRIES_TOGETHER);
      const written = this.#isClosed ? null : await this.#lists.change(mode, piece);
      if (written === null) return null;
      for (const entry of written.entries) this.table.put(entry);
      this.#own.add(written.version);
      kept.push(...written.entries);
      if (this.#own.unread() >= OWN_UNREAD_MAX) await this.#lookNow();
    }
    return kept;
  }

  async drop(entries: readonly ListEntry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += ENTRIES_TOGETHER)
      await this.#lists.drop(entries.slice(from, from + ENTRIES_TOGETHER));
  }

  knowledge(): ListKnowledge {
    if (this.#version === null) return 'loading';
    if (this.#isRestoring || this.#isOthersRestoring) return 'restoring';
    if (this.#isSettling) return 'loading';
    return this.#isStale() ? 'stale' : 'current';
  }

  isTrusted(): boolean {
    if (this.#version === null || this.#isOthersRestoring || this.#isSettling) return false;
    return this.#sinceHeardMs() < TRUSTED_MS;
  }

  ready(): Promise<void> {
    return this.#ready.promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#ready.resolve();
    await this.#work;
  }

  #sinceHeardMs(): number {
    return this.#options.clock.monotonicMs() - this.#heardAtMs;
  }

  #lookIntervalMs(): number {
    return this.#options.lookIntervalMs ?? LOOK_INTERVAL_MS;
  }

  #isStale(): boolean {
    return this.#sinceHeardMs() > STALE_AFTER_MS;
  }

  #lookSoon(waitMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#lookNow(), waitMs).unref();
  }

  #lookNow(): Promise<void> {
    this.#work = this.#work.then(() => this.#look());
    return this.#work;
  }

  async #look(): Promise<void> {
    const isHeard = !this.#isClosed && (await this.#follow());
    if (isHeard) this.#heardAtMs = this.#options.clock.monotonicMs();
    const isLost = !isHeard && this.#options.redis.guard.reason() !== 'connecting';
    if (isLost || (isHeard && !this.#isSettling)) this.#ready.resolve();
    this.#tellStaleness();
    const settlesInMs = this.#settlesAtMs - this.#options.clock.monotonicMs();
    this.#lookSoon(Math.min(this.#lookIntervalMs(), settlesInMs > 0 ? settlesInMs : this.#lookIntervalMs()));
  }

  /** Brings the table up to date. False where that could not be done. */
  async #follow(): Promise<boolean> {
    const own = this.#own.latest();
    const look = await this.#lists.look();
    if (look === null) return false;
    const known = this.#version;
    this.#isOthersRestoring = look.isRestoring && (this.#isSettling || this.#isOthersRestoring);
    this.#settle(look);
    if (known === null) return this.#readAll(look, true);
    const isBehind = look.number < Math.max(known.number, own, this.#restored.number);
    if (isBehind || this.#own.isLost()) return this.#restore(look);
    // Those who know what is missing are to find it missing.
    if (!look.isWhole) return this.#isSettling ? this.#readAll(look, false) : this.#restore(look);
    const version = await this.#readChanges(look, known);
    if (version === null) return false;
    // What this replica changed since may be among what is no longer there to read.
    if (version === 'trimmed') return own === 0 ? this.#readAll(look, false) : this.#restore(look);
    const isKnown = version !== 'diverged' && (version.number > look.number || version.name === look.name);
    return isKnown || this.#restore(look);
  }

  /** A Redis that has just begun, or lacks entries, is not believed before others had the time to write back. */
  #settle(look: ListLook): void {
    const settlingMs = SETTLING_LOOKS * this.#lookIntervalMs();
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#version === null) this.#settlesAtMs = nowMs + settlingMs - (look.isWhole ? look.ageMs : 0);
    this.#isSettling &&= nowMs < this.#settlesAtMs && !(look.isWhole && look.ageMs >= settlingMs);
  }

  async #readChanges(
    look: ListLook,
    known: ListVersion,
  ): Promise<ListVersion | 'trimmed' | 'diverged' | null> {
    let version = known;
    while (version.number < look.number) {
      const changes = await this.#lists.changesAfter(version);
      if (changes === null || typeof changes === 'string') return changes;
      if (changes.length === 0) return 'trimmed';
      for (const change of changes) {
        if (!this.#own.noteRead(change.version) || this.#isOtherThanRestored(change.version))
          return 'diverged';
        for (const entry of change.entries) {
          // Somebody writes back what this replica, which has just begun, never knew.
          if (this.table.put(entry) && look.isRestoring) this.#isOthersRestoring = true;
        }
        version = change.version;
      }
      this.#version = version;
    }
    return version;
  }

  #isOtherThanRestored({ number, name }: ListVersion): boolean {
    return number === this.#restored.number && name !== this.#restored.name;
  }

  /** Redis has forgotten something that this replica knows. */
  async #restore(look: ListLook): Promise<boolean> {
    const { onEvent } = this.#options;
    if (!this.#isRestoring) onEvent({ kind: 'lost', known_entries: this.table.size });
    this.#isRestoring = true;
    const learned = await this.#scanAll();
    if (learned === null || !(await this.#writeBack())) return false;
    const after = await this.#lists.look();
    if (after === null) return false;
    this.#isOthersRestoring = learned > 0 && after.isRestoring;
    this.#restored = { number: after.number, name: after.name };
    // Where Redis has begun anew since that look, it is followed from its beginning on.
    this.#version = after.number < look.number ? NOTHING : { number: look.number, name: look.name };
    this.#own.settle(Number.POSITIVE_INFINITY);
    this.#isRestoring = false;
    onEvent({ kind: 'restored', entries: this.table.size });
    return true;
  }

  async #readAll(look: ListLook, isFirst: boolean): Promise<boolean> {
    if ((await this.#scanAll()) === null) return false;
    this.#version = { number: look.number, name: look.name };
    this.#own.settle(look.number);
    if (isFirst) this.#options.onEvent({ kind: 'read', entries: this.table.size });
    return true;
  }

  /**
   * Puts every entry of Redis in the table. Others have their turn between two steps. How many were news; null
   * where not all could be read.
   */
  async #scanAll(): Promise<number | null> {
    let learned = 0;
    let cursor = '0';
    do {
      const found = this.#isClosed ? null : await this.#lists.scan(cursor);
      if (found === null) return null;
      for (const entry of found.entries) if (this.table.put(entry)) learned += 1;
      // Others know more than this replica did, and may not have written all of it back yet.
      if (learned > 0 && this.#isRestoring) this.#isOthersRestoring = true;
      cursor = found.next;
      await nextTurn();
    } while (cursor !== '0');
    return learned;
  }

  /** What is later there stays; what nobody needs any more is not brought back. */
  async #writeBack(): Promise<boolean> {
    const nowMs = this.#options.clock.nowMs();
    for (let from: number | null = 0; from !== null; ) {
      const page = this.table.page({ from, limit: ENTRIES_TOGETHER, isWanted: () => true });
      const entries = page.entries.filter((entry) => !isOver(entry, nowMs));
      if (this.#isClosed || (await this.#lists.change('restore', entries)) === null) return false;
      from = page.next;
    }
    return (await this.#lists.change('restored', [])) !== null;
  }

  #tellStaleness(): void {
    if (this.#version === null || this.#isStale() === this.#isStaleTold) return;
    this.#isStaleTold = !this.#isStaleTold;
    this.#options.onEvent({ kind: this.#isStaleTold ? 'stale' : 'current' });
  }
}
