import t from 'tap';
import { measureNumber } from '../../../src/domain/activity/activity-measures.ts';
import { ownEventsSchema, readOwnEvents } from '../../../src/domain/activity/own-events.ts';

function mistakesOf(events: unknown): string[] {
  return (
    ownEventsSchema
      .safeParse(events)
      .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
  );
}

/** Two names that are stored by one number: found by trying. */
function findTwins(): readonly [string, string] {
  const byNumber = new Map<number, string>();
  for (let place = 0; ; place += 1) {
    const name = `event_${place}`;
    const twin = byNumber.get(measureNumber(name));
    if (twin !== undefined) return [twin, name];
    byNumber.set(measureNumber(name), name);
  }
}

t.test('takes names of its own, and none that is there already', async (t) => {
  t.same(mistakesOf(['coupon_used', 'a1']), []);
  t.match(mistakesOf(['payment']), [/^0: is a name that every policy knows/]);
  t.match(mistakesOf(['accounts', 'blocks']), [/^0: is a name/, /^1: is a name/]);
  t.match(mistakesOf(['Coupon']), [/^0: must be lower case/]);
  t.match(mistakesOf(['one', 'two', 'one']), [/^2: is named twice/]);
});

t.test('refuses two names that would be counted as one', async (t) => {
  const [one, two] = findTwins();
  t.not(one, two);
  t.match(mistakesOf([one, two]), [new RegExp(`^1: cannot stand beside "${one}"`)]);
});

t.test('stores names of its own beyond the common ones', async (t) => {
  t.equal(measureNumber('decisions'), 0);
  t.equal(measureNumber('payment'), 10);
  t.ok(measureNumber('coupon_used') >= 256 && measureNumber('coupon_used') < 65_536);
});

t.test('reads the right names in a document of any shape', async (t) => {
  t.same(readOwnEvents({ events: ['coupon_used', 'payment', 7, 'Bad'] }), ['coupon_used']);
  for (const document of [null, 'text', {}, { events: 'coupon_used' }]) t.same(readOwnEvents(document), []);
});
