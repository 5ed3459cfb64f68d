import fc from 'fast-check';
import t from 'tap';
import { acceptedPlaces } from '../../../src/domain/activity/accepted-places.ts';
import { SEEN_KINDS } from '../../../src/domain/activity/activity-parts.ts';
import { type Acceptance, createActivityState, see } from '../../../src/domain/activity/activity-state.ts';
import { nameOfPlace, placeOfName } from '../../../src/domain/activity/seen-name.ts';

const NOW = 1_800_000_000;
const DAY = 86_400;
const BERLIN = { latitude: 52.5, longitude: 13.4 };
const LAGOS = { latitude: 6.5, longitude: 3.4 };
const kind = SEEN_KINDS.indexOf('places');

function viewOf(sightings: readonly (readonly [typeof BERLIN, number, Acceptance])[], sinceSeconds = 0) {
  const state = createActivityState(NOW - 40 * DAY, sinceSeconds);
  for (const [place, time, acceptance] of sightings) see(state, kind, nameOfPlace(place), time, acceptance);
  return { state, sinceSeconds, nowSeconds: NOW, keyPlace: 0, own: [] };
}

/** Those that are told where none is missing that would be later. */
function placesOf(views: Parameters<typeof acceptedPlaces>[0]) {
  const { places, missedUntilSeconds } = acceptedPlaces(views);
  if (missedUntilSeconds > 0) throw new Error('a place may be missing');
  return places;
}

t.test('tells the places that were accepted, the latest first', async (t) => {
  const view = viewOf([
    [BERLIN, NOW - DAY, 'accepted'],
    [LAGOS, NOW - 60, 'accepted'],
    [{ latitude: 0, longitude: 0 }, NOW - 30, null],
    [BERLIN, NOW - 10, null],
  ]);
  t.same(placesOf([view]), [
    { ...LAGOS, atSeconds: NOW - 60 },
    { ...BERLIN, atSeconds: NOW - DAY },
  ]);
});

t.test('knows no place that was taken back, under whichever hash key', async (t) => {
  const [accepted, revoked] = [
    viewOf([[BERLIN, NOW - DAY, 'accepted']]),
    viewOf([
      [BERLIN, NOW - DAY, 'accepted'],
      [BERLIN, NOW - 60, 'revoked'],
    ]),
  ];
  t.same(placesOf([accepted, revoked]), []);
  t.same(placesOf([accepted, viewOf([[BERLIN, NOW - 9, 'accepted']])]), [{ ...BERLIN, atSeconds: NOW - 9 }]);
});

t.test('forgets a place after 30 days', async (t) => {
  t.same(placesOf([viewOf([[BERLIN, NOW - 31 * DAY, 'accepted']])]), []);
});

t.test('does not take lost places for none', async (t) => {
  t.same(acceptedPlaces([viewOf([], NOW - DAY)]), { places: [], missedUntilSeconds: NOW - DAY });
  t.same(placesOf([viewOf([[BERLIN, NOW, 'accepted']], NOW - DAY)]), [{ ...BERLIN, atSeconds: NOW }]);
  t.same(placesOf([viewOf([], NOW - 40 * DAY)]), []);
});

t.test('takes no earlier place for the latest where a later one may be lost', async (t) => {
  t.match(acceptedPlaces([viewOf([[BERLIN, NOW - 3 * DAY, 'accepted']], NOW - 1_800)]), {
    missedUntilSeconds: NOW - 1_800,
  });
  const crowd = Array.from(
    { length: 64 },
    (_, at) => [{ latitude: at, longitude: 0 }, NOW - 60 + at, null] as const,
  );
  t.match(acceptedPlaces([viewOf([[BERLIN, NOW - DAY, 'accepted'], ...crowd])]), {
    missedUntilSeconds: NOW - DAY,
  });
  const accepted = placesOf([viewOf([[BERLIN, NOW - DAY, 'accepted'], ...crowd, [LAGOS, NOW, 'accepted']])]);
  t.same(accepted, [{ ...LAGOS, atSeconds: NOW }]);
});

t.test('names every place on Earth, to a tenth of a degree', async (t) => {
  const degrees = (most: number) =>
    fc.integer({ min: -most * 10, max: most * 10 }).map((tenths) => tenths / 10 + 0);
  fc.assert(
    fc.property(degrees(90), degrees(180), (latitude, longitude) => {
      const place = { latitude, longitude };
      t.same(placeOfName(nameOfPlace(place)), place);
    }),
  );
  t.same(placeOfName(nameOfPlace({ latitude: 52.5244, longitude: 13.4105 })), BERLIN);
  t.equal(placeOfName(0), null);
  t.equal(placeOfName(2 ** 48 - 1), null);
});
