import { type CpuSample, OVERHEAD_CONNECTIONS, type OverheadSamples } from './measure.ts';
import type { BenchOptions, VariantId } from './options.ts';
import { median, quantile, type Spread, toSpread } from './statistics.ts';
import { COLD_DELAY_MS, type RunningVariant } from './variants.ts';

/** Aims of the cold path, in milliseconds beyond the slowest emulator. */
const OVERHEAD_AIMS = { connections: 4, p50: 1, p99: 5 };

/** A variant over all rounds. */
export interface CpuSummary {
  readonly variant: VariantId;
  readonly micros: Spread;
  /** To bare Fastify, or another variant, in the same round. */
  readonly ratio: Spread;
  readonly requestsPerSecond: number;
}

/** `yardstickId` is the variant that the ratio refers to. */
export function summarise(
  all: readonly CpuSample[],
  variant: VariantId,
  yardstickId: VariantId = 'fastify',
): CpuSummary {
  const samples = all.filter(({ isOther }) => !isOther);
  const own = samples.filter((sample) => sample.variant === variant);
  const ratios = own.map(({ round, microsPerRequest }) => {
    const yardstick = samples.find((sample) => sample.variant === yardstickId && sample.round === round);
    return microsPerRequest / (yardstick?.microsPerRequest ?? Number.NaN);
  });
  return {
    variant,
    micros: toSpread(own.map(({ microsPerRequest }) => microsPerRequest)),
    ratio: toSpread(ratios),
    requestsPerSecond: median(own.map(({ requestsPerSecond }) => requestsPerSecond)),
  };
}

/** The tables in Markdown. */
export function toMarkdown(
  variants: readonly RunningVariant[],
  samples: readonly CpuSample[],
  overheads: readonly OverheadSamples[],
  { rounds, seconds, connections }: BenchOptions,
): string {
  const lines = [
    `${rounds} interleaved rounds of ${seconds} s, ${connections} connections. CPU time of the server's process; ratio to bare Fastify in the same round; medians, and the extremes in brackets.`,
    '',
    '| variant | CPU µs per request | × bare Fastify | aim | requests/s |',
    '|---|---:|---:|---:|---:|',
    ...variants.map((variant) => toRow(variant, summarise(samples, variant.id))),
  ];
  for (const variant of variants) lines.push(...toComparison(variant, samples));
  if (overheads.length > 0) lines.push('', ...toOverheadTable(overheads));
  return lines.join('\n');
}

function toRow({ title, aim }: RunningVariant, { micros, ratio, requestsPerSecond }: CpuSummary): string {
  const aimed = aim === null ? '' : `≤ ${aim} ${toMark(ratio.median <= aim)}`;
  const cells = [title, toText(micros, 1), toText(ratio, 2), aimed, String(Math.round(requestsPerSecond))];
  return `| ${cells.join(' | ')} |`;
}

/**
 * One line for a variant that is compared with a variant other than bare Fastify, where both were measured.
 */
function toComparison({ id, title, against }: RunningVariant, samples: readonly CpuSample[]): string[] {
  if (against === undefined || !samples.some(({ variant }) => variant === against.id)) return [];
  const { ratio } = summarise(samples, id, against.id);
  const mark = toMark(ratio.median <= against.aim);
  return ['', `${title}: × ${toText(ratio, 2)} of \`${against.id}\`; aim ≤ ${against.aim} ${mark}`];
}

function toOverheadTable(overheads: readonly OverheadSamples[]): string[] {
  const rows = OVERHEAD_CONNECTIONS.map((connections) => {
    const own = overheads.filter((samples) => samples.connections === connections);
    const decideMs = own.flatMap((samples) => samples.decideMs);
    const directMs = own.flatMap((samples) => samples.directMs);
    const [p50, p99] = [quantile(decideMs, 0.5), quantile(decideMs, 0.99)];
    const isJudged = connections === OVERHEAD_AIMS.connections;
    const judge = (ms: number, aim: number) => (isJudged ? ` (≤ ${aim} ${toMark(ms <= aim)})` : '');
    const direct = [0.5, 0.99].map((at) => quantile(directMs, at).toFixed(2)).join(' / ');
    return `| ${connections} | ${p50.toFixed(2)}${judge(p50, OVERHEAD_AIMS.p50)} | ${p99.toFixed(2)}${judge(p99, OVERHEAD_AIMS.p99)} | ${direct} | ${decideMs.length} |`;
  });
  return [
    `Decide, cold: milliseconds beyond the slowest emulator (${COLD_DELAY_MS} ms each)`,
    '',
    '| connections | p50 | p99 | one call to an emulator, p50 / p99 | requests |',
    '|---:|---:|---:|---:|---:|',
    ...rows,
  ];
}

function toText({ median: middle, min, max }: Spread, digits: number): string {
  return `${middle.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function toMark(isMet: boolean): string {
  return isMet ? '✓' : '✗';
}
