import t from 'tap';
import { runKillTrial } from '../durability/trials.ts';

/** `npm run durability` kills 200 times. */
const KILLS = 3;

for (const sink of ['file', 'postgres', 'redis'] as const) {
  t.test(`holds every decision that was answered before a SIGKILL, in the ${sink}`, async (t) => {
    const report = await runKillTrial(t, sink, KILLS, Math.random);
    t.same(report.missing, []);
    t.ok(report.received >= KILLS, `${report.received} decisions were answered`);
    t.ok(report.killsUnderLoad > 0, 'answers were under way');
  });
}
