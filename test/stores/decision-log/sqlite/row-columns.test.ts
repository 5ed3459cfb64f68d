import fc from 'fast-check';
import t from 'tap';
import { packPlanes, readPlanes } from '../../../../src/stores/decision-log/sqlite/number-planes.ts';
import {
  packRows,
  RowColumns,
  type RowValue,
} from '../../../../src/stores/decision-log/sqlite/row-columns.ts';

const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: -5_000, max: 5_000 }).map((value) => value / 100),
  fc.integer({ min: 1.7e9, max: 1.8e9 }).map((seconds) => seconds * 1000),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const value: fc.Arbitrary<RowValue> = fc.oneof(
  number,
  fc.string(),
  fc.constantFrom('', 'EXAMPLE-NET', 0, 0.1),
);

/** Each row of the group that has as many values. */
function assertKept(rows: readonly (readonly RowValue[])[]): void {
  const lengths = [...new Set(rows.map((row) => row.length))];
  const groupOf = rows.map((row) => lengths.indexOf(row.length));
  const { groups, bytes } = packRows(rows, groupOf);
  const columns = new RowColumns({ groups: JSON.parse(JSON.stringify(groups)), bytes }, groupOf);
  for (const [place, row] of rows.entries()) {
    const read = [...row, 0].map((_, at) => columns.valueAt(place, at));
    t.same(JSON.stringify(read), JSON.stringify([...row, undefined]));
  }
  t.equal(columns.valueAt(rows.length, 0), undefined);
}

t.test('gives back any numbers that it packs, to the bit', async (t) => {
  fc.assert(
    fc.property(fc.array(number, { minLength: 1, maxLength: 40 }), (column) => {
      const packed = packPlanes(column);
      if (packed === null) return true;
      const { head, bytes } = packed;
      return column.every((one, row) => readPlanes(head, bytes, 0, row, column.length) === one);
    }),
    { numRuns: 1_000, seed: 7 },
  );
  t.pass();
});

t.test('takes few bytes for numbers that differ little, in whatever unit', async (t) => {
  const bytesOf = (column: number[]) => packPlanes(column)?.bytes.length;
  t.equal(bytesOf([7, 7, 7]), 0);
  t.equal(bytesOf([1_794_702_856_000, 1_794_703_111_000, 1_794_702_900_000]), 3, 'whole seconds');
  t.equal(bytesOf([0.22, 2.77, 1.5]), 3, 'hundredths');
  t.equal(bytesOf([-3, 252, 0]), 3);
  t.equal(bytesOf([-3, 253, 0]), 6);
  t.equal(packPlanes([0.001, 2]), null);
  t.equal(packPlanes([0, 2 ** 49]), null);
});

t.test('packs columns that rise or fall together into the same bytes', async (t) => {
  const ages = [46, 3, 2_000, 700];
  const planesOf = (toValue: (age: number) => number) => packPlanes(ages.map(toValue))?.bytes;
  const plain = planesOf((age) => age);
  t.same(
    planesOf((age) => 3_600 - age),
    plain,
  );
  t.same(
    planesOf((age) => (1_794_702_856 + age) * 1000),
    plain,
  );
});

t.test('gives back any rows, whatever groups they form', async () => {
  const row = fc.array(value, { maxLength: 4 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => assertKept(rows)),
    { numRuns: 200, seed: 9 },
  );
  const alike = fc.tuple(number, value, fc.constantFrom('a', 'b'));
  fc.assert(
    fc.property(fc.array(alike, { minLength: 12, maxLength: 40 }), (rows) => assertKept(rows)),
    { numRuns: 200, seed: 9 },
  );
});

t.test('refuses bytes that are not those of its rows', async (t) => {
  const rows = Array.from({ length: 20 }, (_, row) => [row, `text-${row}`, 'same']);
  const of = rows.map(() => 0);
  const { groups, bytes } = packRows(rows, of);
  t.throws(() => new RowColumns({ groups, bytes: bytes.subarray(1) }, of), { code: 'DAMAGED_BLOCK' });
  t.throws(() => new RowColumns({ groups, bytes }, of.slice(1)), { code: 'DAMAGED_BLOCK' });
  t.throws(() => new RowColumns({ groups, bytes }, [...of.slice(1), 1]), { code: 'DAMAGED_BLOCK' });
});
