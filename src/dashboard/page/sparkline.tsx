const WIDTH = 120;
const HEIGHT = 28;

interface SparklineProperties {
  readonly values: readonly (number | null)[];
  /** The line reaches the top at this value at least, so that what is next to nothing looks like it. */
  readonly floor?: number;
}

/** A line without axes: the course of a number by steps, not its values. Absent values are gaps. */
export function Sparkline({ values, floor = 0 }: SparklineProperties) {
  const max = Math.max(...values.map((value) => value ?? 0), floor, Number.EPSILON);
  const step = WIDTH / Math.max(1, values.length);
  let line = '';
  let isDrawing = false;
  values.forEach((value, place) => {
    if (value !== null) {
      const y = HEIGHT - 2 - (value / max) * (HEIGHT - 4);
      line += `${isDrawing ? 'L' : 'M'}${(place * step).toFixed(1)} ${y.toFixed(1)}h${step.toFixed(1)}`;
    }
    isDrawing = value !== null;
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={line} />
    </svg>
  );
}
