/** `npm run durability`: kills services that log strictly, 200 times by default, and looks for every answered decision in the log. */
import { parseArgs } from 'node:util';
import { type LaneSink, runLane } from './lanes.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' } } });
const kills = Number(values.kills);
const teardowns: (() => unknown)[] = [];
const t = { teardown: (handler: () => unknown) => teardowns.push(handler) };
/** Each lane has a service and a log of its own. */
const LANES: readonly { sink: LaneSink; share: number }[] = [
  { sink: 'file', share: 0.35 },
  { sink: 'file', share: 0.35 },
  { sink: 'redis', share: 0.3 },
];

try {
  const reports = await Promise.all(
    LANES.map(async ({ sink, share }) => ({
      sink,
      ...(await runLane(t, sink, Math.ceil(kills * share), Math.random)),
    })),
  );
  for (const { sink, kills: killed, killsUnderLoad, received, missing } of reports) {
    console.log(
      `${sink}: ${killed} kills, ${killsUnderLoad} with answers under way; ${received} decisions answered, ${missing.length} of them missing in the log`,
    );
    for (const id of missing) console.log(`missing: ${id}`);
    // A loop in which nothing was answered, or nothing was under way, has proved nothing.
    if (missing.length > 0 || received < killed || killsUnderLoad < killed / 2) process.exitCode = 1;
  }
} finally {
  for (const teardown of teardowns.reverse()) await teardown();
}
