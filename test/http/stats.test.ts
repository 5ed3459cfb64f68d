import t from 'tap';
import { createDecisionRecord } from '../support/decision-records.ts';
import { createReadApi } from '../support/read-api.ts';
import { createManualClock } from '../support/test-app.ts';

const HOUR_MS = 3_600_000;
/** 31 minutes past an hour. */
const NOW_MS = Date.parse('2026-01-15T09:31:20.000Z');

async function open(t: Parameters<typeof createReadApi>[0]) {
  const clock = createManualClock(NOW_MS);
  const api = await createReadApi(t, { clock });
  let serial = 0;
  const append = (ageMs: number, count: number, changes: Parameters<typeof createDecisionRecord>[2] = {}) => {
    const records = Array.from({ length: count }, () => {
      serial += 1;
      return createDecisionRecord(NOW_MS - ageMs, serial, changes);
    });
    void api.log.append({ number: serial, records });
    return records.map(({ decision_id: id }) => id);
  };
  return { api, append, clock };
}

const stytch = (outcome: 'ok' | 'timeout', latencyMs: number) => ({
  stytch: {
    outcome,
    cache: 'miss' as const,
    cache_level: null,
    latency_ms: latencyMs,
    age_ms: 0,
    request_id: null,
    suspect: false,
    signals: null,
  },
});

t.test('counts a known mix by every group and step', async (t) => {
  const { api, append } = await open(t);
  append(26 * HOUR_MS, 1);
  append(120_000, 5, { decision: 'BLOCK', degraded: false, latency_ms: 10, providers: stytch('ok', 8) });
  append(60_000, 90, {
    decision: 'ALLOW',
    degraded: false,
    reasons: [],
    caller: 'bank',
    latency_ms: 1,
    providers: stytch('ok', 1),
  });
  append(0, 10, { latency_ms: 100, providers: stytch('timeout', 90) });
  const ask = async (group: string) => (await api.get(`/v1/stats?window=5m&step=1m&group_by=${group}`)).json;
  const decided = await ask('decision');
  t.match(decided, {
    since: '2026-01-15T09:27:00.000Z',
    until: '2026-01-15T09:32:00.000Z',
    step_seconds: 60,
    group_by: 'decision',
    totals: { total: 105, counts: { ALLOW: 90, CHALLENGE: 10, BLOCK: 5 }, degraded: 10 },
  });
  t.same(
    decided.steps.map(({ at, total, counts }: { at: string; total: number; counts: object }) => [
      at.slice(11, 16),
      total,
      counts,
    ]),
    [
      ['09:27', 0, {}],
      ['09:28', 0, {}],
      ['09:29', 5, { BLOCK: 5 }],
      ['09:30', 90, { ALLOW: 90 }],
      ['09:31', 10, { CHALLENGE: 10 }],
    ],
  );
  const near = (value: number, truth: number) => Math.abs(value - truth) <= truth * 0.06;
  const { p50, p95, p99 } = decided.totals.latency_ms;
  t.ok(near(p50, 1) && near(p95, 100) && near(p99, 100), `${p50} ${p95} ${p99}`);
  t.ok(near(decided.totals.provider_latency_ms.stytch.p99, 90));
  t.same(decided.steps[0].latency_ms, { p50: null, p95: null, p99: null });
  t.notOk('rules' in decided);
  t.same((await ask('reason')).totals.counts, { 'STYTCH_UNKNOWN:unknown': 15, 'LENIENT:waived': 105 });
  t.same((await ask('provider_outcome')).totals.counts, { 'stytch/ok': 95, 'stytch/timeout': 10 });
  t.same((await ask('provider_cache')).totals.counts, { 'stytch/miss': 105 });
  t.same((await ask('provider_cache_level')).totals.counts, {});
  t.same((await ask('caller')).totals.counts, { shop: 15, bank: 90 });
  t.same((await ask('policy')).totals.counts, { 'sha256:1': 105 });
  t.same((await ask('entry_point')).totals.counts, { decide: 105 });
  t.same((await ask('degraded')).totals.counts, { false: 95, true: 10 });
  t.same((await ask('rule')).totals.counts, { two: 105, 'one:unknown': 105, 'three:waived': 105 });
  const month = (await api.get('/v1/stats?window=30d')).json;
  t.match(month, { step_seconds: 21_600, totals: { total: 106 } }, 'hours count what minutes do');
  t.equal(month.steps.length, 120);
  t.equal((await api.get('/v1/stats')).json.steps.length, 60, 'an hour of minutes otherwise');
});

