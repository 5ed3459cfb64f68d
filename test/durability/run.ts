/**
 * `npm run durability`: kills services that log strictly, 200 times by default, and takes their files away in
 * every way that people rotate, 40 times by default each. Looks for every answered decision in the log. The
 * last line is `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { ensurePrograms, KAFKA, POSTGRES, ROTATING, thisMachine } from '../support/install-programs.ts';
import { ROTATIONS, type Rotation } from './rotation.ts';
import { runKillTrial, runRotationTrial, type StrictSink } from './trials.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, rotations: { type: 'string', default: '40' } },
});
const kills = Number(values.kills);
const rotations = Number(values.rotations);
const teardowns: (() => unknown)[] = [];
const t = { teardown: (handler: () => unknown) => teardowns.push(handler) };
/** Each trial has a service and a log of its own. */
const KILL_TRIALS: readonly { sink: StrictSink; share: number }[] = [
  { sink: 'file', share: 0.2 },
  { sink: 'sqlite', share: 0.25 },
  { sink: 'postgres', share: 0.2 },
  { sink: 'redis', share: 0.15 },
  { sink: 'kafka', share: 0.2 },
];

let failed = 0;
let passed = 0;

const lack = ensurePrograms(thisMachine, [POSTGRES, ROTATING, ...KAFKA]);
if (lack !== null) throw new Error(lack);

try {
  const reports = await Promise.all(
    KILL_TRIALS.map(async ({ sink, share }) => ({
      sink,
      ...(await runKillTrial(t, sink, Math.ceil(kills * share), Math.random)),
    })),
  );
  for (const { sink, kills: killed, killsUnderLoad, received, missing } of reports) {
    console.log(
      `${sink}: ${killed} kills, ${killsUnderLoad} with answers under way; ${received} decisions answered, ${missing.length} of them missing in the log`,
    );
    for (const id of missing) console.log(`missing: ${id}`);
    // A loop in which nothing was answered, or nothing was under way, has proved nothing.
    count(missing.length > 0 || received < killed || killsUnderLoad < killed / 2);
  }
  await Promise.all([...ROTATIONS.map(rotate), truncate()]);
} finally {
  for (const teardown of teardowns.reverse()) await teardown();
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;

/** Each trial is one test. */
function count(hasFailed: boolean): void {
  if (hasFailed) failed += 1;
  else passed += 1;
}

async function rotate(rotation: Rotation): Promise<void> {
  const { received, missing, twice } = await runRotationTrial(t, rotation, rotations, Math.random);
  console.log(
    `rotation ${rotation}: ${rotations} rotations; ${received} decisions answered, ${missing.length} of them missing in the files, ${twice} written twice`,
  );
  for (const id of missing) console.log(`missing: ${id}`);
  count(missing.length > 0 || received < rotations);
}

/** It may lose records, and is to say so. */
async function truncate(): Promise<void> {
  const report = await runRotationTrial(t, 'copytruncate', rotations, Math.random);
  const { received, missing, isTruncationTold } = report;
  const told = isTruncationTold ? 'told' : 'not told';
  console.log(`copytruncate, which is unsafe: ${missing.length} of ${received} missing, ${told} in the log`);
  count(!isTruncationTold);
}
