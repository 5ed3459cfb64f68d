import { type CpuSample, LATENCY_CONNECTIONS, type LatencySample } from './measure.ts';
import type { VariantId } from './options.ts';
import { toSpread } from './statistics.ts';

/**
 * Limits: lossy logging as a share of the CPU time of a decision without a log, and strict logging in
 * milliseconds of the median.
 */
const LOSSY_AIM = 1.1;
const STRICT_AIM_MS = 3;
const LOSSY: readonly VariantId[] = [
  'warm',
  'log-stdout',
  'log-file',
  'log-redis',
  'log-sqlite',
  'log-postgres',
  'log-kafka',
];
const TITLES: Partial<Record<VariantId, string>> = {
  warm: 'memory',
  'log-stdout': 'standard output',
  'log-file': 'file',
  'log-redis': 'Redis',
  'log-sqlite': 'SQLite',
  'log-postgres': 'PostgreSQL',
  'log-kafka': 'Kafka',
};

/**
 * What the decision log costs, each sample set against the same without a log in the same round; null when
 * that did not run.
 */
export function toLogTable(
  samples: readonly CpuSample[],
  latencies: readonly LatencySample[],
): string | null {
  const rows = LOSSY.flatMap((id) => {
    const ratios = pair(
      samples,
      id,
      ({ microsPerRequest }) => microsPerRequest,
      (own, bare) => own / bare,
    );
    const onLoop = pair(
      samples,
      id,
      ({ loopMicrosPerRequest }) => loopMicrosPerRequest ?? Number.NaN,
      (own, bare) => own / bare,
    );
    return ratios.length === 0
      ? []
      : [
          toRow(`${TITLES[id]}, lossy: CPU time, × no log`, ratios, LOSSY_AIM, 3),
          toRow(`${TITLES[id]}, lossy: that of the event loop alone`, onLoop, LOSSY_AIM, 3),
        ];
  });
  const added = pair(
    latencies,
    'log-strict',
    ({ medianMs }) => medianMs,
    (own, bare) => own - bare,
  );
  if (added.length > 0)
    rows.push(
      toRow(`file, strict: ms added to p50 at ${LATENCY_CONNECTIONS} connections`, added, STRICT_AIM_MS, 2),
    );
  if (rows.length === 0) return null;
  return ['| decision log | median of the rounds | aim |', '|---|---:|---:|', ...rows].join('\n');
}

function pair<Sample extends { readonly variant: VariantId; readonly round: number }>(
  samples: readonly Sample[],
  id: VariantId,
  measure: (sample: Sample) => number,
  compare: (own: number, bare: number) => number,
): number[] {
  return samples
    .filter(({ variant }) => variant === id)
    .flatMap((own) => {
      const yardstick = id === 'log-redis' ? 'unlogged-redis' : 'unlogged';
      const bare = samples.find(({ variant, round }) => variant === yardstick && round === own.round);
      return bare === undefined ? [] : [compare(measure(own), measure(bare))];
    });
}

function toRow(title: string, values: readonly number[], aim: number, digits: number): string {
  const { median, min, max } = toSpread(values);
  const spread = `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
  return `| ${title} | ${spread} | ≤ ${aim} ${median <= aim ? '✓' : '✗'} |`;
}
