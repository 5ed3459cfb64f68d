import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics, Sample } from './metrics.ts';

/**
 * How often the delay is sampled. A decision takes about 0.1 ms, so that 20 ms see every stall worth knowing
 * of, for 50 timer ticks a second.
 */
const RESOLUTION_MS = 20;
/** The label `quantile` belongs to summaries, so it is `stat` here. */
const PERCENTILES = [50, 90, 99] as const;
const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;

/**
 * The process's own metrics, under the names that ready-made boards know. All are read at the scrape and cost
 * nothing between: those of the library's defaults that watch every garbage collection or list handles and
 * requests are left out. Returns a function that ends the measuring of the event loop.
 */
export function addProcessMetrics(metrics: Metrics, prefix: string): () => void {
  const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
  metrics.sampled('counter', 'process_cpu_seconds_total', 'User and system CPU time of the process.', () => {
    const { user, system } = process.cpuUsage();
    return one((user + system) / MICROSECONDS);
  });
  const startedAtSeconds = Math.round(Date.now() / 1000 - process.uptime());
  metrics.sampled('gauge', 'process_start_time_seconds', 'Unix time at which the process started.', () =>
    one(startedAtSeconds),
  );
  metrics.sampled('gauge', 'process_resident_memory_bytes', 'Resident memory.', () =>
    one(process.memoryUsage.rss()),
  );
  metrics.sampled('gauge', 'nodejs_heap_size_used_bytes', 'Heap of JavaScript in use.', () =>
    one(process.memoryUsage().heapUsed),
  );
  return addEventLoopDelay(metrics, `${prefix}_event_loop_delay_seconds`);
}

function addEventLoopDelay(metrics: Metrics, name: string): () => void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  // The histogram counts whole intervals between two ticks; what exceeds the resolution is the delay.
  const toSeconds = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1000);
  metrics.sampled('gauge', name, 'How late timers fired since the last scrape.', () => {
    // Without a tick since the last scrape the percentiles are not numbers.
    const percentile = (percent: number) => (delays.count === 0 ? 0 : toSeconds(delays.percentile(percent)));
    const samples = PERCENTILES.map((percent) => ({
      labels: { stat: `p${percent}` },
      value: percentile(percent),
    }));
    samples.push({ labels: { stat: 'max' }, value: percentile(100) });
    delays.reset();
    return samples;
  });
  return () => void delays.disable();
}
