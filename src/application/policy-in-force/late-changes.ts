import type { PolicyStore } from './policy-store.ts';

/** Changes whose reply was lost. */
interface LateChanges {
  /**
   * Calls back once it is learned that the change with this id was made, at the next look at the shared state or at
   * a later one. Never, where another change was made in its place: it can be made by no look after that.
   */
  follow(change: { readonly id: string; readonly expectedRevision: number; onMade(): void }): void;
}

/** Each belongs to a request of an admin, or to a look at a promotion; the oldest goes. */
const FOLLOWED_MAX = 1_000;

/** Builds what follows them, for as long as the process lives. */
export function createLateChanges(store: Pick<PolicyStore, 'state' | 'onChange'>): LateChanges {
  const followed = new Map<string, Parameters<LateChanges['follow']>[0]>();
  store.onChange(() => {
    const { revision, changeIds } = store.state();
    for (const [id, { expectedRevision, onMade }] of followed) {
      const isMade = changeIds.includes(id);
      if (!isMade && revision === expectedRevision) continue;
      followed.delete(id);
      if (isMade) onMade();
    }
  });
  return {
    follow: (change) => {
      followed.set(change.id, change);
      const [oldest] = followed.keys();
      if (followed.size > FOLLOWED_MAX && oldest !== undefined) followed.delete(oldest);
    },
  };
}
