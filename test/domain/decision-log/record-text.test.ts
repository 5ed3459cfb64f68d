import fc from 'fast-check';
import t, { type Test } from 'tap';
import { evidenceFields } from '../../../src/domain/decision-fields.ts';
import {
  type DecisionRecord,
  decisionRecordSchema,
  type EvidenceRecord,
  type LogRecord,
} from '../../../src/domain/decision-log/decision-record.ts';
import { createRecordPacker } from '../../../src/domain/decision-log/packed-records.ts';
import { fillFrame, toFrame } from '../../../src/domain/decision-log/record-frame.ts';
import { createRecordTexts } from '../../../src/domain/decision-log/record-text.ts';
import { createSignalsTexts } from '../../../src/domain/decision-log/signals-text.ts';
import { createRecordUnpacker } from '../../../src/domain/decision-log/unpack-records.ts';
import {
  createCandidateResult,
  createDecisionRecord,
  createGapRecord,
} from '../../support/decision-records.ts';

const RECORD = createDecisionRecord(0, 1);
const WHOLE_SIGNALS = { found: true, text: 'é\u2028"', list: ['a'] };

function assertTexts(t: Test, records: readonly LogRecord[]) {
  const textOf = createRecordTexts();
  for (const record of records) t.equal(textOf(record), JSON.stringify(record));
  t.same(
    repack(records),
    records.map((record) => JSON.stringify(record)),
    'packed and unpacked',
  );
}

/** The texts of records that another thread unpacks, in batches of three. */
function repack(records: readonly LogRecord[]): string[] {
  const [pack, unpack] = [createRecordPacker(), createRecordUnpacker()];
  const batches = Array.from({ length: Math.ceil(records.length / 3) }, (_, batch) =>
    unpack(pack(records.slice(3 * batch, 3 * batch + 3))),
  );
  return batches.flat().map(({ record }) => JSON.stringify(record));
}

/** Another value for each field of a record: the compiler asks for every one of them. */
const CHANGES: { readonly [Name in keyof Required<DecisionRecord>]: readonly unknown[] } = {
  version: [],
  kind: [],
  decision_id: ['other'],
  decided_at: ['2026-01-01T00:00:00.000Z'],
  decision: ['BLOCK'],
  degraded: [false],
  reasons: [[], [...RECORD.reasons, ...RECORD.reasons]],
  waivers: [[]],
  caller: ['"', '\u0000', 'other'],
  entry_point: ['nginx'],
  action: [null, 'other'],
  request_id: [null, 'a"\\\ud800é'],
  subject: [
    { ...RECORD.subject, hash_key: undefined },
    { ...RECORD.subject, hash_key: '00000000' },
    { telemetry: null, devices: [], account: null },
    { ...RECORD.subject, ip: null, network: null, visitor: null, place: null },
    { ...RECORD.subject, ip: 'g', network: undefined },
    {
      ...RECORD.subject,
      ip: 'g',
      network: 'h',
      visitor: '"\u0000\ud800',
      place: { latitude: 52.5, longitude: -13.4 },
    },
    { ...RECORD.subject, telemetry: 'c', devices: ['d', 'e'], account: 'f' },
  ],
  request: [undefined, { ...RECORD.request, ip: 'unreadable' }],
  providers: [
    {},
    { stytch: RECORD.providers['stytch'] },
    { ...RECORD.providers, mobilerun: RECORD.providers['stytch'] },
    { ...RECORD.providers, stytch: undefined },
    { prefactor: RECORD.providers['prefactor'], stytch: RECORD.providers['stytch'] },
  ],
  custody: [
    { result: 'none', signals: null },
    { result: 'repeated', signals: { ...RECORD.custody.signals, uses: 2, expired: undefined } },
    { ...RECORD.custody, signals: { uses: 1, age_seconds: 2, bound_elsewhere: true } },
  ],
  activity: [undefined, 'unknown', { account: { decisions_1h: 2 } }],
  step_up: [undefined, 'none', { age_seconds: 7, method: 'é"' }],
  lists: [undefined, {}, { blocked: { device: true } }],
  shared: [undefined, 'unknown', { account: { session_revoked_seconds: 7 } }],
  contradictions: [undefined, 'unknown', { count: 1, because: { travel: { km: 900 } } }],
  policy: [
    { id: 'other', hash: RECORD.policy.hash },
    { ...RECORD.policy, hash: 'sha256:2' },
  ],
  engine: ['9.9.9'],
  latency_ms: [0, 0.01, 1e21, Number.NaN],
  rules: [[], [...RECORD.rules]],
  candidates: [
    [],
    [createCandidateResult('sha256:1', 'BLOCK'), createCandidateResult('sha256:2', null)],
    [createCandidateResult('sha256:1', 'ALLOW')],
  ],
};

