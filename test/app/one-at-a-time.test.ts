import t from 'tap';
import { oneAtATime } from '../../src/app/one-at-a-time.ts';

const BUSY = { busy: 'Another text is being read', retryAfterSeconds: 3 };

t.test('does one work at a time, and says so to who comes meanwhile', async (t) => {
  const done: string[] = [];
  let end = () => {};
  const read = oneAtATime(BUSY, async (text: string) => {
    done.push(text);
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    return text.length;
  });
  const first = read('one');
  await t.rejects(read('second'), {
    code: 'conflict',
    message: 'Another text is being read.',
    publicDetail: 'Another text is being read: try again in a moment.',
    retryAfterSeconds: 3,
  });
  end();
  t.equal(await first, 3);
  const third = read('third');
  end();
  t.equal(await third, 5);
  t.same(done, ['one', 'third'], 'what was refused was not begun');
});

t.test('goes on after a work that failed', async (t) => {
  const read = oneAtATime({ busy: 'Busy' }, async (text: string) => {
    if (text === 'bad') throw new TypeError('bad');
    return text;
  });
  await t.rejects(read('bad'), TypeError);
  t.equal(await read('good'), 'good');
});
