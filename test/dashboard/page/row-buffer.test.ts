import t from 'tap';
import { createRowBuffer, type RowBuffer } from '../../../src/dashboard/page/row-buffer.ts';
import { createRow } from './rows.ts';

function idsOf(rows: RowBuffer): (string | undefined)[] {
  return Array.from({ length: rows.length }, (_, place) => rows.at(place)?.decision_id);
}

const rowsOf = (...ids: string[]) => ids.map((id) => createRow(id));

t.test('shows what arrived before what was read, newest first, each once', async (t) => {
  const rows = createRowBuffer(100);
  rows.append(rowsOf('c', 'b'));
  rows.add(createRow('d'));
  rows.add(createRow('e'));
  rows.add(createRow('c'));
  rows.append(rowsOf('b', 'a'));
  t.strictSame(idsOf(rows), ['e', 'd', 'c', 'b', 'a']);
  t.equal(rows.arrived, 2);
  t.ok(rows.has('a'));
  t.equal(rows.at(5), undefined);
});

t.test('lets the oldest go when there are too many, and tells how many of those that arrived', async (t) => {
  const rows = createRowBuffer(10);
  rows.append(rowsOf('b', 'a'));
  let dropped = 0;
  for (let serial = 0; serial < 30; serial += 1) dropped += rows.add(createRow(`new-${serial}`));
  t.equal(rows.length, 10);
  t.equal(dropped, 20);
  t.equal(rows.at(0)?.decision_id, 'new-29');
  t.equal(rows.at(9)?.decision_id, 'new-20');
  t.notOk(rows.has('a'));
  t.notOk(rows.has('new-0'));
  t.notOk(rows.hasRoom);
  rows.append(rowsOf('z'));
  t.notOk(rows.has('z'), 'what does not fit is left out');
  for (let serial = 30; serial < 36; serial += 1) rows.add(createRow(`new-${serial}`));
  t.notOk(rows.hasRoom, 'nothing is appended behind a gap');
});

t.test('keeps what arrived while the list was read again', async (t) => {
  const rows = createRowBuffer(100);
  rows.append(rowsOf('a'));
  rows.add(createRow('b'));
  const before = rows.arrived;
  rows.add(createRow('d'));
  rows.keepArrivedAfter(before);
  rows.append(rowsOf('d', 'c'));
  t.strictSame(idsOf(rows), ['d', 'c']);
  rows.clear();
  t.equal(rows.length, 0);
  t.notOk(rows.has('d'));
});
