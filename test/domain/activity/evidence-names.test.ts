import t from 'tap';
import { hardwareOf, placeOfDevice } from '../../../src/domain/activity/evidence-names.ts';

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
  t.same(placeOfDevice('prefactor', seen({}), NOW * 1000), { latitude: 52.5, longitude: 13.4 });
  for (const fields of [
    { at_unix_seconds: NOW - 601 },
    { at_unix_seconds: NOW + 601 },
    { latitude: 91 },
    { longitude: 'x' },
  ])
    t.equal(placeOfDevice('prefactor', seen(fields), NOW * 1000), null);
  t.equal(placeOfDevice('prefactor', { found: false }, NOW * 1000), null);
  t.equal(placeOfDevice('stytch', seen({}), NOW * 1000), null);
});
