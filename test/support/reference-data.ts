import type { ReferenceData } from '../../src/domain/contradictions/reference-data.ts';

const TIME_ZONES: Readonly<Record<string, readonly string[]>> = {
  'Europe/Berlin': ['DE', 'DK', 'NO', 'SE', 'SJ'],
  'America/New_York': ['US'],
  'Etc/UTC': [],
  'Africa/Lagos': ['NG', 'BJ', 'CM', 'GA', 'GQ', 'NE', 'AO', 'CD', 'CF', 'CG', 'TD'],
};
const MCCS: Readonly<Record<string, readonly string[]>> = {
  '001': [],
  '238': ['DK'],
  '262': ['DE'],
  '310': ['US', 'GU'],
  '621': ['NG'],
};

/** A small world for tests: Berlin, New York and Lagos. */
export const SMALL_WORLD: ReferenceData = {
  countriesOfTimeZone: (zone) => TIME_ZONES[zone] ?? null,
  countriesOfMcc: (mcc) => MCCS[mcc] ?? null,
  userAgentOf: (text) =>
    text === '' ? null : { family: 'Chrome', os: text.includes('Android') ? 'Android' : 'Windows' },
  placeOfAddress: (ip) =>
    ip === '203.0.113.9' ? { country: 'DE', asn: 3320, latitude: 52.5, longitude: 13.4 } : null,
  placesEdition: () => 0,
};
