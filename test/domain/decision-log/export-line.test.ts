import t from 'tap';
import { readExportLine } from '../../../src/domain/decision-log/export-line.ts';
import { createDecisionRecord, createEventRecord, createGapRecord } from '../../support/decision-records.ts';

const NOW_MS = Date.parse('2026-03-04T05:06:07.089Z');
const LABEL = { label: 'fraud', at: '2026-03-05T00:00:00.000Z', note: null, caller: 'shop' } as const;

t.test('reads records of each kind, with labels where an export has put them', async (t) => {
  const record = createDecisionRecord(NOW_MS, 1);
  for (const one of [record, createGapRecord(NOW_MS, 2), createEventRecord(NOW_MS, 3)])
    t.strictSame(readExportLine(JSON.stringify(one)), { ok: true, value: { record: one, labels: [] } });
  const line = JSON.stringify({ ...record, label: 'fraud', labels: [LABEL] });
  t.strictSame(readExportLine(line), { ok: true, value: { record, labels: [LABEL] } });
  const unlabelled = JSON.stringify({ ...record, label: null, labels: [] });
  t.strictSame(readExportLine(unlabelled), { ok: true, value: { record, labels: [] } });
});

t.test('keeps what a later version has added', async (t) => {
  const record = { ...createDecisionRecord(NOW_MS, 1), contradictions: { country: true } };
  t.match(readExportLine(JSON.stringify(record)), { ok: true, value: { record } });
});

t.test('says what is wrong, and repeats nothing of the line', async (t) => {
  const record = createDecisionRecord(NOW_MS, 1);
  const secret = 'imei-490154203237518';
  const cases: readonly (readonly [string, RegExp])[] = [
    [`{"x": ${secret}`, /^is no JSON object$/],
    [`"${secret}"`, /^is no JSON object$/],
    ['null', /^is no JSON object$/],
    ['[]', /^is no JSON object$/],
    [JSON.stringify({ ...record, kind: secret }), /^kind: /],
    [JSON.stringify({ ...record, subject: { ...record.subject, devices: secret } }), /^subject\.devices: /],
    [JSON.stringify({ ...record, label: secret }), /^label: /],
    [JSON.stringify({ ...record, labels: [{ ...LABEL, note: 7 }] }), /^labels\.0\.note: /],
    [JSON.stringify({ ...record, decided_at: secret }), /^decided_at: is no time/],
    [JSON.stringify({ ...record, decided_at: '2026-13-04T05:06:07.089Z' }), /^decided_at: is no time/],
    [JSON.stringify({ ...createGapRecord(NOW_MS, 2), until: secret }), /^until: is no time/],
    [JSON.stringify({ ...createEventRecord(NOW_MS, 2), at: secret }), /^at: is no time/],
  ];
  for (const [line, problem] of cases) {
    const read = readExportLine(line);
    t.match(read, { ok: false, problem }, line.slice(0, 40));
    t.notMatch(JSON.stringify(read), secret);
  }
});
