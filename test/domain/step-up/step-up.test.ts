import t from 'tap';
import { ageSeconds, slotOf } from '../../../src/domain/step-up/step-up.ts';

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
