import { createMetrics, type Metrics } from '../platform/metrics.ts';

/** When a key was last taken. */
interface KeyUsage {
  readonly caller: string;
  /** Some digits of its hash. */
  readonly key: string;
  /** Unix milliseconds; 0 for never. */
  readonly lastMs: number;
}

/** The metrics that name callers, separate from the public ones. `uses` is read at each scrape. */
export function measureCallers(uses: () => readonly KeyUsage[]): Metrics {
  const metrics = createMetrics();
  metrics.sampled(
    'gauge',
    'riskgate_key_last_used_timestamp_seconds',
    'When this process last took an API key, by the first digits of its hash; 0 when not since it began.',
    () => uses().map(({ caller, key, lastMs }) => ({ labels: { caller, key }, value: lastMs / 1000 })),
  );
  return metrics;
}
