import t from 'tap';
import type { DecisionRecord, LogRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { createRecordPacker } from '../../../src/domain/decision-log/packed-records.ts';
import { toFrame } from '../../../src/domain/decision-log/record-frame.ts';
import { toRow } from '../../../src/domain/decision-log/record-row.ts';
import { RecordedEvidence } from '../../../src/domain/decision-log/recorded-evidence.ts';
import { createRecordUnpacker } from '../../../src/domain/decision-log/unpack-records.ts';
import type { Signals } from '../../../src/domain/evidence.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';

const RECORD = createDecisionRecord(0, 1);
const STORED: Signals = { found: true, seen: { at: 'then', list: ['one'] }, name: 'é"', still: { a: 1 } };

/** A record of stored evidence, as it is read at an age. */
function readAt(age: number, more: Signals | object = {}): DecisionRecord {
  const signals = { ...STORED, seen: { at: 'then', list: ['one'], age_seconds: age }, age, ...more };
  const use = {
    provider: 'stytch',
    outcome: 'ok',
    origin: 'memory',
    latencyMs: age,
    ageMs: age,
    upstreamRequestId: null,
    suspect: false,
    signals,
    stored: STORED,
  } as unknown as ConstructorParameters<typeof RecordedEvidence>[0];
  return {
    ...RECORD,
    decision_id: `id-${age}`,
    providers: { ...RECORD.providers, stytch: new RecordedEvidence(use) },
  };
}

const textsOf = (records: readonly LogRecord[]) => records.map((record) => JSON.stringify(record));

t.test('sends once what the records of a batch have in common', async (t) => {
  const [pack, unpack] = [createRecordPacker(), createRecordUnpacker()];
  const records = Array.from({ length: 20 }, (_, age) => readAt(age));
  pack(records);
  const packed = pack(records);
  t.equal(packed.frames.length, 1);
  t.equal(packed.signals.filter((text) => text.includes('then')).length, 1);
  t.notOk(packed.rows.includes('then'), 'what is alike is not in the rows');
  const unpacked = unpack(packed);
  t.same(textsOf(unpacked.map(({ record }) => record)), textsOf(records));
  const [{ frame } = { frame: null }] = unpacked;
  t.ok(unpacked.every((one) => one.frame === frame && frame !== null));
  for (const { record } of unpacked)
    t.equal(record.kind === 'decision' && record.rules, frame?.rules, 'the same object in all of them');
  t.equal(unpack(packed)[0]?.frame, frame, 'in another batch too');
});

t.test('sends the names in facts once', async (t) => {
  const [pack, unpack] = [createRecordPacker(), createRecordUnpacker()];
  const records = Array.from({ length: 20 }, (_, age) => ({
    ...readAt(age),
    activity: { account: { devices_1h: age, known_device: age > 3 } },
    lists: age === 7 ? 'unknown' : { blocked: { device: false }, entries: [`blocked/${age}`] },
    contradictions: age === 8 ? null : { travel: false, because: { travel: { km: age / 7, from: 'é"' } } },
  })) as readonly DecisionRecord[];
  pack(records);
  const packed = pack(records);
  for (const name of ['known_device', 'blocked"', 'because']) t.notOk(packed.rows.includes(name), name);
  t.same(textsOf(unpack(packed).map(({ record }) => record)), textsOf(records));
});

t.test('sends signals as they are where their frame does not fit', async (t) => {
  const [pack, unpack] = [createRecordPacker(), createRecordUnpacker()];
  const records = [1, 2, 3].map((age) => readAt(age));
  const odd = readAt(4, { age: undefined, other: 5 });
  const batch = [...records, odd, readAt(5)];
  t.same(
    textsOf(unpack(pack(batch)).map(({ record }) => record)),
    textsOf(batch),
    'as many names, and others',
  );
});

t.test('forgets frames rather than to keep them all', async (t) => {
  const unpack = createRecordUnpacker();
  const frameOf = (caller: string) => {
    const frames = [JSON.stringify({ ...RECORD, caller, providers: {} })];
    return unpack({ frames, signals: [], rows: '[[0]]' })[0]?.frame;
  };
  const first = frameOf('0');
  t.equal(frameOf('0'), first);
  for (let number = 1; number <= 1_000; number += 1) frameOf(String(number));
  t.not(frameOf('0'), first);
  t.same(frameOf('0'), first);
});

t.test('refuses a row whose frame or signals are not there', async (t) => {
  const unpack = createRecordUnpacker();
  t.throws(() => unpack({ frames: [], signals: [], rows: '[[0]]' }), RangeError);
  const frames = [JSON.stringify({ ...RECORD, providers: { stytch: RECORD.providers['stytch'] } })];
  const row = [0, 'id', 'at', null, null, [], null, null, null, null, null, 1, 1, null, [7, 1]];
  t.throws(() => unpack({ frames, signals: [], rows: JSON.stringify([row]) }), RangeError);
});

t.test('makes no row of a record that lacks a provider of its frame', async (t) => {
  const frame = toFrame(RECORD);
  if (frame === null) throw new Error('the record has a frame');
  const writers = { signalsOf: () => null, factOf: (value: unknown) => value };
  t.throws(() => toRow(0, frame, { ...RECORD, providers: {} }, writers), RangeError);
});

t.test('reads a row of before shared signals were recorded, which has no place for them', async (t) => {
  const [pack, unpack] = [createRecordPacker(), createRecordUnpacker()];
  const batch = [1, 2, 3].map((age) => ({ ...readAt(age), shared: null }) as DecisionRecord);
  pack(batch);
  const packed = pack(batch);
  const [frame = '{}'] = packed.frames;
  const { shared, ...earlier } = JSON.parse(frame) as Record<string, unknown>;
  t.not(shared, undefined, 'this version has a place for them');
  // The last three of a row: shared signals, contradictions, latency.
  const rows = (JSON.parse(packed.rows) as unknown[][]).map((row) => row.toSpliced(-3, 1));
  const [told] = unpack({ ...packed, frames: [JSON.stringify(earlier)], rows: JSON.stringify(rows) });
  const [{ shared: none, ...rest } = { shared: undefined }] = batch;
  t.equal(none, null);
  t.same(JSON.parse(JSON.stringify(told?.record)), JSON.parse(JSON.stringify(rest)));
});
