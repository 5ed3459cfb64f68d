import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { RiskgateError } from '../../../src/domain/errors.ts';
import { encodeExport } from '../../../src/http/decision-log/encode-export.ts';
import { createDecisionRecord, createGapRecord } from '../../support/decision-records.ts';
import { createReadApi, type ReadApi } from '../../support/read-api.ts';
import { parquetTypes, queryParquet } from '../../support/read-parquet.ts';
import { createDirectory, KEYS, until } from '../../support/test-app.ts';

const NOW_MS = Date.parse('2026-03-04T05:06:07.089Z');
const PATH = '/v1/decisions/export?format=parquet';

async function download(t: Test, api: ReadApi, query = ''): Promise<{ path: string; type: string | null }> {
  const response = await fetch(`http://127.0.0.1:${await api.listen()}${PATH}${query}`, {
    headers: { authorization: `Bearer ${KEYS.read}` },
  });
  t.equal(response.status, 200);
  const path = join(createDirectory(t), 'decisions.parquet');
  writeFileSync(path, Buffer.from(await response.arrayBuffer()));
  return { path, type: response.headers.get('content-type') };
}

t.test('exports records with typed columns, newest first', async (t) => {
  const api = await createReadApi(t);
  const first = createDecisionRecord(NOW_MS, 1, { decision: 'BLOCK', request_id: 'é\u{1F600}' });
  const second = createDecisionRecord(NOW_MS + 1000, 2, { reasons: [] });
  await api.log.append({ number: 1, records: [first, second, createGapRecord(NOW_MS + 2000, 3)] });
  const label = { label: 'fraud', at: '2026-03-05T00:00:00Z', note: 'told' };
  t.equal((await api.post(`/v1/decisions/${first.decision_id}/outcome`, label)).status, 200);
  const { path, type } = await download(t, api);
  t.equal(type, 'application/vnd.apache.parquet');
  t.match(Object.fromEntries(await parquetTypes(path)), {
    decided_at: 'TIMESTAMP WITH TIME ZONE',
    degraded: 'BOOLEAN',
    latency_ms: 'DOUBLE',
    subject_devices: 'VARCHAR[]',
    stytch_outcome: 'VARCHAR',
    stytch_signals_asn: 'BIGINT',
    stytch_signals_is_vpn: 'BOOLEAN',
    stytch_signals_reasons: 'VARCHAR[]',
    stytch_signals_created_at: 'TIMESTAMP WITH TIME ZONE',
    prefactor_signals_first_seen_latitude: 'DOUBLE',
    dropped: 'BIGINT',
  });
  const [gap, latter, former, ...rest] = await queryParquet(path, 'SELECT * FROM file');
  t.strictSame(rest, []);
  t.match(gap, { kind: 'gap', decided_at: '2026-03-04 05:06:09.089+00', dropped: '1', decision: null });
  t.match(latter, { decision_id: second.decision_id, reason_codes: [], label: null, labels: null });
  t.match(former, {
    kind: 'decision',
    decision_id: first.decision_id,
    decided_at: '2026-03-04 05:06:07.089+00',
    decision: 'BLOCK',
    degraded: true,
    reason_codes: ['STYTCH_UNKNOWN'],
    waiver_codes: ['LENIENT'],
    request_id: 'é\u{1F600}',
    policy_hash: 'sha256:1',
    latency_ms: 251,
    subject_telemetry: 'a'.repeat(32),
    subject_devices: ['b'.repeat(32)],
    subject_account: null,
    stytch_outcome: 'timeout',
    stytch_latency_ms: 250.5,
    stytch_signals_found: null,
    prefactor_age_ms: '1200',
    prefactor_signals_found: true,
    custody_signals_uses: '1',
    rules_true: ['two'],
    rules_unknown: ['one'],
    rules: JSON.stringify(first.rules),
    label: 'fraud',
    label_at: '2026-03-05 00:00:00+00',
    label_note: 'told',
    dropped: null,
    other: JSON.stringify({ providers: { prefactor: { signals: { text: 'é\u2028"' } } } }),
  });
});

t.test('exports what fits the filters, and a file without rows where nothing does', async (t) => {
  const api = await createReadApi(t);
  const records = [createDecisionRecord(NOW_MS, 1), createDecisionRecord(NOW_MS, 2, { decision: 'BLOCK' })];
  await api.log.append({ number: 1, records });
  const port = await api.listen();
  const headers = { authorization: `Bearer ${KEYS.read}` };
  for (const [decision, count] of [
    ['BLOCK', 1],
    ['ALLOW', 0],
  ] as const) {
    const response = await fetch(`http://127.0.0.1:${port}${PATH}&decision=${decision}`, { headers });
    const path = join(createDirectory(t), 'decisions.parquet');
    writeFileSync(path, Buffer.from(await response.arrayBuffer()));
    t.strictSame(await queryParquet(path, 'SELECT count(*)::INT AS n FROM file'), [{ n: count }]);
    t.ok((await parquetTypes(path)).has('stytch_signals_asn'));
  }
  t.equal((await api.get(`${PATH}&bom=true`)).status, 400);
});

t.test('makes one file at a time, and another one when its client has left', async (t) => {
  const { log } = await createReadApi(t);
  let isLeft = false;
  const query = async () => {
    await delay(1);
    return { entries: [], next: isLeft ? null : 'more' };
  };
  const api = await createReadApi(t, { reader: { ...log, query } });
  const port = await api.listen();
  const headers = { authorization: `Bearer ${KEYS.read}` };
  const sent = request({ port, path: PATH, headers }).end();
  const [response] = await once(sent, 'response');
  t.equal((await api.get(PATH)).status, 503);
  const closed = new Promise<void>((resolve) => response.on('close', resolve));
  response.resume().on('error', () => {});
  response.destroy();
  await closed;
  isLeft = true;
  await until('another one is made', async () => (await api.get(PATH)).status === 200);
});

t.test('answers 503 where the log cannot be read', async (t) => {
  const { log } = await createReadApi(t);
  const query = async () => {
    throw new RiskgateError('store_unavailable', 'The log is not there.');
  };
  const api = await createReadApi(t, { reader: { ...log, query } });
  t.equal((await api.get(PATH)).status, 503);
});

t.test('ends its thread however the file ends', async (t) => {
  for (const end of ['whole', 'left', 'broken'] as const) {
    let closed = 0;
    const encoder = {
      add: async () => Buffer.from('x'),
      finish: async () => Buffer.from('end'),
      close: async () => {
        closed += 1;
      },
    };
    const pages = async function* () {
      yield 'line\n';
      if (end === 'broken') throw new Error('the log is gone');
      yield 'line\n';
    };
    const read: string[] = [];
    const reading = (async () => {
      for await (const bytes of encodeExport(pages(), () => encoder)) {
        read.push(String(bytes));
        if (end === 'left') break;
      }
    })();
    if (end === 'broken') await t.rejects(reading, { message: 'the log is gone' });
    else await reading;
    t.strictSame(read, { whole: ['x', 'x', 'end'], left: ['x'], broken: ['x'] }[end]);
    t.equal(closed, 1, end);
  }
});
