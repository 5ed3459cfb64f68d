import t from 'tap';
import { nearestName } from '../../../src/domain/policy/nearest-name.ts';

t.test('finds the nearest name within two edits', async (t) => {
  t.equal(nearestName('fond', ['action', 'found', 'fund']), 'found');
  t.equal(nearestName('accuont', ['account', 'amount']), 'account');
  t.equal(nearestName('', ['ab']), null);
  t.equal(nearestName('c', ['a']), null);
  t.equal(nearestName('ct', ['cat']), 'cat');
  t.equal(nearestName('abc', ['']), null);
  t.equal(nearestName('telemetry', ['device']), null);
  t.equal(nearestName('x', []), null);
});
