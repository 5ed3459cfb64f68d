import t from 'tap';
import {
  countDecisions,
  planWindow,
  WINDOW_MS_MAX,
} from '../../../src/application/decision-log/count-decisions.ts';
import type { CountsOptions } from '../../../src/application/decision-log/decision-log.ts';
import type { Counts } from '../../../src/domain/decision-log/record-counts.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-01-15T09:31:20.000Z');

t.test('plans windows of whole steps that end with the present one', async (t) => {
  const planned = planWindow(HOUR_MS, null, NOW_MS);
  t.same(planned, {
    ok: true,
    value: {
      sinceMs: Date.parse('2026-01-15T08:32:00.000Z'),
      untilMs: Date.parse('2026-01-15T09:32:00.000Z'),
      stepMs: MINUTE_MS,
      period: 'minute',
    },
  });
  const steps: readonly (readonly [windowMs: number, stepMs: number, period: string])[] = [
    [MINUTE_MS, MINUTE_MS, 'minute'],
    [61 * MINUTE_MS, MINUTE_MS, 'minute'],
    [2 * HOUR_MS, 5 * MINUTE_MS, 'minute'],
    [24 * HOUR_MS, 15 * MINUTE_MS, 'minute'],
    [25 * HOUR_MS, HOUR_MS, 'hour'],
    [169 * HOUR_MS, HOUR_MS, 'hour'],
    [WINDOW_MS_MAX, 6 * HOUR_MS, 'hour'],
  ];
  for (const [windowMs, stepMs, period] of steps)
    t.match(planWindow(windowMs, null, NOW_MS), { ok: true, value: { stepMs, period } });
});

t.test('counts the step that begins at this moment as the present one', async (t) => {
  const startMs = Date.parse('2026-01-15T09:31:00.000Z');
  t.match(planWindow(HOUR_MS, null, startMs), { value: { untilMs: startMs + MINUTE_MS } });
  t.match(planWindow(HOUR_MS, null, startMs - 1), { value: { untilMs: startMs } });
});

t.test('names the field that asks too much', async (t) => {
  const refused: readonly (readonly [windowMs: number, stepMs: number | null, field: string])[] = [
    [WINDOW_MS_MAX + MINUTE_MS, null, 'window'],
    [1501 * MINUTE_MS, null, 'window'],
    [48 * HOUR_MS, 15 * MINUTE_MS, 'step'],
    [HOUR_MS, 7 * MINUTE_MS, 'step'],
  ];
  for (const [windowMs, stepMs, field] of refused)
    t.match(planWindow(windowMs, stepMs, NOW_MS), { ok: false, mistakes: [{ field }] });
});

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
  return { counts, asked };
}

const WINDOW = { sinceMs: 0, untilMs: 4 * MINUTE_MS, stepMs: 2 * MINUTE_MS, period: 'minute' } as const;

t.test('merges periods to steps, and steps to a whole', async (t) => {
  const reader = readerOf(
    { 'verdict:ALLOW': 1, 'degraded:false': 1, 'latency:decision/50': 1 },
    { 'verdict:ALLOW': 2, 'degraded:true': 2, 'latency:decision/50': 2, 'latency:stytch/80': 1 },
    { 'verdict:BLOCK': 4, 'degraded:false': 4, 'latency:decision/90': 4, 'latency:mobilerun/80': 1 },
    {},
    { 'verdict:BLOCK': 100 },
  );
  const stats = await countDecisions(reader, WINDOW, 'verdict');
  t.same(reader.asked, [{ sinceMs: 0, untilMs: 4 * MINUTE_MS, period: 'minute' }]);
  t.match(stats.steps, [
    { startMs: 0, total: 3, counts: { ALLOW: 3 } },
    { startMs: 2 * MINUTE_MS, total: 4, counts: { BLOCK: 4 } },
  ]);
  t.match(
    stats.totals,
    { startMs: 0, total: 7, counts: { ALLOW: 3, BLOCK: 4 } },
    'what lies beyond the window is not counted',
  );
  t.equal(stats.degraded, 2);
  t.equal(stats.steps[0]?.latencyMs.p50, stats.steps[0]?.latencyMs.p99);
  t.ok((stats.totals.latencyMs.p99 ?? 0) > (stats.steps[0]?.latencyMs.p99 ?? 0));
  t.same(Object.keys(stats.providerLatencyMs), ['mobilerun', 'stytch']);
});

t.test('is empty where nothing was decided', async (t) => {
  const stats = await countDecisions(readerOf(), WINDOW, 'reason');
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
  });
});

t.test('says of each rule how often it spoke, and how precise it was', async (t) => {
  const stats = await countDecisions(
    readerOf({
      'verdict:BLOCK': 9,
      'rule:z/true': 9,
      'rule:a/true': 3,
      'rule:a/unknown': 2,
      'rule:c/unknown': 1,
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
  t.same(Object.entries(stats.rules), [
    [
      'a',
      {
        fired: 3,
        unknown: 2,
        labels: { fraud: 1, challenge_failed: 1, challenge_passed: 1, legit: 1, abandoned: 5 },
        precision: 0.5,
      },
    ],
    ['c', { fired: 0, unknown: 1, labels: {}, precision: null }],
    ['z', { fired: 9, unknown: 0, labels: { abandoned: 2 }, precision: null }],
  ]);
  t.same(stats.totals.counts, { a: 3, z: 9 });
});
