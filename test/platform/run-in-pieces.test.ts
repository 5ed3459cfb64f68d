import t from 'tap';
import { runInPieces } from '../../src/platform/run-in-pieces.ts';

function* countTo(steps: number, onStep: () => void): Generator<undefined, number> {
  for (let step = 0; step < steps; step += 1) {
    onStep();
    yield;
  }
  return steps;
}

t.test('gives what the steps return', async (t) => {
  t.equal(await runInPieces(countTo(10, () => {})), 10);
  t.equal(await runInPieces(countTo(0, () => {})), 0);
});

t.test('lets others have their turn between long steps', async (t) => {
  let turns = 0;
  const turn = setInterval(() => (turns += 1), 0);
  t.teardown(() => clearInterval(turn));
  // Each step is longer than a piece.
  const steps = countTo(20, () => {
    const endsAtMs = performance.now() + 6;
    while (performance.now() < endsAtMs);
  });
  await runInPieces(steps);
  t.ok(turns >= 10, `${turns} turns`);
});

t.test('rejects with what a step throws', async (t) => {
  const steps = countTo(3, () => {
    throw new Error('broken');
  });
  await t.rejects(runInPieces(steps), /broken/);
});
