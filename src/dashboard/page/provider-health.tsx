import {
  cacheShare,
  countsOfProvider,
  failedShare,
  type Health,
  healthOf,
  kindOf,
  ranked,
  recentCounts,
} from './figures.ts';
import { formatCount, formatMs, formatShare, toWords } from './format.ts';
import { marksWithin } from './policy-markers.ts';
import { Sparkline } from './sparkline.tsx';
import { type Statistics, statistics } from './statistics.ts';
import { setFilter } from './view-state.ts';
import type { Counts, ProviderState } from './wire.ts';

const HEALTH: Readonly<Record<Health, { text: string; kind: string }>> = {
  healthy: { text: 'Healthy', kind: 'good' },
  impaired: { text: 'Impaired', kind: 'warning' },
  down: { text: 'Not called', kind: 'bad' },
  disabled: { text: 'Disabled', kind: 'pending' },
  quiet: { text: 'Quiet', kind: 'pending' },
};
/** Steps that say how a provider fares now. */
const RECENT_STEPS = 2;

/** Failures fill the height of their line from this share on. */
const FAILURES_FLOOR = 0.2;

/** The providers, each with its state, latency and outcomes in the window. */
export function ProviderHealth() {
  const current = statistics.value;
  if (current === null) return null;
  return (
    <section aria-labelledby="providers-title">
      <h2 class="section-title" id="providers-title">
        Providers
      </h2>
      <div class="providers">
        {current.providers.map((state) => (
          <Provider key={state.id} state={state} statistics={current} />
        ))}
      </div>
    </section>
  );
}

interface ProviderProperties {
  readonly state: ProviderState;
  readonly statistics: Statistics;
}

function Provider({ state, statistics: { outcomes, providerCache, verdicts } }: ProviderProperties) {
  const { id } = state;
  const counts = countsOfProvider(outcomes.totals.counts, id);
  const recent = countsOfProvider(recentCounts(outcomes, RECENT_STEPS), id);
  const health = HEALTH[healthOf(state, recent)];
  const latency = verdicts.totals.provider_latency_ms[id];
  return (
    <article class="panel provider" aria-label={id}>
      <div class="panel-head">
        <h3>{id}</h3>
        <span class={`pill pill-${health.kind}`}>{health.text}</span>
      </div>
      {state.suspect && (
        <p class="provider-warning">
          Suspect: it finds no id any more. Most likely our URL, key or environment is wrong.
        </p>
      )}
      <OutcomeBar counts={counts} />
      <Outcomes provider={id} counts={counts} />
      <dl class="facts">
        <Fact name="Circuit" value={toWords(state.circuit)} />
        <Fact name="p50" value={formatMs(latency?.p50 ?? null)} />
        <Fact name="p95" value={formatMs(latency?.p95 ?? null)} />
        <Fact
          name="From cache"
          value={formatShare(cacheShare(countsOfProvider(providerCache.totals.counts, id)))}
        />
      </dl>
      <div class="provider-course">
        <span>Failures {formatShare(failedShare(counts))}</span>
        <Sparkline
          floor={FAILURES_FLOOR}
          marks={marksWithin(outcomes)}
          values={outcomes.steps.map((step) => failedShare(countsOfProvider(step.counts, id)))}
        />
      </div>
    </article>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** All outcomes of the window as parts of one bar. */
function OutcomeBar({ counts }: { readonly counts: Counts }) {
  const entries = ranked(counts, 20);
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  let start = 0;
  return (
    <svg class="outcome-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="meter-ground" width="100" height="6" />
      {entries.map(([outcome, count]) => {
        const x = start;
        const width = (count / total) * 100;
        start += width;
        return <rect key={outcome} class={`part part-${kindOf(outcome)}`} x={x} width={width} height="6" />;
      })}
    </svg>
  );
}

const OUTCOMES_SHOWN_MAX = 5;

function Outcomes({ provider, counts }: { readonly provider: string; readonly counts: Counts }) {
  const entries = ranked(counts, OUTCOMES_SHOWN_MAX);
  if (entries.length === 0) return <p class="state state-small">Not asked in this window.</p>;
  return (
    <ul class="outcomes">
      {entries.map(([outcome, count]) => (
        <li key={outcome}>
          <button
            type="button"
            class="outcome"
            title="List these decisions"
            onClick={() => setFilter('provider_outcome', `${provider}/${outcome}`)}
          >
            <span class={`swatch part-${kindOf(outcome)}`} />
            {toWords(outcome)} <b>{formatCount(count)}</b>
          </button>
        </li>
      ))}
    </ul>
  );
}
