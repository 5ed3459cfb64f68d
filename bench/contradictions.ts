/**
 * What contradictions cost a warm decision: the default policy with and without the rules that read them, in
 * turns of milliseconds, in several processes.
 *
 *   node bench/contradictions.ts [--processes 6] [--subjects 3000]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../test/support/start-program.ts';
import { writeContradictionFreePolicy } from './policies.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: { processes: { type: 'string', default: '6' }, subjects: { type: 'string' } },
});
const directory = mkdtempSync(join(tmpdir(), 'riskgate-contradictions-'));
try {
  const pairs = Array.from({ length: Number(values.processes) }, (_, place) => measure(place % 2 === 1));
  const ratios = pairs.map(({ ratio }) => ratio);
  const costs = pairs.map(({ ratio, micros }) => micros - micros / ratio);
  console.log(`× without: ${describe(ratios, 3)}`);
  console.log(`µs more: ${describe(costs, 2)}, of ${median(pairs.map(({ micros }) => micros)).toFixed(1)}`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function measure(isOtherFirst: boolean): { ratio: number; micros: number } {
  const policies = [
    `--policy=${join(ROOT, 'policies/default.yaml')}`,
    `--other-policy=${writeContradictionFreePolicy(directory)}`,
  ];
  const order = isOtherFirst ? ['--other-first'] : [];
  const subjects = values.subjects === undefined ? [] : [`--subjects=${values.subjects}`];
  const pair = join(import.meta.dirname, 'guard/pair.ts');
  const output = execFileSync(process.execPath, [pair, ...policies, ...order, ...subjects], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as { ratio: number; micros: number };
}

function describe(figures: readonly number[], digits: number): string {
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  return `${median(figures).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}
