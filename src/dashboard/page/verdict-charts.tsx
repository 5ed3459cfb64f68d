import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { type ChartKind, chartOptions, toChartData } from './chart-options.ts';
import { verdictShare } from './figures.ts';
import { formatAge, formatCount, formatShare, NOTHING } from './format.ts';
import { type Stats, type StatsStep, VERDICTS } from './wire.ts';

const KINDS: Readonly<Record<ChartKind, string>> = { counts: 'Numbers', rates: 'Rates' };

/** Verdicts as stacked areas, or the rates of those that are not ALLOW, with a legend that follows the pointer. */
export function VerdictCharts({ stats }: { readonly stats: Stats }) {
  const kind = useSignal<ChartKind>('counts');
  return (
    <section class="panel" aria-labelledby="verdicts-title">
      <div class="panel-head">
        <h2 id="verdicts-title">Verdicts over time</h2>
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

function ChartWithLegend({ stats, kind }: { readonly stats: Stats; readonly kind: ChartKind }) {
  const place = useSignal<number | null>(null);
  const onPlace = (index: number | null) => {
    place.value = index;
  };
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
      <Chart
        kind={kind}
        stats={stats}
        onPlace={onPlace}
        label={kind === 'counts' ? describe(stats) : 'Block and challenge rate over the window'}
      />
    </div>
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
      <span class="legend-time">
        {step === null
          ? `whole window, steps of ${formatAge(stats.step_seconds * 1000)}`
          : new Date(step.at).toLocaleString('en-GB')}
      </span>
    </div>
  );
}

interface ChartProperties {
  readonly kind: ChartKind;
  readonly stats: Stats;
  readonly label: string;
  readonly onPlace: (place: number | null) => void;
}

function Chart({ kind, stats, label, onPlace }: ChartProperties) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(stats);
  latest.current = stats;
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new uPlot(
        chartOptions(kind, element.clientWidth, onPlace),
        toChartData(kind, latest.current),
        element,
      );
    };
    draw();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    const watch = new ResizeObserver(() => {
      const { current } = chart;
      if (current !== null && current.width !== element.clientWidth)
        current.setSize({ width: element.clientWidth, height: current.height });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      scheme.removeEventListener('change', draw);
      chart.current?.destroy();
      chart.current = null;
    };
  }, [kind]);
  useEffect(() => {
    chart.current?.setData(toChartData(kind, stats));
  }, [kind, stats]);
  return <div ref={box} class="chart" role="img" aria-label={label} />;
}

function describe({ totals, steps }: Stats): string {
  const parts = VERDICTS.map((verdict) => `${formatCount(totals.counts[verdict] ?? 0)} ${verdict}`);
  return `Verdicts over time, ${steps.length} steps: ${parts.join(', ')}.`;
}
