import t from 'tap';
import { createPlaces } from '../../src/platform/places.ts';

const AN_HOUR_MS = 3_600_000;

function open(options: Parameters<typeof createPlaces>[0]) {
  const places = createPlaces(options);
  const told: string[] = [];
  const take = (name: string) => places.take((isGranted) => void told.push(`${name} ${isGranted}`));
  return { take, told };
}

t.test('gives places in the order in which they are asked for', async (t) => {
  const { take, told } = open({ max: 2, waitingMax: 2, waitMs: AN_HOUR_MS });
  const [leaveFirst, leaveSecond] = [take('1'), take('2')];
  const [leaveThird, leaveFourth] = [take('3'), take('4')];
  t.same(told, ['1 true', '2 true'], 'at once, while there are some');
  leaveSecond();
  leaveSecond();
  t.same(told.slice(2), ['3 true'], 'and once for each that is given back');
  leaveFirst();
  t.same(told.slice(3), ['4 true']);
  leaveThird();
  leaveFourth();
  take('5');
  take('6');
  t.same(told.slice(4), ['5 true', '6 true']);
});

t.test('refuses at once where too many wait', async (t) => {
  const { take, told } = open({ max: 1, waitingMax: 1, waitMs: AN_HOUR_MS });
  const leave = take('1');
  const stop = take('2');
  take('3')();
  t.same(told, ['1 true', '3 false']);
  stop();
  leave();
  take('4');
  t.same(told, ['1 true', '3 false', '4 true'], 'who stops waiting takes no place');
});

t.test('refuses who has waited too long, and keeps the place for others', async (t) => {
  const places = createPlaces({ max: 1, waitingMax: 9, waitMs: 1 });
  const leave = places.take(() => {});
  const refused = Promise.withResolvers<boolean>();
  const stop = places.take(refused.resolve);
  t.equal(await refused.promise, false);
  stop();
  leave();
  const granted = Promise.withResolvers<boolean>();
  places.take(granted.resolve);
  t.equal(await granted.promise, true);
});
