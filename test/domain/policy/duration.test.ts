import t from 'tap';
import { toSeconds } from '../../../src/domain/policy/duration.ts';

t.test('reads a whole number and a unit as seconds', async (t) => {
  t.equal(toSeconds('0s'), 0);
  t.equal(toSeconds('90s'), 90);
  t.equal(toSeconds('30m'), 1800);
  t.equal(toSeconds('24h'), 86_400);
  t.equal(toSeconds('7d'), 604_800);
});

t.test('reads nothing else', async (t) => {
  for (const text of ['', '30', 'm', '1.5h', '-1s', '01s', '30M', '1h30m', ' 1s', '99999999s', '1s\n'])
    t.equal(toSeconds(text), null, text);
});
