import t from 'tap';
import {
  ageSeconds,
  KEPT_TOLD_MAX,
  latestOf,
  slotOf,
  toKeptStepUps,
} from '../../../src/domain/step-up/step-up.ts';

const at = (atMs: number) => ({ atMs, method: null, acr: null });

t.test('tells the whole seconds since a step-up', async (t) => {
  t.equal(ageSeconds(at(1_000_000), 1_000_000), 0);
  t.equal(ageSeconds(at(1_000_000), 1_001_999), 1);
});

t.test('takes a step-up for new that a clock which runs a little ahead has told', async (t) => {
  t.equal(ageSeconds(at(1_005_000), 1_000_000), 0);
});

t.test('tells no age of a step-up in the future: a clock was set back', async (t) => {
  t.equal(ageSeconds(at(1_005_001), 1_000_000), null);
  t.equal(ageSeconds(at(Number.MAX_SAFE_INTEGER), 1_000_000), null);
});

t.test('tells subjects of one telemetry id apart', async (t) => {
  const slots = [
    { devices: [], account: null },
    { devices: [], account: 'a' },
    { devices: ['d'], account: null },
    { devices: ['d'], account: 'a' },
    { devices: ['d', 'e'], account: 'a' },
  ].map((rest) => slotOf({ telemetry: 't', ...rest }));
  t.equal(new Set(slots).size, slots.length);
});

t.test('tells the step-ups of a telemetry id by their slots, and the latest of a part', async (t) => {
  const slots: [string, ReturnType<typeof at>][] = [
    [slotOf({ telemetry: 't', devices: ['d', 'e'], account: 'a' }), at(1)],
    [slotOf({ telemetry: 't', devices: [], account: null }), at(3)],
    [slotOf({ telemetry: 't', devices: ['d'], account: null }), at(2)],
  ];
  const kept = toKeptStepUps('t', 'a', slots);
  t.match(kept, [
    { atMs: 1, telemetry: 't', devices: ['d', 'e'], account: 'a' },
    { atMs: 3, devices: [], account: null },
    { atMs: 2, devices: ['d'], account: null },
  ]);
  const timesOf = (part: 'telemetry' | 'device' | 'account', hash: string) =>
    latestOf(kept, part, hash).map(({ atMs }) => atMs);
  t.same(timesOf('telemetry', 't'), [3, 2, 1]);
  t.same(timesOf('device', 'd'), [2, 1]);
  t.same(timesOf('account', 'a'), [1]);
  const many = toKeptStepUps(
    't',
    null,
    Array.from({ length: 30 }, (_, place) => ['d', at(place)] as const),
  );
  t.equal(latestOf(many, 'device', 'd').length, KEPT_TOLD_MAX);
  t.equal(latestOf(many, 'device', 'd')[0]?.atMs, 29);
});
