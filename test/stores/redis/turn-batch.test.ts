import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { createTurnBatch } from '../../../src/stores/redis/turn-batch.ts';
import { createTurnEnd } from '../../../src/stores/redis/turn-end.ts';

const atTurnEnd = createTurnEnd((send) => send());
const SERVER = { atTurnEnd, isCluster: false };

interface BatchOptions {
  readonly isCluster?: boolean;
  readonly entriesMax?: number;
  readonly groupOf?: (asked: number) => string;
}

function createCountedBatch({ isCluster = false, ...options }: BatchOptions = {}) {
  const calls: (readonly number[])[] = [];
  const ask = createTurnBatch<number, number>(
    { atTurnEnd, isCluster },
    {
      ...options,
      unknown: -1,
      send: async (asked) => {
        calls.push(asked);
        return asked.map((number) => 10 * number);
      },
    },
  );
  return { ask, calls };
}

t.test('sends what is asked for within one turn as one call, and tells each its own', async (t) => {
  const { ask, calls } = createCountedBatch();
  t.same(await Promise.all([ask(1), Promise.resolve().then(() => ask(2)), ask(3)]), [10, 20, 30]);
  t.same(calls, [[1, 3, 2]]);
});

t.test('does not wait for the call before', async (t) => {
  const calls: number[] = [];
  const ask = createTurnBatch<number, number>(SERVER, {
    unknown: -1,
    send: ([asked = 0]) => {
      calls.push(asked);
      return new Promise(() => {});
    },
  });
  void ask(1);
  await setImmediate();
  void ask(2);
  await setImmediate();
  t.same(calls, [1, 2]);
});

t.test('sends no call that is larger than it may be', async (t) => {
  const { ask, calls } = createCountedBatch({ entriesMax: 2 });
  t.same(await Promise.all([1, 2, 3, 4, 5].map(ask)), [10, 20, 30, 40, 50]);
  t.same(calls, [[1, 2], [3, 4], [5]]);
});

t.test('keeps 32 entries in a call by itself', async (t) => {
  const { ask, calls } = createCountedBatch();
  await Promise.all(Array.from({ length: 75 }, (_, number) => ask(number)));
  t.same(
    calls.map(({ length }) => length),
    [32, 32, 11],
  );
});

t.test('keeps groups in calls of their own on a cluster', async (t) => {
  const groupOf = (asked: number) => (asked % 2 === 0 ? 'even' : 'odd');
  const { ask, calls } = createCountedBatch({ isCluster: true, groupOf, entriesMax: 2 });
  t.same(await Promise.all([1, 2, 3, 4, 5].map(ask)), [10, 20, 30, 40, 50]);
  t.same(calls, [[1, 3], [5], [2, 4]]);
});

t.test('tells everybody that nothing is known where a call fails, or tells too little', async (t) => {
  const failing = createTurnBatch<number, number>(SERVER, {
    unknown: -1,
    send: async ([asked = 0]) => {
      if (asked === 1) throw new RangeError('a defect');
      return [asked];
    },
  });
  t.same(await Promise.all([failing(1), failing(2)]), [-1, -1]);
  t.same(await Promise.all([failing(2), failing(3)]), [2, -1]);
  const throwing = createTurnBatch<number, number>(SERVER, {
    unknown: -1,
    send: () => {
      throw new RangeError('a defect that does not even begin');
    },
  });
  t.equal(await throwing(1), -1);
});

t.test('sends all calls of a turn together, and those of the next one apart', async (t) => {
  const writes: number[][] = [];
  const shared = createTurnEnd((send) => {
    writes.push([]);
    send();
  });
  const createBatch = () =>
    createTurnBatch<number, number>(
      { atTurnEnd: shared, isCluster: false },
      {
        unknown: -1,
        send: async (asked) => {
          writes.at(-1)?.push(...asked);
          return asked;
        },
      },
    );
  const [one, other] = [createBatch(), createBatch()];
  await Promise.all([one(1), other(2), one(3)]);
  await other(4);
  t.same(writes, [[1, 3, 2], [4]]);
});
