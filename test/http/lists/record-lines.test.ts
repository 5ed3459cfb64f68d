import t from 'tap';
import { readCells, readRecords } from '../../../src/http/lists/record-lines.ts';

async function recordsOf(
  text: string,
  isQuoted: boolean,
  size = 3,
): Promise<readonly (readonly [number, string | null])[]> {
  const bytes = Buffer.from(text);
  async function* pieces() {
    for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
  }
  const found: [number, string | null][] = [];
  for await (const { line, text: record } of readRecords(pieces(), isQuoted)) found.push([line, record]);
  return found;
}

t.test('cuts a text into lines, whatever pieces it comes in', async (t) => {
  for (const size of [1, 2, 3, 100])
    t.same(await recordsOf('\uFEFFä\r\n\nc"\nd', false, size), [
      [1, 'ä'],
      [3, 'c"'],
      [4, 'd'],
    ]);
  t.same(await recordsOf('', false), []);
});

t.test('keeps line breaks in quotes', async (t) => {
  for (const size of [1, 4, 100])
    t.same(await recordsOf('a,"b\nc"\nd', true, size), [
      [1, 'a,"b\nc"'],
      [3, 'd'],
    ]);
});

t.test('passes over a record that is too long, and goes on', async (t) => {
  const long = 'x'.repeat(10_000);
  t.same(await recordsOf(`a\n${long}\nb`, false, 700), [
    [1, 'a'],
    [2, null],
    [3, 'b'],
  ]);
  const open = `a\n"${`${long}\n`.repeat(2)}b\n`;
  t.same(
    await recordsOf(open, true, 700),
    [
      [1, 'a'],
      [2, null],
      [3, null],
      [4, 'b'],
    ],
    'a quote that is never closed',
  );
});

t.test('reads the cells of a record', async (t) => {
  t.same(readCells('a,"b ""c"", d",,"e"'), ['a', 'b "c", d', '', 'e']);
  t.same(readCells('a,'), ['a', '']);
  for (const broken of ['"a', '"a"b', 'x,"a""']) t.equal(readCells(broken), null, broken);
});
