import { type CandidateVerdict, toTransition } from '../candidates/candidate-result.ts';
import type { Verdict } from '../verdict.ts';
import { type CountedOutcome, countedOutcomeOf } from './counted-outcome.ts';
import type { DecisionRecord, EvidenceRecord } from './decision-record.ts';
import { type Counts, countName, STATS_GROUPS, type StatsGroup } from './record-counts.ts';
import {
  eachCountedReason,
  eachCountedRule,
  type JudgedRules,
  matchesRule,
  type RuleFilter,
  toResultName,
} from './rule-results.ts';

/** What is filtered and counted of one provider. */
type ProviderFacts = Pick<EvidenceRecord, 'outcome' | 'cache' | 'cache_level'>;

/**
 * What a decision is filtered and counted by, without its time, its latencies, its place and the hashes of
 * its identifiers. Many records share the same facts: nothing in them is a caller's own text.
 */
export interface RecordFacts
  extends JudgedRules,
    Pick<DecisionRecord, 'decision' | 'degraded' | 'caller' | 'entry_point' | 'policy'> {
  readonly providers: Readonly<Record<string, ProviderFacts>>;
  /** Absent where there was none. */
  readonly candidates?: readonly CandidateVerdict[] | undefined;
}

/** A filter by facts. Facts must match every field that is given. */
export interface FactsFilter {
  readonly decision?: Verdict | undefined;
  /** A reason code, certain or not. */
  readonly reason?: string | undefined;
  readonly rule?: RuleFilter | undefined;
  /** How any provider ended, or the one that is named. */
  readonly providerOutcome?:
    | { readonly provider: string | null; readonly outcome: CountedOutcome }
    | undefined;
  readonly caller?: string | undefined;
  readonly entryPoint?: string | undefined;
  readonly degraded?: boolean | undefined;
  /** The id or the hash of a policy. */
  readonly policy?: string | undefined;
  /** What a candidate made of the verdict; see toTransition. */
  readonly transition?: string | undefined;
}

/** The facts of a record. Equal facts have the same JSON text. Rules that are false or inert are left out. */
export function toRecordFacts(record: DecisionRecord): RecordFacts {
  const { decision, degraded, caller, entry_point, policy, providers, candidates } = record;
  return {
    decision,
    degraded,
    caller,
    entry_point,
    policy: { id: policy.id, hash: policy.hash },
    reasons: record.reasons.map(toReasonFacts),
    waivers: record.waivers.map(({ code, rule }) => ({ code, rule })),
    rules: record.rules
      .filter(({ result }) => result === 'true' || result === 'unknown')
      .map(({ rule, result }) => ({ rule, result })),
    providers: Object.fromEntries(
      Object.entries(providers).map(([id, { outcome, cache, cache_level }]) => [
        id,
        { outcome, cache, cache_level },
      ]),
    ),
    ...(candidates !== undefined && { candidates: candidates.map(toCandidateFacts) }),
  };
}

/**
 * True only for records that have the same facts. Fast, and false for many that have them too: what results of
 * one policy share is compared as objects.
 */
export function shareFacts(left: DecisionRecord, right: DecisionRecord): boolean {
  return (
    left.rules === right.rules &&
    left.reasons === right.reasons &&
    left.waivers === right.waivers &&
    left.caller === right.caller &&
    left.entry_point === right.entry_point &&
    left.decision === right.decision &&
    left.degraded === right.degraded &&
    left.policy.id === right.policy.id &&
    left.policy.hash === right.policy.hash &&
    left.candidates === right.candidates &&
    haveUses(left.providers, right.providers) &&
    haveUses(right.providers, left.providers)
  );
}

function haveUses(left: DecisionRecord['providers'], right: DecisionRecord['providers']): boolean {
  for (const id in left) {
    const [one, other] = [left[id], right[id]];
    if (one?.outcome !== other?.outcome || one?.cache !== other?.cache) return false;
    if (one?.cache_level !== other?.cache_level) return false;
  }
  return true;
}

/** True when the facts match the filter. */
export function matchesFacts(facts: RecordFacts, filter: FactsFilter): boolean {
  const { decision, reason, rule, providerOutcome, caller, entryPoint, degraded, policy, transition } =
    filter;
  return (
    isOrAny(decision, facts.decision) &&
    isOrAny(caller, facts.caller) &&
    isOrAny(entryPoint, facts.entry_point) &&
    isOrAny(degraded, facts.degraded) &&
    (policy === undefined || policy === facts.policy.id || policy === facts.policy.hash) &&
    (reason === undefined || facts.reasons.some(({ code }) => code === reason)) &&
    (rule === undefined || matchesRule(facts, rule)) &&
    (providerOutcome === undefined || hasOutcome(facts, providerOutcome)) &&
    (transition === undefined || factValues(facts, 'transition').includes(transition))
  );
}

/** The values by which one decision with these facts is counted in a group; a value may be there twice. */
export function factValues(facts: RecordFacts, group: StatsGroup): readonly string[] {
  const values: string[] = [];
  switch (group) {
    case 'decision':
      return [facts.decision];
    case 'degraded':
      return [facts.degraded ? 'true' : 'false'];
    case 'caller':
      return [facts.caller];
    case 'policy':
      return [facts.policy.hash];
    case 'entry_point':
      return [facts.entry_point];
    case 'reason':
      eachCountedReason(facts, (code, result) => values.push(toResultName(code, result)));
      return values;
    case 'rule':
      eachCountedRule(facts, (rule, result) => values.push(toResultName(rule, result)));
      return values;
    case 'transition':
      return (facts.candidates ?? []).map((candidate) => toTransition(facts.decision, candidate));
    default:
      return providerValues(facts, group);
  }
}

/** What one decision with these facts adds to the counts, its latencies aside. */
export function countFacts(facts: RecordFacts): Counts {
  const counts = new Map<string, number>();
  for (const group of STATS_GROUPS)
    for (const value of factValues(facts, group)) {
      const name = countName(group, value);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  return counts;
}

const PROVIDER_VALUES = {
  provider_outcome: countedOutcomeOf,
  provider_cache: ({ cache }: ProviderFacts) => cache,
  provider_cache_level: ({ cache_level: level }: ProviderFacts) => level,
} as const;

function providerValues({ providers }: RecordFacts, group: keyof typeof PROVIDER_VALUES): readonly string[] {
  return Object.entries(providers).flatMap(([provider, use]) => {
    const value = PROVIDER_VALUES[group](use);
    return value === null ? [] : [`${provider}/${value}`];
  });
}

function isOrAny<Value>(wanted: Value | undefined, value: Value | null): boolean {
  return wanted === undefined || wanted === value;
}

function hasOutcome(
  { providers }: RecordFacts,
  { provider, outcome }: NonNullable<FactsFilter['providerOutcome']>,
): boolean {
  if (provider === null) return Object.values(providers).some((use) => countedOutcomeOf(use) === outcome);
  const use = Object.hasOwn(providers, provider) ? providers[provider] : undefined;
  return use !== undefined && countedOutcomeOf(use) === outcome;
}

function toCandidateFacts({ policy, decision }: CandidateVerdict): CandidateVerdict {
  return { policy: { hash: policy.hash }, decision };
}

function toReasonFacts({ code, certain, rule, satisfied }: DecisionRecord['reasons'][number]) {
  return satisfied === true ? { code, certain, rule, satisfied } : { code, certain };
}
