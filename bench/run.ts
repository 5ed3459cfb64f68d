/** `npm run bench`: the cost of a decision, compared with servers that do nothing. See bench/README.md. */
import { writeFileSync } from 'node:fs';
import { toAgainstTable, toScalingText } from './comparison-report.ts';
import { startFleet, startOthers } from './fleet.ts';
import { measureHistory } from './history/run.ts';
import { toLogTable } from './log-report.ts';
import { readMachine, toMachineLines } from './machine-report.ts';
import { Meter } from './measure.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { BenchProcesses } from './processes.ts';
import { summarise, toMarkdown } from './report.ts';
import { measureRounds } from './rounds.ts';

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
  const before = readMachine();
  if (options.history !== null) {
    const table = await measureHistory(options.history, options.historyDirectory);
    console.log([table, toMachineLines(before, readMachine(), []).join('\n')].join('\n\n'));
    return;
  }
  const fleet = await startFleet(processes, options);
  const others =
    options.against === null ? [] : await startOthers(processes, fleet, options.against, options);
  const createMeter = async () => {
    const generator = await processes.start({ script: 'bench/load/generator.ts', announces: true });
    return new Meter(fleet, generator, options);
  };
  const measured = { fleet, others, meter: await createMeter(), secondMeter: await createMeter() };
  const figures = await measureRounds(measured, options.rounds, (round) => {
    if (process.stderr.isTTY) process.stderr.write(`round ${round} of ${options.rounds}\n`);
  });
  const { variants } = fleet;
  const { samples, latencies, overheads, scaling } = figures;
  const ours = samples.filter(({ isOther }) => !isOther);
  const parts = [
    toMarkdown(variants, samples, overheads, options),
    toLogTable(ours, latencies),
    toScalingText(scaling),
    toAgainstTable(others, samples, options.against ?? ''),
    toMachineLines(before, readMachine(), samples).join('\n'),
  ];
  console.log(parts.filter((part) => part !== null).join('\n\n'));
  if (options.json === null) return;
  const summaries = variants.map(({ id }) => summarise(samples, id));
  writeFileSync(options.json, `${JSON.stringify({ options, summaries, ...figures }, null, 2)}\n`);
}
