import t from 'tap';
import { ApiError, createApiClient } from '../../../src/dashboard/page/api-client.ts';
import { toChartData } from '../../../src/dashboard/page/chart-options.ts';
import { findWindow, windowOf } from '../../../src/dashboard/page/default-window.ts';
import type { Stats } from '../../../src/dashboard/page/wire.ts';

const LATENCY = { p50: null, p95: null, p99: null };

/** Steps of a minute with these counts, the last of which ends at 10:00. */
function statsOf(...counts: readonly Record<string, number>[]): Stats {
  const endMs = Date.parse('2026-01-15T10:00:00.000Z');
  const at = (place: number) => new Date(endMs - (counts.length - place) * 60_000).toISOString();
  const totalOf = (step: Record<string, number>) => Object.values(step).reduce((sum, one) => sum + one, 0);
  const steps = counts.map((step, place) => ({
    at: at(place),
    total: totalOf(step),
    counts: step,
    latency_ms: LATENCY,
  }));
  const totals = {
    total: 0,
    counts: {},
    latency_ms: LATENCY,
    degraded: 0,
    provider_latency_ms: {},
  };
  return { since: at(0), until: at(counts.length), step_seconds: 60, steps, totals, covered_since: null };
}

/** The first of the two points of each step. */
const seriesOf = (data: ReturnType<typeof toChartData>, place: number) =>
  [...(data[place] ?? [])].filter((_, index) => index % 2 === 0);

t.test('time without decisions has no line, nor has a verdict that nothing came to', async (t) => {
  const stats = statsOf({ ALLOW: 3, BLOCK: 1 }, {}, { ALLOW: 2 }, { BLOCK: 4 });
  const counts = toChartData('counts', stats);
  t.strictSame(seriesOf(counts, 1), [4, null, 2, null], 'ALLOW above the others');
  t.strictSame(seriesOf(counts, 2), [null, null, null, null], 'CHALLENGE');
  t.strictSame(seriesOf(counts, 3), [1, null, null, 4], 'BLOCK');
  const rates = toChartData('rates', stats);
  t.strictSame(seriesOf(rates, 2), [25, null, null, 100], 'block rate');
});

t.test('the window before stands step by step beside the one that is shown', async (t) => {
  const previous = statsOf({ ALLOW: 1, BLOCK: 1 }, {}, { CHALLENGE: 3 });
  const stats = { ...statsOf({ ALLOW: 3 }, { ALLOW: 1 }, {}), previous };
  t.strictSame(seriesOf(toChartData('counts', stats), 4), [2, null, 3], 'all of it');
  const rates = toChartData('rates', stats);
  t.strictSame(seriesOf(rates, 3), [null, null, 100], 'challenge rate');
  t.strictSame(seriesOf(rates, 4), [50, null, null], 'block rate');
  t.strictSame(seriesOf(toChartData('counts', statsOf({ ALLOW: 1 })), 4), [null], 'none without');
});

t.test('the window that opens is the time in which there are decisions', async (t) => {
  const empty = Array.from({ length: 60 }, () => ({}));
  const stats = (filledAt: number) => statsOf(...empty.with(filledAt, { ALLOW: 1 }));
  t.equal(windowOf(statsOf(...empty)), null);
  t.equal(windowOf(stats(59)), '15m');
  t.equal(windowOf(stats(45)), '15m');
  t.equal(windowOf(stats(44)), '1h');
  const days = { ...stats(0), until: '2026-01-18T00:00:00.000Z' };
  t.equal(windowOf(days), '7d');
  t.equal(windowOf({ ...days, until: '2026-05-18T00:00:00.000Z' }), '30d');
});

t.test('a service that is busy is asked for its window again, and one that refuses is not', async (t) => {
  const answers: (() => Response)[] = [
    () => Response.json({}, { status: 503, headers: { 'retry-after': '0' } }),
    () => Response.json(statsOf({}, { ALLOW: 1 })),
  ];
  const asked: string[] = [];
  const client = createApiClient(null, (async (url: unknown) => {
    asked.push(String(url));
    return answers.shift()?.() ?? Response.json({}, { status: 401 });
  }) as typeof fetch);
  const { signal } = new AbortController();
  t.equal(await findWindow(client, signal), '15m');
  t.equal(asked.length, 2);
  await t.rejects(findWindow(client, signal), new ApiError(401, 'The service answered 401.'));
  t.equal(asked.length, 3);
});
