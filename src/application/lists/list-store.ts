import type { ListEntry } from '../../domain/lists/list-entry.ts';
import type { ListTable } from '../../domain/lists/list-table.ts';

/**
 * How well this process knows the lists. `loading`: it has not read them yet, or has read a store that has
 * just begun, where others may hold lists. `current`: within a second of every change. `stale`: it cannot hear
 * changes made elsewhere. `restoring`: the shared store has lost lists, and those who know them write them
 * back.
 */
export const LIST_KNOWLEDGE = ['loading', 'current', 'stale', 'restoring'] as const;

/** One of them. */
export type ListKnowledge = (typeof LIST_KNOWLEDGE)[number];

/** Keeps lists, and tells the process of every change. A store never rejects and never throws. */
export interface ListStore {
  /** What is known, changed by the store alone. */
  readonly table: ListTable;
  /**
   * Keeps entries, or what is left of removed ones, and then puts them in the table. Each gets a time after
   * that of the entry that it replaces. Resolves with them as they are kept; null where that is not known: it
   * may be asked again.
   */
  commit(entries: readonly ListEntry[]): Promise<readonly ListEntry[] | null>;
  /**
   * The same for what happened elsewhere: entries keep their own times, and one that is not later than what is
   * known of its value, here or elsewhere, is not kept. Resolves with those that are.
   */
  commitIfLater(entries: readonly ListEntry[]): Promise<readonly ListEntry[] | null>;
  /** Lets go of entries that are over (see isOver), where they are still the same. */
  drop(entries: readonly ListEntry[]): Promise<void>;
  knowledge(): ListKnowledge;
  /**
   * True where nothing that was changed elsewhere can be missing, but for what happened in the last minute.
   */
  isTrusted(): boolean;
  /** Resolves once the lists were read, or cannot be for now; within 1.5 s. */
  ready(): Promise<void>;
  close(): Promise<void>;
}
