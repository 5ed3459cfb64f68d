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
  t.same(await steps('window=400d'), [400, 86_400]);
  t.same(await steps('since=2026-01-15T08:00:00Z&until=2026-01-15T09:00:00Z'), [60, 60]);
  t.same(await steps('since=2026-01-12T08:00:00Z&until=2026-01-12T08:30:00Z'), [1, 3600]);
  t.equal(await steps('since=2026-01-15T09:00:00Z&until=2026-01-15T08:00:00Z'), 'since');
  t.equal(await steps('since=2026-01-15T09:00:00Z&window=1h'), 'window');
  t.equal(await steps('since=yesterday'), 'since');
  for (const query of [
    'window=401d',
    'window=44001m',
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
  for (const group of [
    'account',
    'decision,',
    'decision,reason,rule',
    'decision,decision',
    'decision,account',
  ])
    t.equal(await steps(`group_by=${group}`), 'group_by', group);
  t.equal(await steps('compare=next'), 'compare');
  t.equal(await steps('country=de'), 'country');
  t.equal(await steps('window=1h&window=2h'), 'window');
});

t.test('shows how precise a rule is where outcomes are known', async (t) => {
  const { api, append } = await open(t);
  const ids = append(0, 6);
  append(0, 4, { rules: [{ rule: 'two', result: 'false' }] });
  const rules = async () => (await api.get('/v1/stats?group_by=rule')).json.rules;
  t.same(await rules(), {
    one: { fired: 0, unknown: 6, waived: 0, satisfied: 0, labels: {}, precision: null },
    three: { fired: 0, unknown: 0, waived: 10, satisfied: 0, labels: {}, precision: null },
    two: { fired: 6, unknown: 0, waived: 0, satisfied: 0, labels: {}, precision: null },
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

const from = (country: string, asn: number) => ({
  stytch: { ...stytch('ok', 1).stytch, signals: { found: true, country, asn, asn_name: `AS ${asn}` } },
});

t.test('counts what fits the filters, by two groups, with the window before', async (t) => {
  const { api, append } = await open(t);
  const [labelled] = append(0, 2, { decision: 'BLOCK', providers: from('DE', 3320), latency_ms: 10 });
  append(0, 3, { decision: 'ALLOW', providers: from('FR', 3215), degraded: false });
  append(0, 1, { decision: 'BLOCK', providers: from('FR', 3215), action: 'payout' });
  append(10 * 60_000, 5, { decision: 'BLOCK', providers: from('DE', 3320) });
  await api.post(`/v1/decisions/${labelled}/outcome`, { label: 'fraud' });
  const ask = async (query: string) => (await api.get(`/v1/stats?window=5m&step=1m&${query}`)).json;
  const plain = await ask('');
  t.match(plain, { group_by: 'decision', covered_since: null, totals: { total: 6 } });
  t.same(
    ['pairs', 'pairs_omitted', 'previous', 'rules'].filter((name) => name in plain),
    [],
  );
  const pairs = await ask('group_by=decision,country&decision=BLOCK&compare=previous');
  t.match(pairs, {
    group_by: 'decision,country',
    totals: { total: 3, counts: { BLOCK: 3 }, degraded: 3, provider_latency_ms: {} },
    pairs: [
      { values: ['BLOCK', 'DE'], count: 2 },
      { values: ['BLOCK', 'FR'], count: 1 },
    ],
    pairs_omitted: 0,
    previous: { since: '2026-01-15T09:22:00.000Z', until: '2026-01-15T09:27:00.000Z', totals: { total: 0 } },
  });
  t.equal(pairs.steps.length, 5);
  t.match(pairs.steps[4], { total: 3, counts: { BLOCK: 3 } });
  const before = await ask('until=2026-01-15T09:25:00Z&group_by=country&compare=previous');
  t.match(before, { totals: { total: 5, counts: { DE: 5 } }, previous: { totals: { total: 0 } } });
  t.same((await ask('group_by=asn')).totals.counts, { 3320: 2, 3215: 4 });
  t.same((await ask('group_by=asn_name')).totals.counts, { 'AS 3320': 2, 'AS 3215': 4 });
  t.same((await ask('group_by=label')).totals.counts, { fraud: 1, none: 5 });
  t.same((await ask('group_by=action&country=FR')).totals.counts, { login: 3, payout: 1 });
  t.same((await ask('group_by=rule&label=fraud')).totals.counts, {
    'one:unknown': 1,
    two: 1,
    'three:waived': 1,
  });
  t.notOk('rules' in (await ask('group_by=rule&label=fraud')), 'the precision is of all decisions');
  const { p50 } = (await ask('country=DE')).totals.latency_ms;
  t.ok(Math.abs(p50 - 10) < 0.6, String(p50));
});

t.test('counts the subjects of decisions where it is asked to', async (t) => {
  const { api, append } = await open(t);
  const subject = { telemetry: 'a'.repeat(32), devices: [], account: 'b'.repeat(32), ip: 'c'.repeat(32) };
  append(0, 3);
  append(0, 2, { subject });
  append(HOUR_MS, 1, { subject: { ...subject, account: 'd'.repeat(32) } });
  const distinct = async (query: string) => (await api.get(`/v1/stats?${query}`)).json.totals.distinct;
  t.same(await distinct('distinct=true'), {
    telemetry: 1,
    device: 1,
    account: 1,
    ip: 1,
    visitor: 0,
    covered_since: null,
  });
  t.match(await distinct('window=2h&distinct=true'), { account: 2 });
  t.match(await distinct(`distinct=true&account=%23${'b'.repeat(32)}`), { device: 0, account: 1 });
  t.equal(await distinct('distinct=false'), undefined);
});

t.test('says from when on a log without tables has counted', async (t) => {
  const { api, append } = await open(t);
  for (let batch = 0; batch < 5; batch += 1) append((5 - batch) * 60_000, 5_000);
  const { json } = await api.get('/v1/stats?window=10m&group_by=country');
  t.equal(json.totals.total, 20_000);
  t.equal(json.covered_since, '2026-01-15T09:27:20.000Z');
  t.equal((await api.get('/v1/stats?window=10m')).json.totals.total, 25_000, 'counters have all');
});
