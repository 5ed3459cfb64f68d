/**
 * `node bench/replay.ts`: judges decisions of generated policies again from their records alone, and ends with 1
 * where one of them comes out otherwise. `--decisions=100000`, `--seed=1`.
 */
import { parseArgs } from 'node:util';
import { replayRecord } from '../src/domain/backtest/replay-record.ts';
import { generateDecisions } from '../test/support/judged-records.ts';

const { values } = parseArgs({
  options: {
    decisions: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});
const wanted = Number(values.decisions);
/** Decisions of one policy, which takes longer to make than they do. */
const EACH = 50;
/** Policies that are made together. */
const POLICIES = 100;

const counts = { same: 0, different: 0, not_recorded: 0 };
const { user, system } = process.cpuUsage();
let micros = 0;
let seed = Number(values.seed);
for (let decisions = 0; decisions < wanted; seed += 1)
  for (const { policy, records } of generateDecisions(POLICIES, EACH, seed * 1_000))
    for (const record of records.slice(0, wanted - decisions)) {
      const before = process.hrtime.bigint();
      const replayed = replayRecord(policy, record);
      micros += Number(process.hrtime.bigint() - before) / 1000;
      counts[replayed.kind] += 1;
      decisions += 1;
      if (replayed.kind === 'different') console.log(JSON.stringify(replayed.difference));
    }
const cpu = process.cpuUsage({ user, system });
console.log(
  JSON.stringify({ ...counts, micros_each: micros / wanted, cpu_seconds: (cpu.user + cpu.system) / 1e6 }),
);
process.exitCode = counts.different === 0 ? 0 : 1;
