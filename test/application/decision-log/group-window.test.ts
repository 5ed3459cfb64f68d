import t from 'tap';
import type { DecisionLogReader } from '../../../src/application/decision-log/decision-log.ts';
import { groupWindow } from '../../../src/application/decision-log/group-window.ts';

const WINDOW = { sinceMs: 100, untilMs: 140, stepMs: 10, period: 'minute' } as const;
const formatTime = (unixMs: number) => `at ${unixMs}`;

t.test('has every step of the window, and adds them up', async (t) => {
  const asked: unknown[] = [];
  const group: DecisionLogReader['group'] = async (question) => {
    asked.push(question);
    return {
      steps: [
        {
          startMs: 110,
          total: 3,
          degraded: 1,
          counts: new Map([['ALLOW', 3]]),
          latencies: new Map([[50, 3]]),
        },
        {
          startMs: 130,
          total: 2,
          degraded: 2,
          counts: new Map([
            ['ALLOW', 1],
            ['BLOCK', 1],
          ]),
          latencies: new Map([[90, 2]]),
        },
      ],
      pairs: [{ values: ['ALLOW', 'DE'], count: 4 }],
      pairsOmitted: 6,
      valuesOmitted: 7,
      coveredFromMs: 105,
    };
  };
  const options = { reader: { group }, formatTime };
  const stats = await groupWindow(options, WINDOW, { caller: 'shop' }, ['decision', 'country']);
  t.same(asked, [
    {
      filter: { caller: 'shop', since: 'at 100', until: 'at 140' },
      sinceMs: 100,
      stepMs: 10,
      by: ['decision', 'country'],
    },
  ]);
  t.same(
    stats.steps.map(({ startMs, total, counts }) => [startMs, total, counts]),
    [
      [100, 0, {}],
      [110, 3, { ALLOW: 3 }],
      [120, 0, {}],
      [130, 2, { ALLOW: 1, BLOCK: 1 }],
    ],
  );
  t.match(stats, {
    totals: { startMs: 100, total: 5, counts: { ALLOW: 4, BLOCK: 1 } },
    degraded: 3,
    providerLatencyMs: {},
    rules: null,
    pairs: [{ values: ['ALLOW', 'DE'], count: 4 }],
    pairsOmitted: 6,
    valuesOmitted: 7,
    coveredFromMs: 105,
  });
  t.same(stats.steps[0]?.latencyMs, { p50: null, p95: null, p99: null });
  t.ok(Number(stats.totals.latencyMs.p50) < Number(stats.totals.latencyMs.p95));
});
