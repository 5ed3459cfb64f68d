import { toTransition } from '../candidates/candidate-result.ts';
import { countedOutcomeOf } from './counted-outcome.ts';
import type { DecisionRecord } from './decision-record.ts';
import { BUCKETS, bucketOf, type CountGroup, countName } from './record-counts.ts';
import { shareFacts } from './record-facts.ts';
import { type CountedResult, eachCountedReason, eachCountedRule, toResultName } from './rule-results.ts';

const PLAIN = ['decision', 'caller', 'policy', 'entry_point', 'degraded', 'transition'] as const;
const RESULTS = ['reason', 'rule'] as const;
const PAIRS = ['provider_outcome', 'provider_cache', 'provider_cache_level'] as const;

type Values = Map<string, number>;

/** How many kinds of records wait to be counted together. */
const ALIKE_MAX = 8;

/** Records that raise the same counts, but for their own latency. */
interface Alike {
  readonly record: DecisionRecord;
  times: number;
}

/**
 * Counts decisions. This is the hot path: records that count alike are counted together, once another kind
 * needs their place or the counts are read, and names are built only then.
 */
export class DecisionTally {
  // `Object.fromEntries` forgets that every group of the list is a key.
  readonly #plain = Object.fromEntries(PLAIN.map((group) => [group, new Map()])) as Record<
    (typeof PLAIN)[number],
    Values
  >;
  readonly #pairs = Object.fromEntries(PAIRS.map((group) => [group, new Map()])) as Record<
    (typeof PAIRS)[number],
    Map<string, Values>
  >;
  readonly #results = Object.fromEntries(RESULTS.map((group) => [group, new Map()])) as Record<
    (typeof RESULTS)[number],
    Map<string, Map<CountedResult, number>>
  >;
  readonly #latencies = new Map<string, Uint32Array>();

  #alike: Alike[] = [];

  add(record: DecisionRecord): void {
    this.#time('decision', record.latency_ms);
    for (const alike of this.#alike) {
      if (!countAlike(alike.record, record)) continue;
      alike.times += 1;
      return;
    }
    this.#timeCalls(record);
    if (this.#alike.length === ALIKE_MAX) this.#settle();
    this.#alike.push({ record, times: 1 });
  }

  /** The counts so far, by their names. */
  read(): Map<string, number> {
    this.#settle();
    const counts = new Map<string, number>();
    const put = (group: CountGroup, value: string, count: number) =>
      counts.set(countName(group, value), count);
    for (const group of PLAIN) for (const [value, count] of this.#plain[group]) put(group, value, count);
    for (const group of RESULTS)
      for (const [name, results] of this.#results[group])
        for (const [result, count] of results) put(group, toResultName(name, result), count);
    for (const group of PAIRS)
      for (const [first, values] of this.#pairs[group])
        for (const [second, count] of values) put(group, `${first}/${second}`, count);
    for (const [series, buckets] of this.#latencies)
      buckets.forEach((count, bucket) => {
        if (count > 0) put('latency', `${series}/${bucket}`, count);
      });
    return counts;
  }

  #settle(): void {
    for (const { record, times } of this.#alike) this.#count(record, times);
    this.#alike = [];
  }

  #count(record: DecisionRecord, times: number): void {
    const { decision, caller, policy, entry_point: entryPoint, degraded, transition } = this.#plain;
    const { reason, rule } = this.#results;
    raise(decision, record.decision, times);
    raise(degraded, record.degraded ? 'true' : 'false', times);
    raise(caller, record.caller, times);
    raise(policy, record.policy.hash, times);
    raise(entryPoint, record.entry_point, times);
    for (const candidate of record.candidates ?? [])
      raise(transition, toTransition(record.decision, candidate), times);
    eachCountedReason(record, (code, result) => raise(valuesOf(reason, code), result, times));
    eachCountedRule(record, (id, result) => raise(valuesOf(rule, id), result, times));
    for (const provider in record.providers) {
      const use = record.providers[provider];
      if (use === undefined) continue;
      raise(valuesOf(this.#pairs.provider_outcome, provider), countedOutcomeOf(use), times);
      raise(valuesOf(this.#pairs.provider_cache, provider), use.cache, times);
      if (use.cache_level !== null)
        raise(valuesOf(this.#pairs.provider_cache_level, provider), use.cache_level, times);
    }
  }

  /** Cached evidence says nothing about the provider's latency. */
  #timeCalls({ providers }: DecisionRecord): void {
    for (const provider in providers) {
      const use = providers[provider];
      if (use?.cache === 'miss') this.#time(provider, use.latency_ms);
    }
  }

  #time(series: string, ms: number): void {
    let buckets = this.#latencies.get(series);
    if (buckets === undefined) {
      buckets = new Uint32Array(BUCKETS);
      this.#latencies.set(series, buckets);
    }
    const bucket = bucketOf(ms);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
}

/** Never where a provider was called: how long that took is counted too. */
function countAlike(left: DecisionRecord, right: DecisionRecord): boolean {
  return shareFacts(left, right) && !wasCalled(left);
}

function wasCalled({ providers }: DecisionRecord): boolean {
  for (const id in providers) if (providers[id]?.cache === 'miss') return true;
  return false;
}

function raise<Value>(values: Map<Value, number>, value: Value, times: number): void {
  values.set(value, (values.get(value) ?? 0) + times);
}

function valuesOf<Value>(pairs: Map<string, Map<Value, number>>, first: string): Map<Value, number> {
  let values = pairs.get(first);
  if (values === undefined) {
    values = new Map();
    pairs.set(first, values);
  }
  return values;
}
