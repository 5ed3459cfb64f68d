import type { Fleet } from './fleet.ts';
import {
  type CpuSample,
  type LatencySample,
  type Meter,
  OVERHEAD_CONNECTIONS,
  type OverheadSamples,
} from './measure.ts';
import type { RunningVariant } from './variants.ts';

/** One process alone, and the same beside another, in one round. */
export interface ScalingSample {
  readonly alone: CpuSample;
  readonly together: readonly [CpuSample, CpuSample];
}

/** Every figure of all rounds. */
export interface Figures {
  readonly samples: CpuSample[];
  readonly latencies: LatencySample[];
  /** One for each count of connections and each round. */
  readonly overheads: OverheadSamples[];
  readonly scaling: ScalingSample[];
}

interface Measured {
  readonly fleet: Fleet;
  /** The services of another checkout; none where nothing is compared. */
  readonly others: readonly RunningVariant[];
  readonly meter: Meter;
  /** With a load generator of its own, for two processes at once. */
  readonly secondMeter: Meter;
}

/** Measures everything once a round, and tells when a round is over. */
export async function measureRounds(
  measured: Measured,
  rounds: number,
  onRound: (round: number) => void,
): Promise<Figures> {
  const { fleet, others, meter } = measured;
  for (const variant of [...fleet.variants, ...others]) await meter.warmUp(variant);
  const figures: Figures = { samples: [], latencies: [], overheads: [], scaling: [] };
  for (let round = 1; round <= rounds; round += 1) {
    await measureRound(measured, round, figures);
    onRound(round);
  }
  return figures;
}

async function measureRound(measured: Measured, round: number, figures: Figures): Promise<void> {
  const { fleet, others, meter } = measured;
  const { variants } = fleet;
  // Each round begins with another variant, so that none always follows the same one.
  const first = round % variants.length;
  for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
    const other = others.find(({ id }) => id === variant.id);
    const pair = other === undefined ? [variant] : [variant, other];
    for (const one of round % 2 === 0 ? pair : pair.toReversed())
      figures.samples.push(await meter.measureCpu(one, round));
  }
  const timed = variants.filter(({ id }) => id === 'unlogged' || id === 'log-strict');
  if (timed.length === 2)
    for (const variant of round % 2 === 0 ? timed : timed.toReversed())
      figures.latencies.push(await meter.measureMedian(variant, round));
  const cold = variants.find(({ id }) => id === 'cold');
  if (cold !== undefined)
    for (const connections of OVERHEAD_CONNECTIONS)
      figures.overheads.push(await meter.measureOverhead(cold, connections));
  const replica = variants.find(({ twin }) => twin !== undefined);
  if (replica !== undefined) figures.scaling.push(await measureScaling(measured, replica, round));
}

async function measureScaling(
  { meter, secondMeter }: Measured,
  replica: RunningVariant,
  round: number,
): Promise<ScalingSample> {
  const alone = await meter.measureCpu(replica, round);
  const together = await Promise.all([
    meter.measureCpu(replica, round),
    secondMeter.measureCpu({ ...replica, ...replica.twin }, round),
  ]);
  return { alone, together };
}
