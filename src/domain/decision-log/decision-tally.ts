import type { DecisionRecord } from './decision-record.ts';
import { BUCKETS, bucketOf, type CountGroup, countName } from './record-counts.ts';

const PLAIN = ['decision', 'reason', 'caller', 'policy', 'entry_point', 'degraded'] as const;
const PAIRS = ['provider_outcome', 'provider_cache', 'provider_cache_level', 'rule'] as const;

type Values = Map<string, number>;

/** Counts decisions. This is the hot path, so names are built only when the counts are read. */
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
  readonly #latencies = new Map<string, Uint32Array>();

  add(record: DecisionRecord): void {
    const { decision, reason, caller, policy, entry_point: entryPoint, degraded } = this.#plain;
    raise(decision, record.decision);
    raise(degraded, record.degraded ? 'true' : 'false');
    raise(caller, record.caller);
    raise(policy, record.policy.hash);
    raise(entryPoint, record.entry_point);
    for (const { code } of record.reasons) raise(reason, code);
    for (const { rule, result } of record.rules)
      if (result === 'true' || result === 'unknown') raise(valuesOf(this.#pairs.rule, rule), result);
    this.#time('decision', record.latency_ms);
    for (const provider in record.providers) {
      const use = record.providers[provider];
      if (use === undefined) continue;
      raise(valuesOf(this.#pairs.provider_outcome, provider), use.outcome);
      raise(valuesOf(this.#pairs.provider_cache, provider), use.cache);
      if (use.cache_level !== null)
        raise(valuesOf(this.#pairs.provider_cache_level, provider), use.cache_level);
      // Cached evidence says nothing about the provider's latency.
      if (use.cache === 'miss') this.#time(provider, use.latency_ms);
    }
  }

  /** The counts so far, by their names. */
  read(): Map<string, number> {
    const counts = new Map<string, number>();
    const put = (group: CountGroup, value: string, count: number) =>
      counts.set(countName(group, value), count);
    for (const group of PLAIN) for (const [value, count] of this.#plain[group]) put(group, value, count);
    for (const group of PAIRS)
      for (const [first, values] of this.#pairs[group])
        for (const [second, count] of values) put(group, `${first}/${second}`, count);
    for (const [series, buckets] of this.#latencies)
      buckets.forEach((count, bucket) => {
        if (count > 0) put('latency', `${series}/${bucket}`, count);
      });
    return counts;
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

function raise(values: Values, value: string): void {
  values.set(value, (values.get(value) ?? 0) + 1);
}

function valuesOf(pairs: Map<string, Values>, first: string): Values {
  let values = pairs.get(first);
  if (values === undefined) {
    values = new Map();
    pairs.set(first, values);
  }
  return values;
}
