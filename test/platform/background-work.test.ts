import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { createBackgroundWork, UnwantedError } from '../../src/platform/background-work.ts';

/** Keeps the event loop busy. */
function burn(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

t.test('runs pieces one at a time, in their order', async (t) => {
  const { run } = createBackgroundWork({ shareMax: 1 });
  const seen: string[] = [];
  const piece = (name: string) => async () => {
    seen.push(`${name} begins`);
    await nextTurn();
    seen.push(`${name} ends`);
    return name;
  };
  t.same(await Promise.all([run(piece('a')), run(piece('b'))]), ['a', 'b']);
  t.same(seen, ['a begins', 'a ends', 'b begins', 'b ends']);
});

t.test('begins every piece in a turn of its own', async (t) => {
  const { run } = createBackgroundWork({ shareMax: 1 });
  let turns = 0;
  let isOver = false;
  const count = async () => {
    while (!isOver) {
      await nextTurn();
      turns += 1;
    }
  };
  const counting = count();
  for (let piece = 0; piece < 20; piece += 1) await run(() => piece);
  isOver = true;
  await counting;
  t.ok(turns >= 19, `${turns} turns of others`);
});

t.test('leaves the rest of the event loop to others', async (t) => {
  const { run } = createBackgroundWork({ shareMax: 0.25 });
  const beganMs = performance.now();
  for (let piece = 0; piece < 10; piece += 1) await run(() => burn(5));
  await run(() => {});
  const tookMs = performance.now() - beganMs;
  // A machine that is busy with others only makes it longer.
  t.ok(tookMs >= 10 * 5 * 4 - 10, `${tookMs} ms for 50 ms of work`);
});

t.test('goes on after a piece that fails', async (t) => {
  const { run } = createBackgroundWork({ shareMax: 1 });
  await t.rejects(
    run(() => {
      throw new Error('lost');
    }),
    { message: 'lost' },
  );
  t.equal(await run(() => 1), 1);
});

t.test('runs nothing that nobody waits for when its turn comes', async (t) => {
  const { run } = createBackgroundWork({ shareMax: 1 });
  let isWanted = true;
  let runs = 0;
  const first = run(async () => {
    isWanted = false;
  });
  const second = run(
    () => {
      runs += 1;
    },
    () => isWanted,
  );
  await first;
  await t.rejects(second, new UnwantedError('nobody waits for it'));
  t.equal(await run(() => 'later'), 'later');
  t.equal(runs, 0);
});
