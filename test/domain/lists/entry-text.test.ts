import t from 'tap';
import { parseEntryText, toEntryText } from '../../../src/domain/lists/entry-text.ts';
import { createListEntry, hashOf } from '../../support/list-entries.ts';

t.test('reads what it wrote', async (t) => {
  for (const entry of [
    createListEntry(),
    createListEntry({ others: { bbbb2222: hashOf(2) }, expiresAtMs: 5, note: 'x', isRemoved: true }),
    createListEntry({ part: 'country', value: 'DE', keyId: null }),
  ])
    t.strictSame(parseEntryText(toEntryText(entry)), entry);
});

t.test('takes nothing else for an entry', async (t) => {
  const whole = { list: 'blocked', part: 'device', value: hashOf(1), by: 'x' };
  const broken: readonly unknown[] = [
    { ...whole, list: 'No' },
    { ...whole, list: 1 },
    { ...whole, part: 'nothing' },
    { ...whole, value: 'raw' },
    { ...whole, value: 1 },
    { ...whole, by: 1 },
    { ...whole, key: 1 },
    { ...whole, note: 1 },
    { ...whole, until: 'soon' },
    { ...whole, others: 'x' },
    { ...whole, others: null },
    { ...whole, others: { k: 'raw' } },
    { ...whole, others: { k: 1 } },
  ];
  t.ok(parseEntryText(`1 ${JSON.stringify(whole)}`));
  for (const each of broken) t.equal(parseEntryText(`1 ${JSON.stringify(each)}`), null, JSON.stringify(each));
  for (const text of ['', 'x', '1 {', '1 {x}', `x ${JSON.stringify(whole)}`, '1 null', '1 []'])
    t.equal(parseEntryText(text), null, text);
});
