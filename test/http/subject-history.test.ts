import t from 'tap';
import { createDecisionRecord } from '../support/decision-records.ts';
import { createReadApi } from '../support/read-api.ts';
import { KEYS } from '../support/test-app.ts';

const DAY_MS = 86_400_000;
const NOON_MS = Date.parse('2026-01-15T12:00:00.000Z');
const [device, account, other] = ['d', 'a', 'e'].map((char) => char.repeat(32)) as [string, string, string];

function about(timeMs: number, serial: number, accountHash: string, decision: 'ALLOW' | 'BLOCK' = 'ALLOW') {
  const subject = {
    telemetry: null,
    devices: [device],
    account: accountHash,
    ip: null,
    network: 'b'.repeat(32),
  };
  return createDecisionRecord(timeMs, serial, { subject, decision });
}

t.test('tells what the log holds of a subject', async (t) => {
  const api = await createReadApi(t);
  const records = [
    about(NOON_MS - DAY_MS, 1, account),
    about(NOON_MS, 2, account, 'BLOCK'),
    about(NOON_MS + 1, 3, other, 'BLOCK'),
  ];
  await api.log.append({ number: 1, records });
  await api.post(`/v1/decisions/${records[1]?.decision_id}/outcome`, { label: 'fraud' });
  const { status, headers, json } = await api.get(`/v1/subjects/device/${device}`);
  t.equal(status, 200);
  const none = { distinct: 0, subjects: [] };
  t.strictSame(json, {
    part: 'device',
    hash: device,
    first_seen: '2026-01-14T12:00:00.000Z',
    last_seen: '2026-01-15T12:00:00.001Z',
    complete: true,
    total: 3,
    verdicts: { BLOCK: 2, ALLOW: 1 },
    days: [
      { at: '2026-01-14T00:00:00.000Z', verdicts: { ALLOW: 1 } },
      { at: '2026-01-15T00:00:00.000Z', verdicts: { BLOCK: 2 } },
    ],
    labels: { fraud: 1 },
    seen_with: {
      telemetry: none,
      device: none,
      account: {
        distinct: 2,
        subjects: [
          {
            hash: account,
            decisions: 2,
            first_seen: '2026-01-14T12:00:00.000Z',
            last_seen: '2026-01-15T12:00:00.000Z',
          },
          {
            hash: other,
            decisions: 1,
            first_seen: '2026-01-15T12:00:00.001Z',
            last_seen: '2026-01-15T12:00:00.001Z',
          },
        ],
      },
      ip: none,
      visitor: none,
    },
    decisions_url: `/v1/decisions?device=%23${device}`,
  });
  t.equal((await api.get(json.decisions_url)).json.decisions.length, 3, 'and where its decisions are');
  const etag = String(headers['etag']);
  const url = `/v1/subjects/device/${device}`;
  t.equal((await api.get(url, { 'if-none-match': etag })).status, 304);
  await api.log.append({ number: 2, records: [about(NOON_MS, 4, other)] });
  t.equal((await api.get(url, { 'if-none-match': etag })).json.total, 4);
  t.equal((await api.get(`/v1/subjects/ip/${'b'.repeat(32)}`)).json.total, 4, 'a network by its own hash');
});

t.test('knows no subject that no decision names, and none as another part', async (t) => {
  const api = await createReadApi(t);
  await api.log.append({ number: 1, records: [about(NOON_MS, 1, account)] });
  for (const path of [`device/${account}`, `account/${device}`, `visitor/${device}`]) {
    const { status, json } = await api.get(`/v1/subjects/${path}`);
    t.equal(status, 404, path);
    t.match(json, { code: 'not_found', detail: /no decision about this subject/ });
  }
});

t.test('refuses what is no part or no hash, and who may not read', async (t) => {
  const api = await createReadApi(t);
  for (const path of [`person/${device}`, 'device/short', `device/${'D'.repeat(32)}`])
    t.equal((await api.get(`/v1/subjects/${path}`)).status, 400, path);
  const headers = { authorization: `Bearer ${KEYS.decide}` };
  t.equal((await api.get(`/v1/subjects/device/${device}`, headers)).status, 403);
});

t.test('says where it has not looked at all decisions', async (t) => {
  const api = await createReadApi(t);
  for (let batch = 0; batch < 21; batch += 1)
    await api.log.append({
      number: batch + 1,
      records: Array.from({ length: 1000 }, (_, place) =>
        about(NOON_MS + batch, batch * 1000 + place, account),
      ),
    });
  const { json } = await api.get(`/v1/subjects/account/${account}`);
  t.match(json, { complete: false, total: 20_000, first_seen: '2026-01-15T12:00:00.001Z' });
});
