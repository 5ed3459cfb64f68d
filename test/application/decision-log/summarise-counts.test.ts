import t from 'tap';
import { createCountSteps } from '../../../src/application/decision-log/count-steps.ts';
import type { CountsOptions } from '../../../src/application/decision-log/decision-log.ts';
import type { StatsWindow } from '../../../src/application/decision-log/plan-window.ts';
import type { RunPiece } from '../../../src/application/decision-log/run-piece.ts';
import { summariseCounts } from '../../../src/application/decision-log/summarise-counts.ts';
import type { Counts, StatsGroup } from '../../../src/domain/decision-log/record-counts.ts';

const MINUTE_MS = 60_000;

/** A reader whose periods are these counts, a minute each from `sinceMs`. */
function readerOf(...periods: readonly Record<string, number>[]) {
  const asked: CountsOptions[] = [];
  const counts = async (options: CountsOptions) => {
    asked.push(options);
    return periods.map((entries, place) => ({
      startMs: options.sinceMs + place * MINUTE_MS,
      counts: new Map(Object.entries(entries)) as Counts,
    }));
  };
  return { counts, asked, stepsTogether: 0, countVersions: async () => ['1'], version: async () => '1' };
}

function count(
  reader: Parameters<typeof createCountSteps>[0]['reader'],
  window: StatsWindow,
  group: StatsGroup,
) {
  const run: RunPiece = async (piece) => piece();
  return createCountSteps({ reader, run })(window).then((counted) => summariseCounts(counted, window, group));
}

const WINDOW = { sinceMs: 0, untilMs: 4 * MINUTE_MS, stepMs: 2 * MINUTE_MS, period: 'minute' } as const;

t.test('merges periods to steps, and steps to a whole', async (t) => {
  const reader = readerOf(
    { 'decision:ALLOW': 1, 'degraded:false': 1, 'latency:decision/50': 1 },
    { 'decision:ALLOW': 2, 'degraded:true': 2, 'latency:decision/50': 2, 'latency:stytch/80': 1 },
    { 'decision:BLOCK': 4, 'degraded:false': 4, 'latency:decision/90': 4, 'latency:mobilerun/80': 1 },
    {},
  );
  const stats = await count(reader, WINDOW, 'decision');
  t.same(reader.asked, [{ sinceMs: 0, untilMs: 4 * MINUTE_MS, period: 'minute' }]);
  t.match(stats.steps, [
    { startMs: 0, total: 3, counts: { ALLOW: 3 } },
    { startMs: 2 * MINUTE_MS, total: 4, counts: { BLOCK: 4 } },
  ]);
  t.match(stats.totals, { startMs: 0, total: 7, counts: { ALLOW: 3, BLOCK: 4 } }, 'the whole window');
  t.equal(stats.degraded, 2);
  t.equal(stats.steps[0]?.latencyMs.p50, stats.steps[0]?.latencyMs.p99);
  t.ok((stats.totals.latencyMs.p99 ?? 0) > (stats.steps[0]?.latencyMs.p99 ?? 0));
  t.same(Object.keys(stats.providerLatencyMs), ['mobilerun', 'stytch']);
});

t.test('is empty where nothing was decided', async (t) => {
  const stats = await count(readerOf(), WINDOW, 'reason');
  const latencyMs = { p50: null, p95: null, p99: null };
  t.same(stats, {
    steps: [
      { startMs: 0, total: 0, counts: {}, latencyMs },
      { startMs: 2 * MINUTE_MS, total: 0, counts: {}, latencyMs },
    ],
    totals: { startMs: 0, total: 0, counts: {}, latencyMs },
    degraded: 0,
    providerLatencyMs: {},
    rules: {},
    pairs: [],
    pairsOmitted: 0,
    valuesOmitted: 0,
    coveredFromMs: null,
  });
});

t.test('says of each rule how often it spoke, and how precise it was', async (t) => {
  const stats = await count(
    readerOf({
      'decision:BLOCK': 9,
      'rule:z': 9,
      'rule:a': 3,
      'rule:a:unknown': 2,
      'rule:c:unknown': 1,
      'rule:c:waived': 4,
      'rule_label:a/fraud': 1,
      'rule_label:a/challenge_failed': 1,
      'rule_label:a/challenge_passed': 1,
      'rule_label:a/legit': 1,
      'rule_label:a/abandoned': 5,
      'rule_label:z/abandoned': 2,
      'rule_label:z/fraud': 0,
    }),
    WINDOW,
    'rule',
  );
  t.same(Object.entries(stats.rules ?? {}), [
    [
      'a',
      {
        fired: 3,
        unknown: 2,
        waived: 0,
        satisfied: 0,
        labels: { fraud: 1, challenge_failed: 1, challenge_passed: 1, legit: 1, abandoned: 5 },
        precision: 0.5,
      },
    ],
    ['c', { fired: 0, unknown: 1, waived: 4, satisfied: 0, labels: {}, precision: null }],
    ['z', { fired: 9, unknown: 0, waived: 0, satisfied: 0, labels: { abandoned: 2 }, precision: null }],
  ]);
  t.same(stats.totals.counts, { a: 3, 'a:unknown': 2, 'c:unknown': 1, 'c:waived': 4, z: 9 });
});
