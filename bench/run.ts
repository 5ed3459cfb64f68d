/** `npm run bench`: the cost of a decision, compared with servers that do nothing. See bench/README.md. */
import { writeFileSync } from 'node:fs';
import { startFleet } from './fleet.ts';
import { toLogTable } from './log-report.ts';
import { type CpuSample, type LatencySample, Meter, type OverheadSamples } from './measure.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { BenchProcesses } from './processes.ts';
import { summarise, toMarkdown } from './report.ts';

const processes = new BenchProcesses();
for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
  process.once(signal, () => void leave(code));
}

try {
  await run(readOptions(process.argv.slice(2)));
  await leave(0);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  await leave(1);
}

async function leave(code: number): Promise<void> {
  // Everything under way fails now, as expected.
  process.exitCode ??= code;
  await processes.end();
  process.exit();
}

async function run(options: BenchOptions): Promise<void> {
  const fleet = await startFleet(processes, options.only);
  const generator = await processes.start({ script: 'bench/load/generator.ts', announces: true });
  const meter = new Meter(fleet, generator, options);
  const { variants } = fleet;
  const cold = variants.find(({ id }) => id === 'cold');
  for (const variant of variants) await meter.warmUp(variant);
  const samples: CpuSample[] = [];
  const latencies: LatencySample[] = [];
  const timed = variants.filter(({ id }) => id === 'unlogged' || id === 'log-strict');
  const decideMs: number[] = [];
  const directMs: number[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    // Each round begins with another variant, so that none always follows the same one.
    const first = round % variants.length;
    for (const variant of [...variants.slice(first), ...variants.slice(0, first)]) {
      samples.push(await meter.measureCpu(variant, round));
    }
    if (timed.length === 2)
      for (const variant of round % 2 === 0 ? timed : timed.toReversed())
        latencies.push(await meter.measureMedian(variant, round));
    if (cold !== undefined) {
      const overhead = await meter.measureOverhead(cold);
      decideMs.push(...overhead.decideMs);
      directMs.push(...overhead.directMs);
    }
    if (process.stderr.isTTY) process.stderr.write(`round ${round} of ${options.rounds}\n`);
  }
  const overhead: OverheadSamples | null = cold === undefined ? null : { decideMs, directMs };
  console.log(toMarkdown(variants, samples, overhead, options));
  const logTable = toLogTable(samples, latencies);
  if (logTable !== null) console.log(`\n${logTable}`);
  if (options.json === null) return;
  const summaries = variants.map(({ id }) => summarise(samples, id));
  writeFileSync(
    options.json,
    `${JSON.stringify({ options, summaries, samples, latencies, overhead }, null, 2)}\n`,
  );
}
