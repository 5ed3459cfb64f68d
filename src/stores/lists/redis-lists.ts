import { randomUUID } from 'node:crypto';
import { parseEntryText, toEntryJson, toEntryText } from '../../domain/lists/entry-text.ts';
import type { ListEntry } from '../../domain/lists/list-entry.ts';
import type { RedisHandle } from '../redis/handle.ts';
import type { ListKeys } from '../redis/keys.ts';
import { withScripts } from '../redis/scripts.ts';
import { CHANGE, DROP, LOOK } from './redis-scripts.ts';

/** Where the lists in Redis are: the latest change. Both empty before the first. */
export interface ListVersion {
  readonly number: number;
  /** A random name, so that two changes of one number are told apart. */
  readonly name: string;
}

/** What a look found. */
export interface ListLook extends ListVersion {
  /** False where entries are gone although nobody removed them. */
  readonly isWhole: boolean;
  readonly entries: number;
  /** Lists that were lost are being written back. */
  readonly isRestoring: boolean;
  /** For how long Redis has known of lists, in milliseconds: one that lost everything begins at 0. */
  readonly ageMs: number;
}

/** Changes after a version, oldest first. */
interface ListChanges {
  readonly version: ListVersion;
  readonly entries: readonly ListEntry[];
}

type ChangesFound = readonly ListChanges[] | 'trimmed' | 'diverged';

type ListScripts = {
  changeLists(...keysAndArguments: readonly string[]): Promise<unknown>;
  lookAtLists(entries: string, state: string): Promise<unknown>;
  dropFromLists(...keysAndArguments: readonly string[]): Promise<unknown>;
};

/** Entries of one script call: while it runs, Redis serves nobody else. */
export const ENTRIES_TOGETHER = 200;
const CHANGES_TOGETHER = 16;
const SCANNED_TOGETHER = 500;

/** The commands of lists in Redis. Every method resolves with null where there was no answer in time. */
export class RedisLists {
  readonly #redis: RedisHandle;
  readonly #keys: ListKeys;
  readonly #scripted: ReturnType<typeof withListScripts>;

  constructor(redis: RedisHandle, keys: ListKeys = redis.keys.lists) {
    this.#redis = redis;
    this.#keys = keys;
    this.#scripted = withListScripts(redis);
  }

  async look(): Promise<ListLook | null> {
    const { entries, state } = this.#keys;
    const reply = await this.#run(() => this.#scripted.lookAtLists(entries, state));
    if (reply === null) return null;
    const [number, name, count, length, leftMs, ageMs] = Array.isArray(reply) ? reply.map(String) : [];
    return {
      number: Number(number),
      name: name ?? '',
      isWhole: (count === '' ? '0' : count) === length,
      entries: Number(length),
      isRestoring: Number(leftMs) > 0,
      ageMs: Number(ageMs),
    };
  }

  /**
   * The next changes after a version. `trimmed`: the stream no longer has all of them. `diverged`: the version
   * is of another history than Redis has.
   */
  async changesAfter({ number, name }: ListVersion): Promise<ChangesFound | null> {
    const { changes } = this.#keys;
    const found = await this.#run(() =>
      this.#redis.client.xrange(changes, `${Math.max(1, number)}-0`, '+', 'COUNT', CHANGES_TOGETHER),
    );
    if (found === null) return null;
    const read = found.map(([id, fields]) => this.#toChanges(id, fields));
    const [first] = read;
    if (first === undefined || first.version.number > Math.max(1, number)) return 'trimmed';
    if (number === 0) return read;
    return first.version.name === name ? read.slice(1) : 'diverged';
  }

  /** Writes entries as one change; see the script. Resolves with what was written, and its number. */
  async change(
    mode: 'put' | 'later' | 'restore' | 'restored',
    entries: readonly ListEntry[],
  ): Promise<ListChanges | null> {
    const name = randomUUID();
    const { entries: key, state, changes } = this.#keys;
    const words = entries.flatMap((entry) => [toField(entry), String(entry.addedAtMs), toEntryJson(entry)]);
    const reply = await this.#run(() =>
      this.#scripted.changeLists(key, state, changes, name, mode, ...words),
    );
    if (reply === null) return null;
    const written: unknown[] = Array.isArray(reply) ? reply : [];
    const number = Number(written.shift());
    return { version: { number, name }, entries: this.#toEntries(written) };
  }

  /** Entries from a cursor on, and the next cursor, which is `0` at the end. */
  async scan(
    cursor: string,
  ): Promise<{ readonly next: string; readonly entries: readonly ListEntry[] } | null> {
    const { entries } = this.#keys;
    const found = await this.#run(() => this.#redis.client.hscan(entries, cursor, 'COUNT', SCANNED_TOGETHER));
    if (found === null) return null;
    return { next: found[0], entries: this.#toEntries(found[1]) };
  }

  async drop(entries: readonly ListEntry[]): Promise<void> {
    const { entries: key, state } = this.#keys;
    const words = entries.flatMap((entry) => [toField(entry), toEntryText(entry)]);
    await this.#run(() => this.#scripted.dropFromLists(key, state, ...words));
  }

  async #run<Reply>(send: () => Promise<Reply>): Promise<Reply | null> {
    return this.#redis.guard.admits() ? this.#redis.guard.run(send) : null;
  }

  #toChanges(id: string, fields: string[]): ListChanges {
    const [, name = ''] = fields.splice(0, 2);
    return { version: { number: Number(id.split('-')[0]), name }, entries: this.#toEntries(fields) };
  }

  /**
   * Field and text in turn, which are taken out of the reply: the client's own objects hold each reply until
   * the collector has looked at all of the heap, a hundred megabytes of them while a million entries are read.
   */
  #toEntries(words: unknown[]): readonly ListEntry[] {
    const entries: ListEntry[] = [];
    for (let place = 0; place < words.length; place += 2) {
      const entry = parseEntryText(String(words[place + 1]));
      if (entry !== null) entries.push(entry);
      else this.#redis.reportRefusal({ kind: 'value_refused', key: this.#keys.entries });
    }
    words.length = 0;
    return entries;
  }
}

function withListScripts({ client }: RedisHandle) {
  return withScripts<ListScripts>(client, {
    changeLists: { numberOfKeys: 3, lua: CHANGE },
    lookAtLists: { numberOfKeys: 2, lua: LOOK },
    dropFromLists: { numberOfKeys: 2, lua: DROP },
  });
}

function toField({ list, part, value }: ListEntry): string {
  return `${list} ${part} ${value}`;
}
