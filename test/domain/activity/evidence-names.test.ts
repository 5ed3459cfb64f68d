import t from 'tap';
import { hardwareOf, isNear, sightingOf } from '../../../src/domain/activity/evidence-names.ts';

const NOW = 1_800_000_000;

t.test('tells the identifiers that a phone keeps', async (t) => {
  const identifiers = { imei_hash: 'i', gaid_hash: 'g', media_drm_id_hash: 'd', serial_hash: 's' };
  t.same(hardwareOf('mobilerun', { found: true, identifiers }), ['i', 'd', 'g']);
  t.same(hardwareOf('mobilerun', { found: true, identifiers: { imei_hash: { no: 'text' } } }), []);
  t.same(hardwareOf('mobilerun', { found: false }), []);
  t.same(hardwareOf('prefactor', { found: true, identifiers }), []);
});

t.test('tells where a device was seen within ten minutes', async (t) => {
  const seen = (fields: object) => ({
    found: true,
    last_seen: { latitude: 52.5, longitude: 13.4, at_unix_seconds: NOW, ...fields },
  });
  const near = sightingOf('prefactor', seen({}));
  t.same(near?.coordinates, { latitude: 52.5, longitude: 13.4 });
  for (const [seconds, expected] of [
    [0, true],
    [-600, true],
    [600, true],
    [-601, false],
    [601, false],
  ] as const) {
    t.equal(near !== null && isNear(near, (NOW + seconds) * 1000), expected, `${seconds} seconds after`);
  }
  for (const fields of [{ latitude: 91 }, { longitude: 'x' }, { at_unix_seconds: '5' }])
    t.equal(sightingOf('prefactor', seen(fields)), null);
  t.equal(sightingOf('prefactor', { found: false }), null);
  t.equal(sightingOf('stytch', seen({})), null);
});
