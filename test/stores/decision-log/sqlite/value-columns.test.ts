import fc from 'fast-check';
import t from 'tap';
import { ValueColumns } from '../../../../src/stores/decision-log/sqlite/value-columns.ts';

/** Between other bytes, as in a block. */
function open(values: unknown): ValueColumns {
  const before = '"[1],';
  return new ValueColumns(Buffer.from(`${before}${JSON.stringify(values)}"rest`), before.length);
}

t.test('reads what JSON has, of any columns', async (t) => {
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
    fc.constantFrom(0, -1, 1e21, 5e-324, 999_999_999_999_999, 1_000_000_000_000_000, -0.5),
  );
  const columns = (rows: number, of: fc.Arbitrary<number>) =>
    fc.array(fc.array(of, { minLength: rows, maxLength: rows }), { maxLength: 6 });
  const given = fc
    .integer({ min: 1, max: 4 })
    .chain((rows) => fc.tuple(fc.constant(rows), columns(rows, number), columns(rows, fc.integer())));
  fc.assert(
    fc.property(given, fc.string(), ([rows, numbers, times], text) => {
      const read = open([numbers, times, [[`],[${text}`]]]);
      for (let row = 0; row < rows; row += 1) {
        t.strictSame(
          numbers.map((_, place) => read.numberAt(place, row)),
          numbers.map((column) => column[row]),
        );
        t.strictSame(
          times.map((_, place) => read.timeAt(place, row)),
          times.map((column) => column.slice(0, row + 1).reduce((sum, each) => sum + each, 0)),
        );
      }
      t.equal(read.numberAt(numbers.length, 0), undefined);
      t.equal(read.timeAt(times.length, 0), undefined);
    }),
    { numRuns: 300, seed: 15 },
  );
});

t.test('fails where values do not fit', async (t) => {
  t.throws(() => new ValueColumns(Buffer.from('[[[1'), 0), { code: 'DAMAGED_BLOCK' });
  t.throws(() => open([[[1]], [], []]).numberAt(0, 1), { code: 'DAMAGED_BLOCK' });
  t.throws(() => new ValueColumns(Buffer.from('[[],[[1]]'), 0).timeAt(0, 3), { code: 'DAMAGED_BLOCK' });
});
