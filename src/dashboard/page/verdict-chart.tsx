import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { type ChartKind, chartOptions, POINTS_PER_STEP, toChartData } from './chart-options.ts';
import type { Marker } from './draw-markers.ts';
import { formatCount, formatFullTime } from './format.ts';
import { type Stats, VERDICTS } from './wire.ts';
import { zoomTo } from './zoom.ts';

/** What a hook keeps from one drawing to the next. */
interface Held<Value> {
  current: Value;
}

interface DrawnProperties {
  readonly kind: ChartKind;
  readonly stats: Stats;
  readonly markers: readonly Marker[];
  readonly onPlace: (place: number | null) => void;
}

interface ChartProperties extends DrawnProperties {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  /** The step that is pointed at; null for none. */
  readonly place: number | null;
}

/**
 * Verdicts by steps. A drag shows the steps that it passes over, a click the one below it; by keyboard the arrows
 * point, with Shift they select, and Enter shows what is selected.
 */
export function VerdictChart({ label, place, ...drawn }: ChartProperties) {
  const { stats, onPlace } = drawn;
  const box = useRef<HTMLDivElement>(null);
  const chart = useDrawn(box, drawn);
  /** Where a selection by keyboard begins. */
  const anchor = useRef<number | null>(null);
  const last = stats.steps.length - 1;
  const onKeyDown = (event: KeyboardEvent) => {
    const to = placeOf(event.key, place ?? last, last);
    if (to !== null) {
      anchor.current = event.shiftKey ? (anchor.current ?? place ?? to) : null;
      point(chart.current, to);
      select(chart.current, anchor.current, to);
      onPlace(to);
    } else if (event.key === 'Enter' && place !== null) zoomTo(stats, anchor.current ?? place, place);
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      class="chart"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={place ?? last}
      aria-valuetext={tell(stats, place ?? last)}
      onKeyDown={onKeyDown}
      onBlur={() => {
        anchor.current = null;
        select(chart.current, null, 0);
        onPlace(null);
      }}
    />
  );
}

/** Draws into the box, again where its width or the colours change. */
function useDrawn(
  box: Held<HTMLDivElement | null>,
  { kind, stats, markers, onPlace }: DrawnProperties,
): Held<uPlot | null> {
  const chart = useRef<uPlot | null>(null);
  const latest = useRef({ stats, markers });
  latest.current = { stats, markers };
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const handlers = {
      onPlace,
      onSelect: (from: number, to: number) => zoomTo(latest.current.stats, from, to),
      markers: () => latest.current.markers,
    };
    const draw = () => {
      chart.current?.destroy();
      const options = chartOptions(kind, element.clientWidth, handlers);
      chart.current = new uPlot(options, toChartData(kind, latest.current.stats), element);
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
  }, [kind, stats, markers]);
  return chart;
}

/** Where a key leads to; null for a key that leads nowhere. */
function placeOf(key: string, from: number, last: number): number | null {
  const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[key];
  return to === undefined ? null : Math.min(last, Math.max(0, to));
}

function point(chart: uPlot | null, place: number): void {
  const time = chart?.data[0][place * POINTS_PER_STEP];
  if (chart !== null && time !== undefined)
    chart.setCursor({ left: chart.valToPos(time, 'x'), top: 10 }, false);
}

function select(chart: uPlot | null, from: number | null, to: number): void {
  if (chart === null) return;
  const times = chart.data[0];
  const edge = (point: number) => chart.valToPos(times[Math.min(point, times.length - 1)] ?? 0, 'x');
  const [left, right] =
    from === null
      ? [0, 0]
      : [edge(Math.min(from, to) * POINTS_PER_STEP), edge((Math.max(from, to) + 1) * POINTS_PER_STEP)];
  const width = Math.max(0, right - left);
  chart.setSelect({ left, top: 0, width, height: width === 0 ? 0 : chart.over.clientHeight }, false);
}

function tell({ steps }: Stats, place: number): string {
  const step = steps[place];
  if (step === undefined) return '';
  const parts = VERDICTS.map((verdict) => `${formatCount(step.counts[verdict] ?? 0)} ${verdict}`);
  return `${formatFullTime(step.at)}: ${parts.join(', ')}`;
}
