import type {
  PolicyChange,
  PolicyState,
  PolicyWithText,
} from '../../application/policy-in-force/policy-store.ts';
import {
  changePolicies,
  type PolicyEntry,
  type PolicyRecord,
  type RolloutEntry,
} from '../../domain/policy-in-force/policy-record.ts';

/** A record with the texts that are known. */
export function toState(record: PolicyRecord, texts: ReadonlyMap<string, string>): PolicyState {
  const { revision, inForce, rollout, history, aborted, changeIds } = record;
  const withText = <Entry extends { readonly hash: string }>(entry: Entry) => ({
    ...entry,
    text: texts.get(entry.hash) ?? null,
  });
  return {
    revision,
    inForce: inForce && withText(inForce),
    rollout: rollout && withText(rollout),
    history,
    aborted,
    changeIds,
  };
}

/** A record after a change, and the policies whose texts it brings. */
export function applyChange(record: PolicyRecord, { id, inForce, rollout, entry, aborted }: PolicyChange) {
  const parts = {
    id,
    inForce: inForce && withoutText(inForce),
    rollout: rollout && toRollout(rollout),
    entry: entry && withoutText(entry),
    ...(aborted && { aborted }),
  };
  const policies: readonly PolicyWithText[] = [inForce, rollout, entry].filter((one) => one !== null);
  return { record: changePolicies(record, parts), policies };
}

/** What is kept of a policy apart from its text. */
export function withoutText({ id, hash, sinceMs, by, why, previousHash }: PolicyEntry): PolicyEntry {
  return { id, hash, sinceMs, by, why, previousHash };
}

function toRollout({ id, hash, part }: RolloutEntry): RolloutEntry {
  return { id, hash, part };
}
