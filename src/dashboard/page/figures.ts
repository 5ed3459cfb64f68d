import type { Counts, ProviderState, Stats, StatsSpan, Verdict } from './wire.ts';

/** A share between 0 and 1, or null where nothing was counted. */
export type Share = number | null;

/** The share of a part in the whole. */
export function shareOf(part: number, whole: number): Share {
  return whole === 0 ? null : part / whole;
}

/** The share of a verdict in all decisions of a span. */
export function verdictShare(
  { counts, total }: Pick<StatsSpan, 'counts' | 'total'>,
  verdict: Verdict,
): Share {
  return shareOf(counts[verdict] ?? 0, total);
}

/** Of the evidence that was looked for, what a cache had. */
export function cacheShare(counts: Counts): Share {
  let hits = 0;
  let looks = 0;
  for (const [name, count] of Object.entries(counts)) {
    const cache = name.slice(name.lastIndexOf('/') + 1);
    // Where no call was needed or made, no cache could have helped.
    if (cache === 'none') continue;
    looks += count;
    if (cache === 'hit') hits += count;
  }
  return shareOf(hits, looks);
}

/** The counts whose names begin with `<provider>/`, by the rest of the name. */
export function countsOfProvider(counts: Counts, provider: string): Counts {
  const prefix = `${provider}/`;
  const own = Object.entries(counts).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, count]) => [name.slice(prefix.length), count]));
}

/** Greatest first. */
export function ranked(counts: Counts, max: number): readonly (readonly [string, number])[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([left, leftCount], [right, rightCount]) => rightCount - leftCount || left.localeCompare(right))
    .slice(0, max);
}

/** How an outcome bears on a decision. */
type OutcomeKind = 'answered' | 'adverse' | 'skipped' | 'failed';

const KINDS: Readonly<Record<string, OutcomeKind>> = {
  ok: 'answered',
  not_found: 'adverse',
  unsupported: 'adverse',
  skipped: 'skipped',
  // Nobody was asked.
  not_given: 'skipped',
};

/** Outcomes that are not listed are indefinite ones. */
export function kindOf(outcome: string): OutcomeKind {
  return KINDS[outcome] ?? 'failed';
}

/** Of the calls that were not skipped, the share without a definite outcome. */
export function failedShare(counts: Counts): Share {
  let failed = 0;
  let asked = 0;
  for (const [outcome, count] of Object.entries(counts)) {
    const kind = kindOf(outcome);
    if (kind === 'skipped') continue;
    asked += count;
    if (kind === 'failed') failed += count;
  }
  return shareOf(failed, asked);
}

/** How a provider is, in one word; `quiet` without a call in the window. */
export type Health = 'healthy' | 'impaired' | 'down' | 'disabled' | 'quiet';

/** From this share of failures on a provider is called impaired. */
const IMPAIRED_SHARE = 0.05;

/** How a provider fares: its circuit now, and its outcomes of late. */
export function healthOf({ enabled, circuit, suspect }: ProviderState, recent: Counts): Health {
  if (!enabled) return 'disabled';
  if (circuit === 'open') return 'down';
  const failed = failedShare(recent);
  if (suspect || circuit === 'half_open' || (failed ?? 0) >= IMPAIRED_SHARE) return 'impaired';
  return failed === null ? 'quiet' : 'healthy';
}

/** The sum of the last steps. */
export function recentCounts({ steps }: Stats, count: number): Counts {
  const sum: Record<string, number> = {};
  for (const step of steps.slice(-count))
    for (const [name, value] of Object.entries(step.counts)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}
