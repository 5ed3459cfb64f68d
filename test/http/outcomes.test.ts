import { randomUUIDv7 } from 'node:crypto';
import t from 'tap';
import { createDecisionRecord } from '../support/decision-records.ts';
import { createReadApi } from '../support/read-api.ts';

async function open(t: Parameters<typeof createReadApi>[0]) {
  const api = await createReadApi(t);
  const subject = {
    telemetry: api.hashes.telemetry('tel_1'),
    devices: [api.hashes.device('phone-7')],
    account: api.hashes.account('acct_42'),
  };
  const record = createDecisionRecord(Date.now(), 1, { subject });
  await api.log.append({ number: 1, records: [record] });
  const say = (body: unknown, id = record.decision_id) => api.post(`/v1/decisions/${id}/outcome`, body);
  return { api, say, record };
}

t.test('keeps what is said once, however often it is said', async (t) => {
  const { api, say, record } = await open(t);
  const first = await say({ label: 'fraud', note: 'chargeback of 2026-01-15, 09:30' });
  t.equal(first.status, 200);
  t.equal(first.headers['cache-control'], 'no-store');
  t.match(first.json, {
    decision_id: record.decision_id,
    label: 'fraud',
    labels: [{ label: 'fraud', caller: 'decide' }],
  });
  const second = await say({ label: 'fraud', note: 'chargeback of 2026-01-15, 09:30' });
  t.same(second.json, first.json);
  const dated = { label: 'abandoned', at: '2026-01-01T00:00:00+01:00' };
  for (let round = 0; round < 2; round += 1) {
    const { json } = await say(dated);
    t.match(json, {
      label: 'fraud',
      labels: [{ label: 'abandoned', at: '2025-12-31T23:00:00.000Z' }, { label: 'fraud' }],
    });
    t.equal(json.labels.length, 2);
  }
  t.match((await say({ label: 'legit' })).json, { label: 'legit', labels: { length: 3 } });
  const detail = (await api.get(`/v1/decisions/${record.decision_id}`)).json;
  t.match(detail, {
    label: 'legit',
    labels: [{ label: 'abandoned' }, { label: 'fraud' }, { label: 'legit' }],
  });
  t.equal((await api.get('/v1/decisions')).json.decisions[0].label, 'legit');
});

t.test('takes an id that somebody wrote in capitals', async (t) => {
  const { api, say, record } = await open(t);
  const capitals = record.decision_id.toUpperCase();
  t.match(await say({ label: 'fraud' }, capitals), {
    status: 200,
    json: { decision_id: record.decision_id },
  });
  const { status, json } = await api.get(`/v1/decisions/${capitals}`);
  t.match({ status, json }, { status: 200, json: { decision_id: record.decision_id, label: 'fraud' } });
});

t.test('takes back what was said, once', async (t) => {
  const { api, say, record } = await open(t);
  t.match((await say({ label: 'withdrawn' })).json, { label: null, labels: [] });
  await say({ label: 'fraud' });
  for (let round = 0; round < 2; round += 1) {
    const { status, json } = await say({ label: 'withdrawn' });
    t.equal(status, 200);
    t.match(json, { label: null, labels: [{ label: 'fraud' }, { label: 'withdrawn', caller: 'decide' }] });
    t.equal(json.labels.length, 2);
  }
  t.equal((await api.get('/v1/decisions?label=none')).json.decisions[0].label, null);
  t.match((await api.get(`/v1/decisions/${record.decision_id}`)).json, {
    label: null,
    labels: { length: 2 },
  });
  t.equal((await say({ label: 'legit' })).json.label, 'legit');
});

t.test('refuses what is no outcome', async (t) => {
  const { say, api } = await open(t);
  const ahead = new Date(Date.now() + 3_600_000).toISOString();
  const refused: readonly (readonly [unknown, string])[] = [
    [{}, '/label'],
    [{ label: 'FRAUD' }, '/label'],
    [{ label: 'fraud', nonsense: 1 }, '/nonsense'],
    [{ label: 'fraud', at: 'now' }, '/at'],
    [{ label: 'fraud', at: ahead }, '/at'],
    [{ label: 'fraud', at: '2026-12-31T23:59:60Z' }, '/at'],
    [{ label: 'fraud', note: 'x'.repeat(201) }, '/note'],
    [{ label: 'fraud', note: 5 }, '/note'],
    [{ label: 'withdrawn', at: '2026-01-01T00:00:00Z' }, '/at'],
    [{ label: 'fraud', note: 'a\u0000b' }, '/note'],
  ];
  for (const [body, pointer] of refused) {
    const { status, json } = await say(body);
    t.equal(status, 400, JSON.stringify(body).slice(0, 60));
    t.match(json.errors, [{ pointer }]);
  }
  t.equal(
    (await say({ label: 'fraud', note: '😀'.repeat(200) })).status,
    200,
    'characters are counted, not halves of them',
  );
  for (const id of [randomUUIDv7(), 'x', '%00']) t.equal((await say({ label: 'fraud' }, id)).status, 404, id);
  t.notMatch(api.logText(), /request\.failed/);
});

t.test('takes no note with an identifier in it', async (t) => {
  const { api, say } = await open(t);
  for (const note of [
    'tel_1',
    'the account acct_42.',
    'phone-7 was stolen',
    '(acct_42)',
    'a@b.example',
    'from 192.0.2.7',
    'call +44 20 7946 0958',
  ]) {
    const { status, json, text } = await say({ label: 'fraud', note });
    t.equal(status, 400, note);
    t.match(json.errors, [{ pointer: '/note', detail: 'must hold no identifier' }]);
    t.notMatch(text, note);
  }
  t.equal(
    (await say({ label: 'fraud', note: 'the customer called: stolen phone, 3 chargebacks' })).status,
    200,
  );
  t.notMatch(api.logText(), /acct_42|tel_1|phone-7/);
});
