import t from 'tap';
import { z } from 'zod';
import type { LogRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { type LabelledRecord, recordColumns } from '../../../src/domain/decision-log/record-columns.ts';
import { PROVIDERS } from '../../../src/providers/registry.ts';
import {
  createCandidateResult,
  createDecisionRecord,
  createGapRecord,
} from '../../support/decision-records.ts';

const NOW_MS = Date.parse('2026-03-04T05:06:07.089Z');
const COLUMNS = recordColumns(PROVIDERS);

function read(record: LogRecord, labels: LabelledRecord['labels'] = []) {
  return Object.fromEntries(COLUMNS.map(({ name, read }) => [name, read({ record, labels })]));
}

t.test('has a column for every signal of every provider', async (t) => {
  t.ok(PROVIDERS.length >= 3);
  for (const { id, signals } of PROVIDERS) {
    for (const name of Object.keys(signals.shape)) {
      const start = `${id}_signals_${name}`;
      t.ok(
        COLUMNS.some((column) => column.name === start || column.name.startsWith(`${start}_`)),
        start,
      );
    }
  }
});

t.test('holds all of a record, and the rest of it as text', async (t) => {
  const stytch = {
    ...createDecisionRecord(NOW_MS, 1).providers['prefactor'],
    signals: {
      found: true,
      reasons: ['A'],
      asn: 64_500,
      created_at: '2026-03-04T05:06:07Z',
      fingerprints: { visitor_id_hash: 'aa', other_hash: 'bb' },
      country: 7,
      expires_at: 'soon',
    },
    retried: true,
  };
  const record = {
    ...createDecisionRecord(NOW_MS, 1),
    providers: { stytch, unheard: { outcome: 'ok' }, mobilerun: { ...stytch, signals: null, retried: null } },
    activity: { device_1h: 3 },
    candidates: [createCandidateResult('sha256:2', 'BLOCK')],
    step_up: 'unknown',
    request: { device_id_given: true, ip: 'given', referrer: 'absent' },
    friends: { country: true },
    subject: { ...createDecisionRecord(NOW_MS, 1).subject, ip: 'cc', cookie: 'dd' },
  };
  // Of a later version than this one.
  const cells = read(record as unknown as LogRecord);
  t.match(cells, {
    stytch_outcome: 'ok',
    stytch_signals_found: true,
    stytch_signals_reasons: ['A'],
    stytch_signals_asn: 64_500,
    stytch_signals_created_at: Date.parse('2026-03-04T05:06:07Z'),
    stytch_signals_expires_at: null,
    stytch_signals_country: null,
    stytch_signals_fingerprints_visitor_id_hash: 'aa',
    prefactor_outcome: null,
    decided_at: NOW_MS,
    activity: '{"device_1h":3}',
    step_up: '"unknown"',
    lists: null,
    shared: null,
    contradictions: null,
    request_device_id_given: true,
    request_ip: 'given',
    subject_ip: 'cc',
    subject_visitor: null,
    candidates: JSON.stringify([createCandidateResult('sha256:2', 'BLOCK')]),
  });
  t.strictSame(JSON.parse(String(cells['other'])), {
    subject: { cookie: 'dd' },
    request: { referrer: 'absent' },
    providers: {
      stytch: {
        signals: { fingerprints: { other_hash: 'bb' }, country: 7, expires_at: 'soon' },
        retried: true,
      },
      unheard: { outcome: 'ok' },
    },
    friends: { country: true },
  });
});

t.test('has nothing left of a record whose signals are all declared', async (t) => {
  const record = createDecisionRecord(NOW_MS, 1, { providers: {} });
  t.equal(read(record)['other'], null);
});

t.test('keeps a value that its column cannot hold as text', async (t) => {
  const values: readonly (readonly [string, unknown])[] = [
    ['is_vpn', 'yes'],
    ['asn', 0.5],
    ['asn', 2 ** 60],
    ['action', false],
    ['created_at', '2026-03-04T05:06:07.0890001Z'],
    ['created_at', 7],
    ['reasons', 'A'],
    ['reasons', ['A', 1]],
    ['fingerprints', 'none'],
    ['fingerprints', null],
    ['fingerprints', ['a']],
  ];
  for (const [name, value] of values) {
    const evidence = createDecisionRecord(NOW_MS, 1).providers['prefactor'];
    const stytch = { ...evidence, signals: { found: true, [name]: value } };
    const cells = read({ ...createDecisionRecord(NOW_MS, 1), providers: { stytch } } as LogRecord);
    t.strictSame(JSON.parse(String(cells['other'])), {
      providers: { stytch: { signals: { [name]: value } } },
    });
  }
  const evidence = createDecisionRecord(NOW_MS, 1).providers['prefactor'];
  const prefactor = { ...evidence, signals: { found: true, first_seen: { latitude: 'north' } } };
  const cells = read({ ...createDecisionRecord(NOW_MS, 1), providers: { prefactor } } as LogRecord);
  t.equal(cells['prefactor_signals_first_seen_latitude'], null);
  t.match(cells['other'], /"latitude":"north"/);
});

t.test('holds a gap at the time when its first decision was lost', async (t) => {
  const gap = createGapRecord(NOW_MS, 1);
  const cells = read(gap);
  t.match(cells, { kind: 'gap', decided_at: NOW_MS, gap_id: gap.gap_id, gap_sink: 'redis', dropped: 1 });
  t.equal(cells['gap_until'], NOW_MS);
  const filled = Object.entries(cells).filter(([, value]) => value !== null);
  t.strictSame(
    filled.map(([name]) => name),
    ['kind', 'decided_at', 'gap_id', 'gap_sink', 'gap_until', 'dropped'],
  );
});

t.test('holds an event as text, with what is common to all', async (t) => {
  const event = {
    version: 1,
    kind: 'event',
    event_id: 'e1',
    at: '2026-03-04T05:06:07.089Z',
    caller: 'analyst',
    request_id: 'r1',
    event: 'list_changed',
    list: 'watched',
    change: 'put',
    entries: [],
  } as const;
  const filled = Object.entries(read(event)).filter(([, value]) => value !== null);
  t.strictSame(Object.fromEntries(filled), {
    kind: 'event',
    decided_at: NOW_MS,
    caller: 'analyst',
    request_id: 'r1',
    event_id: 'e1',
    event: 'list_changed',
    event_record: JSON.stringify(event),
  });
});

t.test('holds the label in force, and all labels as text', async (t) => {
  const at = '2026-03-05T00:00:00.000Z';
  const labels = [
    { label: 'legit', at: '2026-03-04T00:00:00.000Z', note: null, caller: 'shop' },
    { label: 'fraud', at, note: 'told', caller: 'shop' },
  ] as const;
  t.match(read(createDecisionRecord(NOW_MS, 1), labels), {
    label: 'fraud',
    label_at: Date.parse(at),
    label_note: 'told',
    labels: JSON.stringify(labels),
  });
  t.match(read(createDecisionRecord(NOW_MS, 1)), { label: null, label_at: null, labels: null });
});

t.test('refuses signals that columns cannot hold, and names that meet', async (t) => {
  const declare = (id: string, shape: z.ZodRawShape) => ({ id, signals: z.object(shape) });
  t.throws(() => recordColumns([declare('one', { list: z.array(z.number()) })]), /"list"/);
  t.throws(() => recordColumns([declare('one', { any: z.null() })]), /"any"/);
  const met = declare('one', { a_b: z.string(), a: z.object({ b: z.string() }) });
  t.throws(() => recordColumns([met]), /"one_signals_a_b"/);
});
