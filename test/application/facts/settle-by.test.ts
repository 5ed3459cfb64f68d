import t from 'tap';
import { settleBy } from '../../../src/application/facts/settle-by.ts';

t.test('takes what comes in time', async (t) => {
  t.equal(await settleBy(Promise.resolve('told'), 60_000, 'late'), 'told');
});

t.test('takes what is there even where no time is left', async (t) => {
  t.equal(await settleBy(Promise.resolve('told'), -1, 'late'), 'told');
});

t.test('goes on without what comes too late', async (t) => {
  const { promise, resolve } = Promise.withResolvers<string>();
  t.equal(await settleBy(promise, 1, 'late'), 'late');
  resolve('told');
});
