import type { PolicyDocument, PolicyRule } from '../../domain/policy/document.ts';
import type { PolicyEntry } from '../../domain/policy-in-force/policy-record.ts';
import type { KnownPolicies } from './known-policies.ts';

interface InForce {
  readonly hash: string;
  readonly document: PolicyDocument;
}

/** Policies that are looked back at: those that stay compiled. */
const POLICIES_MAX = 16;

/**
 * Since when rules stand as they do in the policy in force, Unix milliseconds by their ids: since the earliest of
 * the policies that came into force, the newest first, that all have it so. Nothing where what is in force is not
 * the latest of them. Rejects with `store_unavailable`.
 */
export async function rulesSince(
  { hash, document }: InForce,
  history: readonly PolicyEntry[],
  policies: Pick<KnownPolicies, 'find'>,
): Promise<ReadonlyMap<string, number>> {
  const since = new Map<string, number>();
  if (history[0]?.hash !== hash) return since;
  let open: readonly PolicyRule[] = document.rules;
  const looked = new Set<string>();
  for (const entry of history) {
    looked.add(entry.hash);
    if (looked.size > POLICIES_MAX) break;
    const known = entry.hash === hash ? { document } : await policies.find(entry.hash);
    const texts = new Set(known?.document.rules.map((rule) => JSON.stringify(rule)));
    open = open.filter((rule) => texts.has(JSON.stringify(rule)));
    if (open.length === 0) break;
    for (const { id } of open) since.set(id, entry.sinceMs);
  }
  return since;
}
