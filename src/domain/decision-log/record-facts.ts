import type { Outcome } from '../evidence.ts';
import type { Verdict } from '../verdict.ts';
import type { DecisionRecord, EvidenceRecord } from './decision-record.ts';
import { type Counts, countName, type StatsGroup } from './record-counts.ts';

/**
 * What a decision is filtered and counted by, without its time, its latencies and the hashes of its
 * identifiers. Many records share the same facts: nothing in them is a caller's own text.
 */
export interface RecordFacts
  extends Pick<DecisionRecord, 'decision' | 'degraded' | 'caller' | 'entry_point' | 'policy'> {
  readonly reasons: readonly Pick<DecisionRecord['reasons'][number], 'code'>[];
  readonly rules: readonly Pick<DecisionRecord['rules'][number], 'rule' | 'result'>[];
  readonly providers: Readonly<Record<string, Pick<EvidenceRecord, 'outcome' | 'cache' | 'cache_level'>>>;
}

/** A filter by facts. Facts must match every field that is given. */
export interface FactsFilter {
  readonly decision?: Verdict | undefined;
  /** A reason code. */
  readonly reason?: string | undefined;
  /** An outcome of any provider, or of the one that is named. */
  readonly providerOutcome?: { readonly provider: string | null; readonly outcome: Outcome } | undefined;
  readonly caller?: string | undefined;
  readonly entryPoint?: string | undefined;
  readonly degraded?: boolean | undefined;
  /** The id or the hash of a policy. */
  readonly policy?: string | undefined;
}

/** The facts of a record. Equal facts have the same JSON text. Rules that are false or inert are left out. */
export function toRecordFacts(record: DecisionRecord): RecordFacts {
  const { decision, degraded, caller, entry_point, policy, providers } = record;
  return {
    decision,
    degraded,
    caller,
    entry_point,
    policy: { id: policy.id, hash: policy.hash },
    reasons: record.reasons.map(({ code }) => ({ code })),
    rules: record.rules.filter(isCounted).map(({ rule, result }) => ({ rule, result })),
    providers: Object.fromEntries(
      Object.entries(providers).map(([id, { outcome, cache, cache_level }]) => [
        id,
        { outcome, cache, cache_level },
      ]),
    ),
  };
}

/** True when the facts match the filter. */
export function matchesFacts(facts: RecordFacts, filter: FactsFilter): boolean {
  const { decision, reason, providerOutcome, caller, entryPoint, degraded, policy } = filter;
  return (
    isOrAny(decision, facts.decision) &&
    isOrAny(caller, facts.caller) &&
    isOrAny(entryPoint, facts.entry_point) &&
    isOrAny(degraded, facts.degraded) &&
    (policy === undefined || policy === facts.policy.id || policy === facts.policy.hash) &&
    (reason === undefined || facts.reasons.some(({ code }) => code === reason)) &&
    (providerOutcome === undefined || hasOutcome(facts, providerOutcome))
  );
}

/** What one decision with these facts adds to the counts, its latencies aside. */
export function countFacts(facts: RecordFacts): Counts {
  const counts = new Map<string, number>();
  const raise = (group: StatsGroup, value: string) => {
    const name = countName(group, value);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  raise('decision', facts.decision);
  raise('degraded', facts.degraded ? 'true' : 'false');
  raise('caller', facts.caller);
  raise('policy', facts.policy.hash);
  raise('entry_point', facts.entry_point);
  for (const { code } of facts.reasons) raise('reason', code);
  for (const { rule, result } of facts.rules) if (isCounted({ result })) raise('rule', `${rule}/${result}`);
  for (const [provider, { outcome, cache, cache_level }] of Object.entries(facts.providers)) {
    raise('provider_outcome', `${provider}/${outcome}`);
    raise('provider_cache', `${provider}/${cache}`);
    if (cache_level !== null) raise('provider_cache_level', `${provider}/${cache_level}`);
  }
  return counts;
}

function isCounted({ result }: Pick<DecisionRecord['rules'][number], 'result'>): boolean {
  return result === 'true' || result === 'unknown';
}

function isOrAny<Value>(wanted: Value | undefined, value: Value | null): boolean {
  return wanted === undefined || wanted === value;
}

function hasOutcome(
  { providers }: RecordFacts,
  { provider, outcome }: NonNullable<FactsFilter['providerOutcome']>,
): boolean {
  if (provider !== null)
    return Object.hasOwn(providers, provider) && providers[provider]?.outcome === outcome;
  return Object.values(providers).some((use) => use.outcome === outcome);
}
