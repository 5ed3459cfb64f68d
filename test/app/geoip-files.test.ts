import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkGeoipFiles, followGeoip } from '../../src/app/geoip-files.ts';
import { createReferenceData } from '../../src/app/reference-data.ts';
import { createLineLog } from '../support/line-log.ts';
import { until } from '../support/test-app.ts';
import { writeGeoip } from '../support/write-geoip.ts';

const BERLIN = {
  country: { iso_code: 'DE', names: { en: 'Germany' } },
  location: { latitude: 52.52, longitude: 13.41, accuracy_radius: 20 },
};
const PLACES = {
  '203.0.113.0/24': BERLIN,
  '198.51.100.0/24': { country: 'us', asn: 'AS64496' },
  '2001:db8::/32': { country: { iso_code: 'AU' }, autonomous_system_number: 64_497 },
};

async function open(t: Test, ...files: Buffer[]) {
  const directory = t.testdir();
  const paths = files.map((bytes, place) => {
    const path = join(directory, `${place}.mmdb`);
    writeFileSync(path, bytes);
    return path;
  });
  const log = createLineLog();
  const geoip = await followGeoip({ paths, logger: log.logger, nowMs: () => 5 });
  t.teardown(() => geoip.close());
  return { geoip, path: paths[0] ?? '', log };
}

t.test('knows the place of an address, in the form of MaxMind and of IPinfo', async (t) => {
  const { geoip } = await open(t, writeGeoip(PLACES));
  const { placeOfAddress } = createReferenceData(geoip.placeOfAddress);
  t.same(placeOfAddress('203.0.113.9'), { country: 'DE', latitude: 52.52, longitude: 13.41, radiusKm: 20 });
  t.same(placeOfAddress('198.51.100.1'), { country: 'US', asn: 64_496 });
  t.same(placeOfAddress('2001:db8::7'), { country: 'AU', asn: 64_497 });
  for (const unknown of ['192.0.2.1', '2001:db9::1']) t.equal(placeOfAddress(unknown), null);
  t.same(geoip.statuses(), [{ file: 'geoip', isCurrent: true, loadedAtMs: 5, refusedAtMs: null }]);
});

t.test('adds what the next file knows to what the first does', async (t) => {
  const networks = { '203.0.113.0/24': { autonomous_system_number: 3320, country: { iso_code: 'US' } } };
  const { geoip } = await open(t, writeGeoip(PLACES), writeGeoip(networks));
  t.match(geoip.placeOfAddress('203.0.113.9'), { country: 'DE', asn: 3320 });
});

t.test('takes where an address is, and how exactly, from one file', async (t) => {
  const inexact = { location: { latitude: 52.5, longitude: 13.4 } };
  const nearby = {
    location: { latitude: -37.8, longitude: 145, accuracy_radius: 500 },
    autonomous_system_number: 3320,
  };
  const { geoip } = await open(
    t,
    writeGeoip({ '203.0.113.0/24': inexact }),
    writeGeoip({ '203.0.113.0/24': nearby, '198.51.100.0/24': nearby }),
  );
  t.same(geoip.placeOfAddress('203.0.113.9'), { latitude: 52.5, longitude: 13.4, asn: 3320 });
  t.match(geoip.placeOfAddress('198.51.100.9'), { latitude: -37.8, radiusKm: 500 });
});

t.test('knows nothing without a file', async (t) => {
  const { geoip } = await open(t);
  t.equal(geoip.placeOfAddress('203.0.113.9'), null);
  t.same(geoip.statuses(), []);
  t.equal(geoip.edition(), 0);
});

t.test('says what a damaged part of a file would have told is lost', async (t) => {
  const bytes = writeGeoip({ '192.0.2.0/24': BERLIN });
  // A pointer beyond the end, in the place of the first name of the record.
  bytes[bytes.indexOf('iso_code') - 1] = 0x38;
  const { geoip } = await open(t, bytes);
  t.equal(geoip.placeOfAddress('192.0.2.9'), 'lost');
  t.equal(geoip.placeOfAddress('198.51.100.1'), null);
});

t.test('leaves out what is not of its type', async (t) => {
  const odd = { country: { iso_code: 'Germany' }, location: { latitude: 91, longitude: 0 }, asn: 'none' };
  const far = { location: { latitude: 1, longitude: 2.5, accuracy_radius: 30_000 }, country: true };
  const { geoip } = await open(
    t,
    writeGeoip({ '203.0.113.0/24': odd, '198.51.100.0/24': far, '192.0.2.0/24': 'text' }),
  );
  t.same(geoip.placeOfAddress('203.0.113.9'), {});
  t.same(geoip.placeOfAddress('198.51.100.9'), { latitude: 1, longitude: 2.5 });
  t.same(geoip.placeOfAddress('192.0.2.9'), {});
});

t.test('follows its file, and keeps the last good one', async (t) => {
  const { geoip, path, log } = await open(t, writeGeoip(PLACES));
  const countryNow = () => Reflect.get(Object(geoip.placeOfAddress('203.0.113.9')), 'country');
  const events = () => log.lines().map(({ event }) => event);
  writeFileSync(path, writeGeoip({ '203.0.113.0/24': { country: { iso_code: 'NG' } } }));
  const before = geoip.edition();
  t.equal(geoip.edition(), before, 'as long as no file changes');
  await until('it is reloaded', () => countryNow() === 'NG');
  t.not(geoip.edition(), before, 'what was remembered of it is out of date');
  writeFileSync(path, 'no database');
  await until('it is refused', () => events().length === 2);
  t.same(events(), ['geoip.reloaded', 'geoip.refused']);
  t.equal(countryNow(), 'NG');
  t.match(geoip.statuses(), [{ isCurrent: false }]);
  t.notMatch(log.text(), /no database/);
});

t.test('does not begin with a file that is none, is cut off, or is not there', async (t) => {
  const whole = writeGeoip(PLACES);
  for (const bytes of [
    Buffer.from(''),
    Buffer.from('no database'),
    whole.subarray(0, whole.length - 20),
    whole.subarray(2_000),
  ])
    await t.rejects(open(t, bytes), /is no file in the MaxMind format/);
  const paths = [join(t.testdir(), 'none.mmdb')];
  await t.rejects(
    followGeoip({ paths, logger: createLineLog().logger, nowMs: () => 0 }),
    /cannot be read \(ENOENT\)/,
  );
  t.match(checkGeoipFiles(paths), [/none.mmdb: cannot be read \(ENOENT\)/]);
});
