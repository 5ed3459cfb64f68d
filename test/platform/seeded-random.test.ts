import t from 'tap';
import { createSeededRandom } from '../../src/platform/seeded-random.ts';

t.test('gives the numbers of mulberry32, the same for the same seed', async (t) => {
  const random = createSeededRandom(1);
  // As its public description gives them for this seed, times 2^32.
  t.same(
    [0, 1, 2].map(() => random() * 2 ** 32),
    [2_693_262_067, 11_749_833, 2_265_367_787],
  );
  t.equal(createSeededRandom(2 ** 32 + 1)(), createSeededRandom(1)());
});
