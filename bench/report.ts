import type { CpuSample, OverheadSamples } from './measure.ts';
import type { BenchOptions, VariantId } from './options.ts';
import { median, quantile, type Spread, toSpread } from './statistics.ts';
import { COLD_DELAY_MS, type RunningVariant } from './variants.ts';

/** Aims of the cold path, in milliseconds beyond the slowest emulator. */
const OVERHEAD_AIMS = { p50: 1.5, p99: 5 };

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
  samples: readonly CpuSample[],
  variant: VariantId,
  yardstickId: VariantId = 'fastify',
): CpuSummary {
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
  overhead: OverheadSamples | null,
  { rounds, seconds, connections }: BenchOptions,
): string {
  const lines = [
    `Node ${process.versions.node}, ${rounds} interleaved rounds of ${seconds} s, ${connections} connections. CPU time of the server's process; ratio to bare Fastify in the same round; medians, and the extremes in brackets.`,
    '',
    '| variant | CPU µs per request | × bare Fastify | aim | requests/s |',
    '|---|---:|---:|---:|---:|',
    ...variants.map((variant) => toRow(variant, summarise(samples, variant.id))),
  ];
  for (const variant of variants) lines.push(...toComparison(variant, samples));
  if (overhead !== null) lines.push('', ...toOverheadTable(overhead));
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

function toOverheadTable({ decideMs, directMs }: OverheadSamples): string[] {
  const p50 = quantile(decideMs, 0.5);
  const p99 = quantile(decideMs, 0.99);
  const direct = [quantile(directMs, 0.5), quantile(directMs, 0.99)].map((ms) => ms.toFixed(2));
  return [
    `| milliseconds beyond the slowest emulator (${COLD_DELAY_MS} ms each) | p50 | p99 | requests |`,
    '|---|---:|---:|---:|',
    `| decide, cold | ${p50.toFixed(2)} | ${p99.toFixed(2)} | ${decideMs.length} |`,
    `| aim | ≤ ${OVERHEAD_AIMS.p50} ${toMark(p50 <= OVERHEAD_AIMS.p50)} | ≤ ${OVERHEAD_AIMS.p99} ${toMark(p99 <= OVERHEAD_AIMS.p99)} | |`,
    `| one call to an emulator, riskgate left out | ${direct.join(' | ')} | ${directMs.length} |`,
  ];
}

function toText({ median: middle, min, max }: Spread, digits: number): string {
  return `${middle.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function toMark(isMet: boolean): string {
  return isMet ? '✓' : '✗';
}
