import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { TableEncoder } from '../../../src/platform/parquet/table-encoder.ts';
import type { CellValue, TableColumn } from '../../../src/platform/parquet/table-schema.ts';
import { parquetTypes, queryParquet } from '../../support/read-parquet.ts';
import { createDirectory } from '../../support/test-app.ts';

const COLUMNS: readonly TableColumn[] = [
  { name: 'id', type: 'int64' },
  { name: 'is_on', type: 'bool' },
  { name: 'share', type: 'double' },
  { name: 'text', type: 'string' },
  { name: 'at', type: 'timestamp' },
  { name: 'list', type: 'strings' },
];

/** Writes the rows to a file, and says how many bytes came before its end. */
function writeRows(t: Test, rows: Iterable<readonly CellValue[]>, groupRows: number) {
  const table = new TableEncoder({ columns: COLUMNS, groupRows, groupChars: 2 ** 26, createdBy: 'tests' });
  const pieces: Uint8Array[] = [];
  for (const row of rows) {
    table.add(row);
    pieces.push(table.take());
  }
  const before = Buffer.concat(pieces);
  table.finish();
  const path = join(createDirectory(t), 'table.parquet');
  writeFileSync(path, Buffer.concat([before, table.take()]));
  return { path, before };
}

t.test('keeps the types of columns, also in a file without rows', async (t) => {
  for (const rows of [[], [[1, true, 0.5, 'a', 0, ['a']]], [[null, null, null, null, null, null]]]) {
    const { path } = writeRows(t, rows, 10);
    t.strictSame(Object.fromEntries(await parquetTypes(path)), {
      id: 'BIGINT',
      is_on: 'BOOLEAN',
      share: 'DOUBLE',
      text: 'VARCHAR',
      at: 'TIMESTAMP WITH TIME ZONE',
      list: 'VARCHAR[]',
    });
    t.strictSame(await queryParquet(path, 'SELECT count(*)::INT AS n FROM file'), [{ n: rows.length }]);
  }
});

t.test('keeps values as they are, and nulls', async (t) => {
  const largest = Number.MAX_SAFE_INTEGER;
  const rows: CellValue[][] = [
    [largest, true, 0.1, 'é\u2028"\u{1F600}\n', Date.UTC(2026, 1, 3, 4, 5, 6, 789), ['a', 'ü']],
    [-largest, false, -1e300, '', -1, []],
    [null, null, null, null, null, null],
    [0, true, 0, 'é\u2028"\u{1F600}\n', 253_402_300_799_999, ['']],
  ];
  const { path } = writeRows(t, rows, 10);
  const sql = 'SELECT id, is_on, share, text, epoch_ms("at") AS ms, list FROM file';
  const read = (await queryParquet(path, sql)).map(({ id, is_on, share, text, ms, list }) => [
    id === null ? null : Number(id),
    is_on,
    share,
    text,
    ms === null ? null : Number(ms),
    list,
  ]);
  t.strictSame(read, rows);
});

t.test('writes a group of rows as soon as it is full, and keeps their order over groups', async (t) => {
  const ROWS = 2500;
  const rows = Array.from({ length: ROWS }, (_, n) => [
    n,
    n % 2 === 0,
    n / 4,
    `text ${n % 7}`,
    n,
    [`${n % 3}`],
  ]);
  const { path, before } = writeRows(t, rows, 1000);
  t.ok(before.length > 4, 'there is more than the mark of the file');
  const groups = await queryParquet(
    path,
    `SELECT DISTINCT row_group_id::INT AS g, row_group_num_rows::INT AS n FROM parquet_metadata('${path}') ORDER BY g`,
  );
  t.strictSame(groups, [
    { g: 0, n: 1000 },
    { g: 1, n: 1000 },
    { g: 2, n: 500 },
  ]);
  const read = await queryParquet(path, 'SELECT id::INT AS id, text, list[1] AS item FROM file');
  t.strictSame(
    read,
    rows.map(([id, , , text, , list]) => ({ id, text, item: (list as string[])[0] })),
  );
});

t.test('is no file for any reader without its end', async (t) => {
  const { before } = writeRows(
    t,
    Array.from({ length: 2000 }, () => [1, true, 1, 'a', 1, ['a']]),
    1000,
  );
  for (const length of [0, 3, 4, 100, before.length - 1, before.length]) {
    const path = join(createDirectory(t), 'torn.parquet');
    writeFileSync(path, before.subarray(0, length));
    await t.rejects(
      queryParquet(path, 'SELECT count(*) FROM file'),
      /magic bytes|too small/i,
      `${length} bytes`,
    );
  }
});
