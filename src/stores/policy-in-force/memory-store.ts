import type {
  PolicyState,
  PolicyStore,
  PolicyWithText,
} from '../../application/policy-in-force/policy-store.ts';
import {
  hashesOf,
  NO_POLICY,
  type PolicyRecord,
  rememberPolicy,
} from '../../domain/policy-in-force/policy-record.ts';
import { applyChange, toState, withoutText } from './to-state.ts';

/** Keeps what is in force for as long as the process lives. */
export function createMemoryPolicyStore(): PolicyStore {
  const listeners: (() => void)[] = [];
  const texts = new Map<string, string>();
  let kept: PolicyRecord = NO_POLICY;
  let state: PolicyState = toState(kept, texts);
  const set = (record: PolicyRecord, policies: readonly PolicyWithText[]) => {
    for (const { hash, text } of policies) texts.set(hash, text);
    const needed = hashesOf(record);
    for (const hash of texts.keys()) if (!needed.has(hash)) texts.delete(hash);
    kept = record;
    state = toState(record, texts);
    for (const listener of listeners) listener();
  };
  return {
    place: 'process',
    firstRead: Promise.resolve(),
    knowledge: () => 'known',
    state: () => state,
    clock: () => null,
    change: async (change, expectedRevision) => {
      if (kept.revision !== expectedRevision) return 'changed';
      const { record, policies } = applyChange(kept, change);
      set({ ...record, revision: kept.revision + 1 }, policies);
      return 'kept';
    },
    note: async (policy, id) => {
      const record = rememberPolicy(kept, withoutText(policy), id);
      if (record !== null) set(record, [policy]);
      return record !== null;
    },
    find: async (hash) => texts.get(hash) ?? null,
    onChange: (listener) => void listeners.push(listener),
    close: async () => {},
  };
}
