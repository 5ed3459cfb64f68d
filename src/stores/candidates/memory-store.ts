import {
  CANDIDATES_MAX,
  type CandidateStore,
  type StoredCandidate,
} from '../../application/candidates/candidate-store.ts';

/** Keeps candidates for as long as the process lives. */
export function createMemoryCandidateStore(): CandidateStore {
  const listeners: (() => void)[] = [];
  let kept: readonly StoredCandidate[] = [];
  const change = (candidates: readonly StoredCandidate[]) => {
    kept = candidates.toSorted((left, right) => (left.id < right.id ? -1 : 1));
    for (const listener of listeners) listener();
  };
  return {
    place: 'process',
    candidates: () => kept,
    put: async (candidate) => {
      const others = kept.filter(({ id }) => id !== candidate.id);
      if (others.length >= CANDIDATES_MAX) return 'full';
      change([...others, candidate]);
      return 'kept';
    },
    remove: async (id) => {
      const removed = kept.find((one) => one.id === id) ?? null;
      if (removed !== null) change(kept.filter((one) => one !== removed));
      return removed;
    },
    onChange: (listener) => void listeners.push(listener),
    close: async () => {},
  };
}