t.test('plans steps that fit, and refuses those that do not', async (t) => {
  const { api } = await open(t);
  const steps = async (query: string) => {
    const { status, json } = await api.get(`/v1/stats?${query}`);
    return status === 200 ? [json.steps.length, json.step_seconds] : json.errors[0].pointer;
  };
  t.same(await steps('window=1m'), [1, 60]);
  t.same(await steps('window=6h'), [72, 300]);
  t.same(await steps('window=24h'), [96, 900]);
  t.same(await steps('window=1d&step=1m'), [1440, 60]);
  t.same(await steps('window=7d'), [168, 3600]);
  t.same(await steps('window=61m'), [61, 60]);
  t.same(await steps('window=25h'), [25, 3600]);
  t.same(await steps('window=2d&step=1h'), [48, 3600]);
  t.same(await steps('window=43200m&step=30d'), [1, 2_592_000]);
  for (const query of [
    'window=31d',
    'window=44000m',
    'window=1501m',
    'window=0m',
    'window=1s',
    'window=-1h',
    'window=1h30m',
    'window=',
  ])
    t.equal(await steps(query), 'window', query);
  for (const query of ['window=1h&step=7m', 'window=1h&step=2h', 'window=7d&step=15m', 'step=0m', 'step=1'])
    t.equal(await steps(query), 'step', query);
  t.equal(await steps('group_by=account'), 'group_by');
  t.equal(await steps('window=1h&window=2h'), 'window');
});

t.test('shows how precise a rule is where outcomes are known', async (t) => {
  const { api, append } = await open(t);
  const ids = append(0, 6);
  append(0, 4, { rules: [{ rule: 'two', result: 'false' }] });
  const rules = async () => (await api.get('/v1/stats?group_by=rule')).json.rules;
  t.same(await rules(), {
    one: { fired: 0, unknown: 6, waived: 0, labels: {}, precision: null },
    three: { fired: 0, unknown: 0, waived: 10, labels: {}, precision: null },
    two: { fired: 6, unknown: 0, waived: 0, labels: {}, precision: null },
  });
  const labels = ['fraud', 'challenge_failed', 'fraud', 'legit', 'abandoned'];
  for (const [place, label] of labels.entries()) {
    const { status } = await api.post(`/v1/decisions/${ids[place]}/outcome`, { label });
    t.equal(status, 200);
  }
  t.match(await rules(), {
    one: { fired: 0, unknown: 6, labels: {}, precision: null },
    two: { fired: 6, labels: { fraud: 2, challenge_failed: 1, legit: 1, abandoned: 1 }, precision: 0.75 },
  });
  await api.post(`/v1/decisions/${ids[0]}/outcome`, { label: 'legit' });
  t.match((await rules()).two, { labels: { fraud: 1, legit: 2 }, precision: 0.5 }, 'the later label wins');
});

t.test('has another tag when the step turns', async (t) => {
  const { api, clock } = await open(t);
  const etag = String((await api.get('/v1/stats')).headers['etag']);
  t.equal((await api.get('/v1/stats', { 'if-none-match': etag })).status, 304);
  clock.advance(60_000);
  t.equal((await api.get('/v1/stats', { 'if-none-match': etag })).status, 200);
});
