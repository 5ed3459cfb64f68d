import { availableParallelism } from 'node:os';
import type { CpuSample } from './measure.ts';
import type { ScalingSample } from './rounds.ts';
import { toSpread } from './statistics.ts';
import type { RunningVariant } from './variants.ts';

/** How much two processes do of what one does, at least. */
const SCALING_AIM = 1.8;
/** Two services, two load generators, Redis. */
const CORES_MIN = 5;

/** Our service as a multiple of another checkout's, variant by variant; null where none was measured. */
export function toAgainstTable(
  others: readonly RunningVariant[],
  samples: readonly CpuSample[],
  root: string,
): string | null {
  if (others.length === 0) return null;
  const rows = others.map(({ id, title }) => {
    const ratios = samples
      .filter(({ variant, isOther }) => variant === id && !isOther)
      .flatMap((own) => {
        const other = samples.find(
          ({ variant, isOther, round }) => variant === id && isOther && round === own.round,
        );
        return other === undefined ? [] : [own.microsPerRequest / other.microsPerRequest];
      });
    return `| ${id}: ${title} | ${toText(ratios)} |`;
  });
  return [`| CPU time of a request | × ${root} |`, '|---|---:|', ...rows].join('\n');
}

/** What a second process on the same Redis gives; null where it was not measured. */
export function toScalingText(scaling: readonly ScalingSample[]): string | null {
  if (scaling.length === 0) return null;
  const byCpu = scaling.map(({ alone, together: [one, two] }) => {
    const micros = (one.microsPerRequest + two.microsPerRequest) / 2;
    return (2 * alone.microsPerRequest) / micros;
  });
  const byRate = scaling.map(
    ({ alone, together: [one, two] }) =>
      (one.requestsPerSecond + two.requestsPerSecond) / alone.requestsPerSecond,
  );
  const isWide = availableParallelism() >= CORES_MIN;
  const judged = toSpread(isWide ? byRate : byCpu).median;
  const mark = judged >= SCALING_AIM ? '✓' : '✗';
  const note = isWide
    ? 'requests/s'
    : 'CPU time: the machine has too few cores for the load of two processes';
  return [
    `Two processes on one Redis do × ${toText(byCpu)} of one by CPU time, × ${toText(byRate)} by requests/s;`,
    `aim ≥ ${SCALING_AIM} ${mark} by ${note}.`,
  ].join(' ');
}

function toText(values: readonly number[]): string {
  const { median, min, max } = toSpread(values);
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}
