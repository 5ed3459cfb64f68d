import t from 'tap';
import { LabelQueue, type WrittenLabel } from '../../../../src/stores/decision-log/sqlite/label-queue.ts';
import type { LabelTask } from '../../../../src/stores/decision-log/sqlite/label-writer.ts';

function toTask(id: string): LabelTask {
  return { id, label: { label: 'fraud', at: '', note: null, caller: 'c' }, isTimeGiven: false, seen: null };
}

/** A queue whose writes end when the test says so. */
function open() {
  const written: string[][] = [];
  const ends: ((results: readonly WrittenLabel[] | Error) => void)[] = [];
  const queue = new LabelQueue((tasks) => {
    written.push(tasks.map(({ id }) => id));
    const { promise, resolve, reject } = Promise.withResolvers<readonly WrittenLabel[]>();
    ends.push((results) => (results instanceof Error ? reject(results) : resolve(results)));
    return promise;
  });
  return { queue, written, end: (results: readonly WrittenLabel[] | Error) => ends.shift()?.(results) };
}

t.test('writes together what comes while others are written, in its order', async (t) => {
  const { queue, written, end } = open();
  const first = queue.add(toTask('first'));
  const others = Array.from({ length: 150 }, (_, place) => queue.add(toTask(`${place}`)));
  t.same(written, [['first']], 'the first one waits for nothing');
  end([{ kind: 'full' }]);
  t.same(await first, { kind: 'full' });
  t.equal(written[1]?.length, 100);
  end(Array.from({ length: 100 }, () => ({ kind: 'unknown_decision' })));
  await others[99];
  t.equal(written[2]?.length, 50);
  end(Array.from({ length: 50 }, () => ({ kind: 'full' })));
  t.same((await Promise.all(others)).map(({ kind }) => kind).indexOf('full'), 100);
  t.same(
    written.slice(1).flat(),
    others.map((_, place) => `${place}`),
  );
});

t.test('rejects what was not written, and goes on', async (t) => {
  const { queue, written, end } = open();
  const first = queue.add(toTask('first'));
  const [second, third] = [queue.add(toTask('second')), queue.add(toTask('third'))];
  end(Object.assign(new Error('lost'), { code: 'WORKER_LOST' }));
  await t.rejects(first, { code: 'WORKER_LOST' });
  t.same(written[1], ['second', 'third']);
  end([{ kind: 'failed', code: 'SQLITE_13' }]);
  await t.rejects(second, { code: 'SQLITE_13' });
  await t.rejects(third, { code: 'ERROR' }, 'what no result tells of');
  const last = queue.add(toTask('last'));
  end([{ kind: 'full' }]);
  t.same(await last, { kind: 'full' });
});
