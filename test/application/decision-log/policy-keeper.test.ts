import t from 'tap';
import { createPolicyKeeper } from '../../../src/application/decision-log/policy-keeper.ts';
import { until } from '../../support/test-app.ts';

const LONG_MS = 3_600_000;

/** Two places, of which one takes nothing while it is down. */
function open(againMs = LONG_MS) {
  const kept: string[] = [];
  let isDown = false;
  const place = (name: string, answer: () => boolean) => ({
    keep: async (hash: string, text: string) => {
      if (answer()) kept.push(`${name} ${hash} ${text}`);
      return answer();
    },
  });
  const keeper = createPolicyKeeper([place('one', () => true), place('two', () => !isDown)], againMs);
  const setDown = (value: boolean) => {
    isDown = value;
  };
  return { keeper, kept, setDown };
}

t.test('keeps a text everywhere', async (t) => {
  const { keeper, kept } = open();
  keeper.keep('h', 'text');
  await keeper.close();
  t.same(kept, ['one h text', 'two h text']);
});

t.test('tries again what was not kept, at the end at the latest', async (t) => {
  const { keeper, kept, setDown } = open();
  setDown(true);
  keeper.keep('h', 'text');
  keeper.keep('i', 'other');
  await until('both were tried', () => kept.length === 2);
  t.same(kept, ['one h text', 'one i other']);
  setDown(false);
  await keeper.close();
  t.same(kept.slice(2).toSorted(), ['one h text', 'one i other', 'two h text', 'two i other']);
});

t.test('keeps the latest texts again from time to time, where they may have been lost', async (t) => {
  const { keeper, kept } = open(5);
  await new Promise((resolve) => setTimeout(resolve, 0));
  keeper.keep('g', 'early');
  for (let serial = 0; serial < 14; serial += 1) keeper.keep(`between-${serial}`, 'text');
  keeper.keep('h', 'text');
  keeper.keep('i', 'other');
  await until('it was kept again', () => kept.filter((line) => line === 'one i other').length > 2);
  t.ok(kept.filter((line) => line === 'one h text').length > 2);
  t.equal(kept.filter((line) => line === 'one g early').length, 1, 'the earliest is kept once');
  await keeper.close();
});

t.test('keeps nothing where there is nothing', async (t) => {
  const { keeper, kept } = open(1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await keeper.close();
  t.same(kept, []);
});
