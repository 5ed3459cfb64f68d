import t from 'tap';
import { LineBuffer } from '../../src/platform/line-buffer.ts';

t.test('gathers lines as UTF-8, however long they are', async (t) => {
  const lines = new LineBuffer(8);
  t.equal(lines.take().length, 0);
  const all = ['a', '', 'é\u2028€😀', 'x'.repeat(10_000), '\ud800'];
  for (const line of all) lines.add(line);
  t.equal(lines.take().toString(), `${all.with(4, '\ufffd').join('\n')}\n`);
  lines.add('again');
  t.equal(lines.take().toString(), 'again\n');
});
