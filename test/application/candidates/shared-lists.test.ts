import t from 'tap';
import { createSharedLists } from '../../../src/application/candidates/shared-lists.ts';

t.test('returns one list for lists of the same items', async (t) => {
  const share = createSharedLists<object>();
  const [one, two] = [{}, {}];
  const first = share([one, two]);
  t.equal(share([one, two]), first);
  t.ok(Object.isFrozen(first));
  for (const other of [[two, one], [one], [one, two, one], [{}, {}]]) {
    const shared = share(other);
    t.not(shared, first);
    t.same(shared, other);
  }
});

t.test('remembers a bounded number of them', async (t) => {
  const share = createSharedLists<object>();
  const item = {};
  const first = share([item]);
  for (let other = 0; other < 32; other += 1) share([{}]);
  t.not(share([item]), first);
});
