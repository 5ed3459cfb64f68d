import fc from 'fast-check';
import t from 'tap';
import { NoteColumn } from '../../../src/domain/lists/note-column.ts';

const ROWS = 8;
const note = fc.option(
  fc.oneof(
    fc.constantFrom('', 'ticket 1', '\ud800', '名前', 'ÿ'),
    fc.string({ unit: 'binary', maxLength: 40 }),
  ),
);

t.test('holds every text, whatever was put before and after it', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(ROWS - 1), note), { maxLength: 200, size: 'max' }), (puts) => {
      const column = new NoteColumn(ROWS);
      const expected: (string | null)[] = Array.from({ length: ROWS }, () => null);
      for (const [row, text] of puts) {
        column.set(row, text);
        expected[row] = text;
      }
      t.strictSame(
        expected.map((_, row) => column.get(row)),
        expected,
      );
    }),
    { seed: 20_261_130 },
  );
});

t.test('holds texts that are longer than a call takes arguments', async (t) => {
  const column = new NoteColumn(1);
  for (const text of ['a'.repeat(300_000), '名'.repeat(300_000)]) {
    column.set(0, text);
    t.ok(column.get(0) === text);
  }
});
