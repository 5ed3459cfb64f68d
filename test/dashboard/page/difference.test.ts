import t from 'tap';
import { changeOf, pointsOf } from '../../../src/dashboard/page/difference.ts';

t.test('a number is told against that of the window before', async (t) => {
  t.equal(changeOf(120, 100), '+20%');
  t.equal(changeOf(50, 100), '−50%');
  t.equal(changeOf(100, 100), 'as before');
  t.equal(changeOf(5, 0), 'nothing before', 'no share of nothing');
  t.equal(changeOf(null, 3), 'nothing to compare');
});

t.test('shares are told in percentage points, not per cent of per cent', async (t) => {
  t.equal(pointsOf(0.25, 0.2), '+5.0 points');
  t.equal(pointsOf(0.2, 0.25), '−5.0 points');
  t.equal(pointsOf(0.9, 0.1), '+80 points');
  t.equal(pointsOf(0.1, 0.1), 'as before');
  t.equal(pointsOf(0.1, null), 'nothing before');
  t.equal(pointsOf(null, 0.1), 'nothing to compare');
});
