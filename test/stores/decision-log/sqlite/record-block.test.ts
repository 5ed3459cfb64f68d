import fc from 'fast-check';
import t from 'tap';
import { readBlock, toBlock } from '../../../../src/stores/decision-log/sqlite/record-block.ts';
import { takeRecordApart } from '../../../../src/stores/decision-log/sqlite/record-form.ts';
import { createDecisionRecord, createGapRecord, uuidAt } from '../../../support/decision-records.ts';

const TIME_MS = Date.parse('2026-01-30T23:59:59.999Z');
const [HASH, OTHER_HASH] = ['0123456789abcdef'.repeat(2), 'f'.repeat(32)] as const;

function assertKept(records: readonly object[]): boolean {
  const block = readBlock(toBlock(records));
  return records.every((record, place) => JSON.stringify(block.at(place)) === JSON.stringify(record));
}

t.test('gives each record back by its place', async (t) => {
  const records = Array.from({ length: 40 }, (_, serial) =>
    serial % 7 === 3
      ? createGapRecord(TIME_MS - serial, serial)
      : createDecisionRecord(TIME_MS + serial * 1000, serial, {
          latency_ms: serial / 100,
          request_id: [null, 'plain', `request-id-live-${uuidAt(serial, serial)}-x`][serial % 3] ?? null,
          caller: `caller-${serial % 2}`,
        }),
  );
  t.ok(assertKept(records));
  const block = readBlock(toBlock(records));
  t.equal(block.at(40), undefined);
  t.equal(block.at(-1), undefined);
});

t.test('gives the values of a record without putting it together, however many have its form', async (t) => {
  const records = Array.from({ length: 60 }, (_, serial) =>
    createDecisionRecord(TIME_MS + serial * 1000, serial, {
      latency_ms: serial / 8,
      caller: `caller-${Math.floor(Math.sqrt(serial))}`,
    }),
  );
  const block = readBlock(toBlock(records));
  for (const [place, record] of records.entries()) {
    const { members, numbers, times } = takeRecordApart(record);
    const parts = block.partsAt(place);
    if (parts === undefined) throw new Error('a record is missing');
    t.strictSame(block.forms[parts.form], members);
    t.strictSame(
      [...numbers, undefined],
      [...numbers, 0].map((_, at) => parts.numberAt(at)),
    );
    t.strictSame(
      [...times, undefined],
      [...times, 0].map((_, at) => parts.timeAt(at)),
    );
  }
  t.equal(block.partsAt(60), undefined);
});

t.test('gives any record back, whatever looks like something else in it', async (t) => {
  const odd = fc.constantFrom(
    HASH,
    OTHER_HASH,
    HASH.toUpperCase(),
    '2026-01-31T00:00:00Z',
    '2026-02-30T00:00:00.000Z',
    '2026-02-28T24:00:00.000Z',
    '2026-00-00T00:00:00Z',
    '2026-12-31T23:59:59.123Z',
    '2026-12-31T23:59:59.12Z',
    uuidAt(TIME_MS, 1),
    `${uuidAt(TIME_MS, 1)}${uuidAt(TIME_MS, 2)}`,
    '\u0000',
    '\u0000h',
    '\u0000=0',
    '\u0000u',
  );
  const text = fc.oneof(odd, fc.string({ unit: 'binary' }));
  const name = fc.constantFrom('request_id', 'a', 'b', 'age_seconds');
  const number = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
  );
  const leaf = fc.oneof(text, number, fc.boolean(), fc.constant(null));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('value'), { maxLength: 4 }), tie('object')),
    object: fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  }));
  const record = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
  fc.assert(fc.property(fc.array(record, { minLength: 1, maxLength: 12 }), assertKept), { numRuns: 500 });
  t.pass();
});

t.test('gives records back that have parts in common, whatever these hold', async (t) => {
  const parts = [
    { hash: HASH },
    [{ request_id: uuidAt(TIME_MS, 1) }, OTHER_HASH, OTHER_HASH],
    [1, '2026-01-31T00:00:00Z', { at: '2026-01-02T00:00:00.500Z', n: [2, 3] }, '\u0000h'],
  ];
  const records = parts.flatMap((part) =>
    ['rules', 'request', 'other'].flatMap((name) => [
      { [name]: part },
      { first: HASH, n: 7, [name]: part, last: [HASH, 8, '2026-01-31T00:00:00Z'] },
      { first: OTHER_HASH, [name]: part, policy: part },
    ]),
  );
  t.ok(assertKept([...records, ...records.toReversed(), ...records]));
});

t.test('refuses a block that is damaged', async (t) => {
  const block = Buffer.from(toBlock([createDecisionRecord(TIME_MS, 1)]));
  t.throws(() => readBlock(block.subarray(0, -1)), { code: 'DAMAGED_BLOCK' });
  t.throws(() => readBlock(Buffer.concat([block, Buffer.alloc(16)])), { code: 'DAMAGED_BLOCK' });
  for (const place of [2, 20, 60]) {
    const torn = Buffer.from(block);
    torn[place] = (torn[place] ?? 0) ^ 0xff;
    t.throws(() => readBlock(torn));
  }
  const other = Buffer.from(block);
  other[other.length - 3] = (other.at(-3) ?? 0) ^ 1;
  t.throws(() => readBlock(other), { code: 'DAMAGED_BLOCK' }, 'one bit of a hash');
  t.throws(() => readBlock(new Uint8Array()));
});
