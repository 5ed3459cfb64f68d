const WIDTH = 120;
const HEIGHT = 28;

interface SparklineProperties {
  readonly values: readonly (number | null)[];
  /** The line reaches the top at this value at least, so that what is next to nothing looks like it. */
  readonly floor?: number;
  /** Where something changed: 0 is the beginning, and 1 the end. */
  readonly marks?: readonly number[];
}

/**
 * A line without axes: the course of a number by steps, not its values. Absent values are gaps; where there was
 * nothing of it the line is a thin ground, and not one of something.
 */
export function Sparkline({ values, floor = 0, marks = [] }: SparklineProperties) {
  const max = Math.max(...values.map((value) => value ?? 0), floor, Number.EPSILON);
  const step = WIDTH / Math.max(1, values.length);
  let line = '';
  let ground = '';
  let isDrawing = false;
  values.forEach((value, place) => {
    const x = (place * step).toFixed(1);
    const width = step.toFixed(1);
    if (value === 0) ground += `M${x} ${HEIGHT - 2}h${width}`;
    const isSomething = value !== null && value > 0;
    if (isSomething) {
      const y = HEIGHT - 2 - (value / max) * (HEIGHT - 4);
      line += `${isDrawing ? 'L' : 'M'}${x} ${y.toFixed(1)}h${width}`;
    }
    isDrawing = isSomething;
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {marks.length > 0 && (
        <path
          class="sparkline-marks"
          d={marks.map((mark) => `M${(mark * WIDTH).toFixed(1)} 0V${HEIGHT}`).join('')}
        />
      )}
      <path class="sparkline-ground" d={ground} />
      <path d={line} />
    </svg>
  );
}
