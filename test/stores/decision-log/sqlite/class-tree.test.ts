import t from 'tap';
import { ClassTree } from '../../../../src/stores/decision-log/sqlite/class-tree.ts';

t.test('leads to one node for the same walk, and to another for any other', async (t) => {
  const tree = new ClassTree(100);
  const walk = (...values: readonly unknown[]) =>
    values.reduce<ReturnType<typeof tree.below>>((node, value) => tree.below(node, value), tree.root);
  const first = walk(1, '2', null);
  first.outcome = 7;
  t.equal(walk(1, '2', null).outcome, 7);
  for (const other of [
    [1, '2'],
    [1, 2, null],
    [1, '2', undefined],
    [1, '2', 'null'],
    ['1', '2', null],
  ])
    t.equal(walk(...other).outcome, null, JSON.stringify(other));
});

t.test('is full at its bound, and empty when it was cleared', async (t) => {
  const tree = new ClassTree(3);
  for (let value = 0; value < 2; value += 1) tree.below(tree.root, value);
  tree.below(tree.root, 0);
  t.notOk(tree.isFull);
  tree.below(tree.root, 2).outcome = 1;
  t.ok(tree.isFull);
  tree.clear();
  t.notOk(tree.isFull);
  t.equal(tree.below(tree.root, 2).outcome, null);
});
