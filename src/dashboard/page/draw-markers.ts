import type uPlot from 'uplot';

/** A moment at which something changed. */
export interface Marker {
  readonly atMs: number;
  readonly text: string;
}

/** A thin line from top to bottom, with a wedge on top, for each change. */
export function drawMarkers(chart: uPlot, markers: readonly Marker[], colour: string): void {
  const { ctx, bbox } = chart;
  const { min, max } = chart.scales['x'] ?? {};
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  for (const { atMs } of markers) {
    const at = atMs / 1000;
    if (min == null || max == null || at < min || at > max) continue;
    const x = Math.round(chart.valToPos(at, 'x', true));
    const size = 5 * devicePixelRatio;
    ctx.beginPath();
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x - size, bbox.top);
    ctx.lineTo(x + size, bbox.top);
    ctx.lineTo(x, bbox.top + 1.6 * size);
    ctx.fill();
  }
  ctx.restore();
}
