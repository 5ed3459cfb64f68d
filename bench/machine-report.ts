import { availableParallelism, cpus, loadavg } from 'node:os';
import type { CpuSample } from './measure.ts';

/** Above this share of a core the load generator limits what is measured. */
const GENERATOR_SHARE_MAX = 0.8;

/** What the machine was doing at one moment. */
export interface MachineState {
  /** Processes that ran or wanted to, on average over the last minute. */
  readonly load: number;
}

/** Reads the state now. */
export function readMachine(): MachineState {
  return { load: loadavg()[0] ?? 0 };
}

/** Lines about the machine and the load generator, with warnings where figures are not to be trusted. */
export function toMachineLines(
  before: MachineState,
  after: MachineState,
  samples: readonly CpuSample[],
): readonly string[] {
  const cores = availableParallelism();
  const busiest = samples.reduce<CpuSample | null>(
    (most, sample) => (most === null || sample.generatorShare > most.generatorShare ? sample : most),
    null,
  );
  const share = busiest?.generatorShare ?? 0;
  const lines = [
    `Node ${process.versions.node}, ${cores} cores of ${cpus()[0]?.model ?? 'an unknown processor'}; load average ${before.load.toFixed(1)} before, ${after.load.toFixed(1)} after.`,
    `The load generator took at most ${Math.round(share * 100)} % of a core (${busiest?.variant ?? 'nothing'}).`,
  ];
  if (before.load > cores / 2)
    lines.push('WARNING: the machine was busy before the start: trust ratios alone.');
  const limited = new Set(
    samples.filter((sample) => sample.generatorShare > GENERATOR_SHARE_MAX).map(({ variant }) => variant),
  );
  if (limited.size > 0)
    lines.push(
      `WARNING: above ${GENERATOR_SHARE_MAX * 100} % of a core the load generator limits requests/s, though not CPU time: ${[...limited].join(', ')}.`,
    );
  return lines;
}
