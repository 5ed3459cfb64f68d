import t from 'tap';
import { createDecisionRecord } from '../support/decision-records.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { createReadApi } from '../support/read-api.ts';
import { createManualClock } from '../support/test-app.ts';

/** 31 minutes past an hour. */
const NOW_MS = Date.parse('2026-01-15T09:31:20.000Z');
const policy = loadPolicyFile('default.yaml');
const [strict, soft] = policy.document.rules.filter(({ verdict, exempt }) => verdict === 'BLOCK' && !exempt);

async function open(t: Parameters<typeof createReadApi>[0]) {
  const clock = createManualClock(NOW_MS);
  const history = [
    {
      id: policy.id,
      hash: policy.hash,
      sinceMs: NOW_MS - 3_600_000,
      by: null,
      why: 'file' as const,
      previousHash: null,
    },
  ];
  const api = await createReadApi(t, { clock, policy: () => policy, policyHistory: () => history });
  let serial = 0;
  const append = (ageMs: number, count: number, changes: Parameters<typeof createDecisionRecord>[2] = {}) => {
    const records = Array.from({ length: count }, () => {
      serial += 1;
      const of = { id: policy.id, hash: policy.hash };
      return createDecisionRecord(NOW_MS - ageMs, serial, {
        policy: of,
        waivers: [],
        reasons: [],
        ...changes,
      });
    });
    void api.log.append({ number: serial, records });
    return records.map(({ decision_id: id }) => id);
  };
  return { api, append, clock };
}

t.test('tells of each rule how often it applied, and how right it was', async (t) => {
  const { api, append, clock } = await open(t);
  const blocked = { decision: 'BLOCK', rules: [{ rule: strict?.id ?? '', result: 'true' }] } as const;
  const caught = append(60_000, 4, blocked);
  append(0, 2, { ...blocked, caller: 'bank' });
  append(0, 1, { decision: 'BLOCK', rules: [...blocked.rules, { rule: soft?.id ?? '', result: 'true' }] });
  const missed = append(0, 3, { decision: 'ALLOW', rules: [] });
  append(0, 1, {
    decision: 'BLOCK',
    policy: { id: 'old', hash: 'sha256:0' },
    rules: [{ rule: 'gone', result: 'true' }],
  });
  clock.advance(10_000);
  const at = new Date(NOW_MS).toISOString();
  const outcomes = [...caught.map((id, place) => [id, place < 3 ? 'fraud' : 'legit']), [missed[0], 'fraud']];
  for (const [id, label] of outcomes)
    t.equal((await api.post(`/v1/decisions/${id}/outcome`, { label, at })).status, 200);
  const ask = async (query: string) => (await api.get(`/v1/stats/rules?window=5m&step=1m${query}`)).json;
  const all = await ask('');
  t.match(all, {
    total: 11,
    labels: { fraud: 4, legit: 1 },
    policies_unknown: 1,
    omitted: 0,
    covered_since: null,
  });
  t.same(
    all.rules.slice(0, -1).map(({ rule }: { rule: string }) => rule),
    policy.document.rules.map(({ id }) => id),
    'every rule of the policy in force, in its order',
  );
  t.match(all.rules.at(-1), {
    rule: 'gone',
    in_force: false,
    written: null,
    since: null,
    fired: 1,
    decisive: 0,
  });
  const of = (answer: typeof all, id = strict?.id) =>
    answer.rules.find(({ rule }: { rule: string }) => rule === id);
  t.match(of(all), {
    in_force: true,
    since: '2026-01-15T08:31:20.000Z',
    written: { verdict: 'BLOCK', reason: strict?.reason, when: strict?.when, on_unknown: strict?.on_unknown },
    fired: 7,
    unknown: 0,
    fired_by_step: [0, 0, 0, 4, 3],
    decisive: 6,
    labels: { fraud: 3, legit: 1 },
    precision: { share: 0.75, n: 4, low: 0.3006, high: 0.9544 },
    recall: { share: 0.75, n: 4 },
    challenge_pass: { share: null, n: 0 },
    time_to_label_ms: 60_000,
  });
  t.match(of(all, soft?.id), { fired: 1, decisive: 0, precision: { n: 0 }, recall: { share: 0, n: 4 } });
  const unseen = policy.document.rules.at(-1)?.id;
  t.match(of(all, unseen), { fired: 0, recall: { share: 0, n: 4 }, time_to_label_ms: null });
  t.match(of(await ask('&caller=bank')), { fired: 2, decisive: 2, fired_by_step: [0, 0, 0, 0, 2] });
});

t.test('refuses what cannot be counted, and what is no question of it', async (t) => {
  const { api } = await open(t);
  for (const query of ['window=401d', 'group_by=rule', 'compare=previous', 'step=7m&window=1h']) {
    const { status, json } = await api.get(`/v1/stats/rules?${query}`);
    t.equal(status, 400, query);
    t.equal(json.code, 'invalid_request');
  }
});

t.test('has an entity tag that lasts until the log changes', async (t) => {
  const { api, append } = await open(t);
  const etag = String((await api.get('/v1/stats/rules')).headers['etag']);
  t.equal((await api.get('/v1/stats/rules', { 'if-none-match': etag })).status, 304);
  append(0, 1);
  t.equal((await api.get('/v1/stats/rules', { 'if-none-match': etag })).status, 200);
});
