import type uPlot from 'uplot';
import { drawMarkers, type Marker } from './draw-markers.ts';
import { verdictShare } from './figures.ts';
import { formatCount } from './format.ts';
import { type Stats, type StatsStep, VERDICTS } from './wire.ts';

/** What a chart shows on its axis. */
export type ChartKind = 'counts' | 'rates';

const HEIGHT = 180;
const FONT = '11px system-ui, sans-serif';
/** Pointing at one chart points at the other. */
const SYNC_KEY = 'verdicts';

/** Two points for each step: a count is that of a whole step, and not of its beginning. */
export const POINTS_PER_STEP = 2;

/** What a chart tells, and what it is told. */
interface ChartHandlers {
  readonly onPlace: (place: number | null) => void;
  /** The steps from one to another were selected. */
  readonly onSelect: (from: number, to: number) => void;
  readonly markers: () => readonly Marker[];
}

/**
 * The x values in Unix seconds, and the series from the back to the front: areas that are stacked are sums. A step
 * that nothing was decided in has no values, nor has a verdict that nothing came to: a line at zero would show
 * what was not there.
 */
export function toChartData(
  kind: ChartKind,
  { steps, step_seconds: seconds, previous }: Stats,
): uPlot.AlignedData {
  const begins = steps.map(({ at }) => Date.parse(at) / 1000);
  const times = begins.flatMap((begin) => [begin, begin + seconds - 1]);
  const seriesOf = (of: readonly StatsStep[], read: (step: StatsStep) => number | null) =>
    begins.flatMap((_, place) => {
      const step = of[place];
      return Array<number | null>(POINTS_PER_STEP).fill(step === undefined ? null : read(step));
    });
  const series = (read: (step: StatsStep) => number | null) => seriesOf(steps, read);
  // Step by step beside those of now.
  const before = (read: (step: StatsStep) => number | null) => seriesOf(previous?.steps ?? [], read);
  if (kind === 'rates') {
    return [
      times,
      series((step) => toPercent(verdictShare(step, 'CHALLENGE'))),
      series((step) => toPercent(verdictShare(step, 'BLOCK'))),
      before((step) => toPercent(verdictShare(step, 'CHALLENGE'))),
      before((step) => toPercent(verdictShare(step, 'BLOCK'))),
    ];
  }
  const sums = VERDICTS.map((own, place) =>
    series(({ counts }) =>
      (counts[own] ?? 0) === 0
        ? null
        : VERDICTS.slice(place).reduce((sum, verdict) => sum + (counts[verdict] ?? 0), 0),
    ),
  );
  return [times, ...sums, before(({ total }) => (total === 0 ? null : total))];
}

/** The colours are those of the style sheet at this moment, so that they follow the scheme. */
export function chartOptions(kind: ChartKind, width: number, handlers: ChartHandlers): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: color('ink-soft'), font: FONT, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: SYNC_KEY },
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false },
    },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 70, values: timeLabels },
      {
        ...axis,
        grid: { stroke: color('line'), width: 1 },
        size: 42,
        space: 36,
        values: (_, ticks) => ticks.map((tick) => (kind === 'rates' ? `${tick}%` : toCount(tick))),
      },
    ],
    series: [{}, ...seriesOf(kind, color)],
    hooks: hooksOf(handlers, color('accent')),
  };
}

function hooksOf({ onPlace, onSelect, markers }: ChartHandlers, colour: string): uPlot.Hooks.Arrays {
  return {
    setCursor: [({ cursor }) => onPlace(cursor.idx == null ? null : placeOf(cursor.idx))],
    // What is dragged over. By keyboard a selection stands until it is shown.
    setSelect: [
      (chart) => {
        const { left, width } = chart.select;
        if (width <= 0) return;
        chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        onSelect(placeOf(chart.posToIdx(left)), placeOf(chart.posToIdx(left + width)));
      },
    ],
    ready: [
      (chart) => {
        chart.over.addEventListener('click', () => {
          const { idx } = chart.cursor;
          if (idx != null) onSelect(placeOf(idx), placeOf(idx));
        });
      },
    ],
    draw: [(chart) => drawMarkers(chart, markers(), colour)],
  };
}

/** The step of a point. */
function placeOf(index: number): number {
  return Math.floor(index / POINTS_PER_STEP);
}

function seriesOf(kind: ChartKind, color: (name: string) => string): uPlot.Series[] {
  const names = kind === 'rates' ? ['challenge', 'block'] : ['allow', 'challenge', 'block'];
  const drawn = names.map((name) => ({
    stroke: color(name),
    width: kind === 'rates' ? 2 : 1,
    ...(kind === 'counts' && { fill: color(`${name}-area`) }),
    points: { show: false },
  }));
  const before = (kind === 'rates' ? names : ['ink']).map((name) => ({
    stroke: color(name),
    width: 1,
    dash: [2, 3],
    points: { show: false },
  }));
  return [...drawn, ...before];
}

function toPercent(share: number | null): number | null {
  return share === null || share === 0 ? null : share * 100;
}

function toCount(tick: number): string {
  return Number.isInteger(tick) ? formatCount(tick) : '';
}

const HOUR_SECONDS = 3600;
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

function timeLabels(_chart: uPlot, ticks: number[], _axis: number, _space: number, step: number): string[] {
  return ticks.map((tick) => (step >= 12 * HOUR_SECONDS ? date : minute).format(tick * 1000));
}
