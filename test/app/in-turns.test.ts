import t from 'tap';
import { inTurns } from '../../src/app/in-turns.ts';

t.test('does one work after the other, also after one that failed', async (t) => {
  let underWay = 0;
  const done: string[] = [];
  const read = inTurns(async (text: string) => {
    underWay += 1;
    t.equal(underWay, 1);
    await Promise.resolve();
    underWay -= 1;
    done.push(text);
    if (text === 'bad') throw new TypeError('bad');
    return text.length;
  });
  const all = await Promise.allSettled(['one', 'bad', 'three'].map((text) => read(text)));
  t.match(all, [{ value: 3 }, { reason: new TypeError('bad') }, { value: 5 }]);
  t.same(done, ['one', 'bad', 'three']);
});