/** The same of one piece of evidence. */
const EVIDENCE_CHANGES: { readonly [Name in keyof EvidenceRecord]: readonly EvidenceRecord[Name][] } = {
  outcome: ['not_found'],
  cache: ['miss'],
  cache_level: [null, 'redis'],
  latency_ms: [0.5, 12],
  age_ms: [0, 7],
  request_id: [null, 'with "quotes"', '\u0000'],
  suspect: [true],
  signals: [null, WHOLE_SIGNALS, { ...WHOLE_SIGNALS }],
};

t.test(
  'makes the text that JSON.stringify makes, whichever field differs from the records before',
  async (t) => {
    t.same(Object.keys(CHANGES).toSorted(), Object.keys(decisionRecordSchema.shape).toSorted());
    t.same(Object.keys(EVIDENCE_CHANGES).toSorted(), Object.keys(evidenceFields).toSorted());
    const changed = Object.entries(CHANGES).flatMap(([name, values]) =>
      values.map((value) => ({ ...RECORD, [name]: value }) as DecisionRecord),
    );
    const { prefactor } = RECORD.providers;
    const evidence = Object.entries(EVIDENCE_CHANGES).flatMap(([name, values]) =>
      values.map((value) => {
        const use = { ...prefactor, [name]: value } as EvidenceRecord;
        return { ...RECORD, providers: { ...RECORD.providers, prefactor: use } };
      }),
    );
    const others = [...changed, ...evidence];
    t.ok(others.length >= 40);
    // Each is followed by what it differs from, and comes again when its kind is known.
    assertTexts(t, [RECORD, RECORD, ...others.flatMap((other) => [other, RECORD, other, other])]);
  },
);

t.test('makes the text of a gap', async (t) => {
  assertTexts(t, [createGapRecord(0, 1), RECORD, createGapRecord(0, 2)]);
});

t.test('makes the text of a record whose parts nobody shares', async (t) => {
  assertTexts(
    t,
    Array.from({ length: 80 }, (_, serial) => createDecisionRecord(serial, serial)),
  );
});

t.test('makes the texts of more results and kinds than are remembered', async (t) => {
  const results = Array.from({ length: 40 }, () => [...RECORD.rules]);
  const records = results.flatMap((rules, place) =>
    Array.from({ length: place === 0 ? 80 : 2 }, (_, kind) => ({
      ...RECORD,
      rules,
      caller: `caller-${kind >> 1}`,
    })),
  );
  assertTexts(t, [...records, ...records]);
});

t.test('makes the texts of any records in any order', async (t) => {
  const [otherRules, otherReasons] = [[...RECORD.rules], [...RECORD.reasons]];
  const use = fc.record<EvidenceRecord>({
    outcome: fc.constantFrom('ok', 'not_found'),
    cache: fc.constantFrom('hit', 'miss'),
    cache_level: fc.constantFrom('memory', null),
    latency_ms: fc.double({ min: 0, max: 100, noNaN: true }),
    age_ms: fc.nat(),
    request_id: fc.option(fc.string({ unit: 'binary' })),
    suspect: fc.boolean(),
    signals: fc.constantFrom(null, WHOLE_SIGNALS, { found: false }),
  });
  const records = fc.record({
    request_id: fc.option(fc.string({ unit: 'binary' })),
    caller: fc.constantFrom('a', '"', '\u0000'),
    action: fc.constantFrom('login', null),
    decision: fc.constantFrom('ALLOW', 'BLOCK'),
    rules: fc.constantFrom(RECORD.rules, otherRules),
    reasons: fc.constantFrom(RECORD.reasons, otherReasons),
    latency_ms: fc.double({ noNaN: true }),
    providers: fc.record({ stytch: use, prefactor: use }),
  });
  fc.assert(
    fc.property(fc.array(records, { maxLength: 40 }), (list) => {
      const textOf = createRecordTexts();
      return list.every((changes) => {
        const record = { ...RECORD, ...changes } as DecisionRecord;
        return textOf(record) === JSON.stringify(record);
      });
    }),
  );
  fc.assert(
    fc.property(fc.array(records, { maxLength: 40 }), (list) => {
      const all = list.map((changes) => ({ ...RECORD, ...changes }) as DecisionRecord);
      t.same(
        repack(all),
        all.map((record) => JSON.stringify(record)),
      );
    }),
  );
  t.pass();
});

t.test('fills a frame with no record that lacks a provider of it', async (t) => {
  const frame = toFrame(RECORD);
  if (frame === null) throw new Error('the record has a frame');
  const signalsTextOf = createSignalsTexts();
  t.equal(fillFrame(frame, RECORD, signalsTextOf), JSON.stringify(RECORD));
  t.throws(() => fillFrame(frame, { ...RECORD, providers: {} }, signalsTextOf), RangeError);
});
