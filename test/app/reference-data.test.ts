import t from 'tap';
import { createReferenceData } from '../../src/app/reference-data.ts';

const { countriesOfTimeZone, countriesOfMcc, userAgentOf } = createReferenceData(() => null);

t.test('knows a time zone by any of its names, as a set of countries', async (t) => {
  const berlin = ['DE', 'DK', 'NO', 'SE', 'SJ'];
  for (const name of ['Europe/Berlin', 'europe/berlin', 'Europe/Oslo'])
    t.same(countriesOfTimeZone(name), berlin);
  t.same(countriesOfTimeZone('Asia/Calcutta'), ['IN']);
  t.same(countriesOfTimeZone('US/Pacific'), countriesOfTimeZone('America/Los_Angeles'));
  t.ok(countriesOfTimeZone('Africa/Lagos')?.includes('NG'));
});

t.test('knows zones that are of no country, and no zone that does not exist', async (t) => {
  for (const name of ['Etc/UTC', 'UTC', 'GMT']) t.same(countriesOfTimeZone(name), [], name);
  for (const name of ['', 'Europe/Atlantis', 'constructor', '__proto__'])
    t.equal(countriesOfTimeZone(name), null, name);
});

t.test('knows every time zone that this Node.js knows', async (t) => {
  const missing = Intl.supportedValuesOf('timeZone').filter((zone) => countriesOfTimeZone(zone) === null);
  t.same(missing, []);
});

t.test('knows mobile country codes, shared ones and those of territories', async (t) => {
  t.same(countriesOfMcc('262'), ['DE']);
  t.ok(countriesOfMcc('310')?.includes('US') && countriesOfMcc('310')?.includes('GU'));
  t.same(countriesOfMcc('340'), ['BL', 'GF', 'GP', 'MF', 'MQ']);
  t.same(countriesOfMcc('289'), ['GE'], 'a part of a country');
  t.same(countriesOfMcc('001'), [], 'test networks');
  t.same(countriesOfMcc('901'), [], 'satellites and ships');
  for (const none of ['', '26', '000', '2620', 'constructor']) t.equal(countriesOfMcc(none), null, none);
});

t.test('has codes for nearly every country that has a time zone', async (t) => {
  const coded = new Set(
    Array.from({ length: 1000 }, (_, code) => countriesOfMcc(String(code).padStart(3, '0')) ?? []).flat(),
  );
  for (const country of coded) t.match(country, /^[A-Z]{2}$/);
  t.ok(coded.size >= 220, `${coded.size} countries`);
});

t.test('names the browser and the system of a User-Agent', async (t) => {
  const android =
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36';
  t.match(userAgentOf(android), { family: 'Chrome', os: 'Android' });
  t.equal(userAgentOf(' '), null);
});
