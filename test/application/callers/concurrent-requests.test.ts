import t from 'tap';
import { createConcurrentRequests } from '../../../src/application/callers/concurrent-requests.ts';

t.test('gives out as many places as there may be, to each caller its own', async (t) => {
  const requests = createConcurrentRequests();
  const first = requests.take('a', 2);
  const second = requests.take('a', 2);
  t.equal(requests.take('a', 2), null);
  t.ok(requests.take('b', 1), 'another caller has places of its own');
  first?.();
  first?.();
  t.ok(requests.take('a', 2), 'a place that is given back twice is one place');
  t.equal(requests.take('a', 2), null);
  second?.();
  t.ok(requests.take('a', 2));
});
