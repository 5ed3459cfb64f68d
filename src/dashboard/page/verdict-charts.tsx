import { useSignal } from '@preact/signals';
import type { ChartKind } from './chart-options.ts';
import type { Marker } from './draw-markers.ts';
import { verdictShare } from './figures.ts';
import { formatAge, formatCount, formatShare, formatTime, NOTHING } from './format.ts';
import { Link } from './link.tsx';
import { policyMarkers } from './policy-markers.ts';
import { VerdictChart } from './verdict-chart.tsx';
import { address, go } from './view-state.ts';
import { type Stats, type StatsStep, VERDICTS } from './wire.ts';
import { zoomOut } from './zoom.ts';

const KINDS: Readonly<Record<ChartKind, string>> = { counts: 'Numbers', rates: 'Rates' };

/** Verdicts as stacked areas, or the rates of those that are not ALLOW, with a legend that follows the pointer. */
export function VerdictCharts({ stats }: { readonly stats: Stats }) {
  const kind = useSignal<ChartKind>('counts');
  return (
    <section class="panel" aria-labelledby="verdicts-title">
      <div class="panel-head">
        <h2 id="verdicts-title">Verdicts over time</h2>
        <ChartTools />
        <div class="tabs">
          {Object.entries(KINDS).map(([name, text]) => (
            <button
              key={name}
              type="button"
              class="tab"
              aria-pressed={kind.value === name}
              onClick={() => {
                // The names are those of KINDS.
                kind.value = name as ChartKind;
              }}
            >
              {text}
            </button>
          ))}
        </div>
      </div>
      <ChartWithLegend stats={stats} kind={kind.value} />
    </section>
  );
}

/** Whether the window before is drawn too, and the way back from a part of the window. */
function ChartTools() {
  const { compare, filters } = address.value;
  return (
    <div class="chart-tools">
      {(filters.since !== undefined || filters.until !== undefined) && (
        <button class="tab" type="button" onClick={zoomOut}>
          Zoom out
        </button>
      )}
      <button
        class="tab"
        type="button"
        aria-pressed={compare}
        title="Draw the window before as a thin line, and tell the difference"
        onClick={() => go({ compare: !compare })}
      >
        Compare
      </button>
    </div>
  );
}

function ChartWithLegend({ stats, kind }: { readonly stats: Stats; readonly kind: ChartKind }) {
  const place = useSignal<number | null>(null);
  const onPlace = (index: number | null) => {
    place.value = index;
  };
  const markers = markersWithin(stats, policyMarkers.value);
  const step = place.value === null ? null : (stats.steps[place.value] ?? null);
  if (stats.totals.total === 0)
    return (
      <div class="state">
        <h3>No decisions in this window</h3>
        <p>Nothing has been asked, or the window is too short. New decisions appear here by themselves.</p>
      </div>
    );
  return (
    <div class="charts">
      <Legend stats={stats} step={step} kind={kind} />
      <VerdictChart
        kind={kind}
        stats={stats}
        markers={markers}
        place={place.value}
        onPlace={onPlace}
        label={kind === 'counts' ? describe(stats) : 'Block and challenge rate over the window'}
      />
      <PolicyChanges markers={markers} />
    </div>
  );
}

/** Changes that are told beside the chart; all of them are drawn. */
const CHANGES_MAX = 3;

/** What the lines in the chart stand for. */
function PolicyChanges({ markers }: { readonly markers: readonly Marker[] }) {
  if (markers.length === 0) return null;
  return (
    <ul class="chart-changes">
      {markers.slice(0, CHANGES_MAX).map(({ atMs, text }) => (
        <li key={atMs}>
          <Link to={{ view: 'policy' }}>Policy changed</Link>{' '}
          {formatTime(new Date(atMs).toISOString(), Date.now())}: {text}
        </li>
      ))}
      {markers.length > CHANGES_MAX && <li>and {markers.length - CHANGES_MAX} earlier changes</li>}
    </ul>
  );
}

/** The numbers below the pointer, or those of the whole window. */
function Legend({
  stats,
  step,
  kind,
}: {
  readonly stats: Stats;
  readonly step: StatsStep | null;
  readonly kind: ChartKind;
}) {
  const span = step ?? stats.totals;
  const drawn = kind === 'counts' ? VERDICTS : VERDICTS.filter((verdict) => verdict !== 'ALLOW');
  return (
    <div class="legend">
      {drawn.toReversed().map((verdict) => (
        <span key={verdict} class="legend-entry">
          <span class={`swatch swatch-${verdict.toLowerCase()} ${kind === 'rates' ? 'swatch-line' : ''}`} />
          {verdict}
          <b>{formatCount(span.counts[verdict] ?? 0)}</b>
          <small>{span.total === 0 ? NOTHING : formatShare(verdictShare(span, verdict))}</small>
        </span>
      ))}
      {stats.previous !== undefined && (
        <span class="legend-entry">
          <span class="swatch swatch-before" />
          {kind === 'counts' ? 'all, the window before' : 'the window before'}
          {step === null && <b>{formatCount(stats.previous.totals.total)}</b>}
        </span>
      )}
      <span class="legend-time">
        {step === null
          ? `whole window, steps of ${formatAge(stats.step_seconds * 1000)}`
          : new Date(step.at).toLocaleString('en-GB')}
      </span>
    </div>
  );
}

function markersWithin({ since, until }: Stats, markers: readonly Marker[]): readonly Marker[] {
  const [fromMs, toMs] = [Date.parse(since), Date.parse(until)];
  return markers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}

function describe({ totals, steps }: Stats): string {
  const parts = VERDICTS.map((verdict) => `${formatCount(totals.counts[verdict] ?? 0)} ${verdict}`);
  return `Verdicts over time, ${steps.length} steps: ${parts.join(', ')}.`;
}
