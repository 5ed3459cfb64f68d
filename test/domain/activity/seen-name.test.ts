import t from 'tap';
import { nameOfHash, nameOfText } from '../../../src/domain/activity/seen-name.ts';

t.test('names values by 48 bits, and never by 0', async (t) => {
  t.equal(nameOfHash('0123456789abcdef0123456789abcdef'), 0x0123456789ab);
  t.equal(nameOfHash('f'.repeat(32)), 2 ** 48 - 1);
  t.equal(nameOfHash('0'.repeat(32)), 1);
  t.equal(nameOfText('DE'), 0x4445);
  t.equal(nameOfText('longer than that'), nameOfText('longer'));
  t.ok(nameOfText('\uffff'.repeat(9)) < 2 ** 48);
  t.equal(nameOfText(''), 1);
});
