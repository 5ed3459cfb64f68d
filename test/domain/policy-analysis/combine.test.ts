import t from 'tap';
import { combine, type WeighedTable } from '../../../src/domain/policy-analysis/combine.ts';
import type { Space } from '../../../src/domain/policy-analysis/dimension.ts';
import { createSummaries } from '../../../src/domain/policy-analysis/summaries.ts';
import { fillTable } from '../../../src/domain/policy-analysis/table.ts';

const SIZE = 16;

/** Five dimensions of which each is in a table with each other, with the sum of all tables. */
function clique(size: number) {
  const space: Space = {
    dimensions: Array.from({ length: 5 }, (_, place) => ({
      name: `d${place}`,
      kind: 'signal',
      source: 'request',
      path: [`d${place}`],
      values: Array.from({ length: size }, (_, value) => value),
      parent: -1,
      isClient: false,
    })),
    places: new Map(),
    providers: new Map(),
    limits: [],
  };
  const summaries = createSummaries({ sum: 0 }, (left, right) => ({ sum: left.sum + right.sum }));
  const tables = [0, 1, 2, 3, 4].flatMap((left) =>
    [0, 1, 2, 3, 4].flatMap((right): WeighedTable[] => {
      if (right <= left) return [];
      const [scope, sizes] = [
        [left, right],
        [size, size],
      ];
      const codes = fillTable(scope, sizes, (one) => Number(one.get(left) === 0 && one.get(right) === 0));
      return [{ scope, sizes, codes, summaries: [[summaries.none], [summaries.numberOf({ sum: 1 })]] }];
    }),
  );
  return { space, summaries, tables };
}

function sumsOf(found: ReturnType<typeof combine<{ sum: number }>>): readonly number[] {
  return (found?.reached ?? []).map(({ summary }) => summary.sum).toSorted((left, right) => left - right);
}

t.test('comes to every sum that is possible, and says of how many combinations', async (t) => {
  const { space, summaries, tables } = clique(3);
  const found = combine(tables, space, summaries, { steps: 1e7 });
  t.ok(found?.isExact);
  // Of five, k that are 0 make k (k - 1) / 2 pairs.
  t.same(sumsOf(found), [0, 1, 3, 6, 10]);
  const counts = Object.fromEntries((found?.reached ?? []).map(({ summary, count }) => [summary.sum, count]));
  t.same(counts, { 0: 2 ** 5 + 5 * 2 ** 4, 1: 10 * 2 ** 3, 3: 10 * 2 ** 2, 6: 5 * 2, 10: 1 });
  for (const { summary, assignment, isGuess } of found?.reached ?? []) {
    const zeros = [0, 1, 2, 3, 4].filter((place) => (assignment.get(place) ?? 0) === 0).length;
    t.equal((zeros * (zeros - 1)) / 2, summary.sum, 'the assignment comes to it');
    t.notOk(isGuess);
  }
});

t.test('takes tables apart where they are too large together: it reaches no less, and says so', async (t) => {
  const { space, summaries, tables } = clique(SIZE);
  const found = combine(tables, space, summaries, { steps: 1e8 });
  t.equal(found?.isExact, false);
  const sums = sumsOf(found);
  for (const sum of [0, 1, 3, 6, 10]) t.ok(sums.includes(sum), String(sum));
  t.ok(found?.reached.every(({ isGuess }) => isGuess));
});

t.test('gives no answer beyond its budget', async (t) => {
  const { space, summaries, tables } = clique(3);
  t.equal(combine(tables, space, summaries, { steps: 10 }), null);
  const single = tables.slice(0, 1).map((table) => ({ ...table, scope: [], sizes: [] }));
  t.equal(combine(single, space, summaries, { steps: 0 }), null, 'of what is left at the end');
});
