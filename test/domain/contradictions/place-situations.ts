import type { ContradictionSituation, SituationInput } from './situation.ts';

type Row = readonly [string, SituationInput, ContradictionSituation['expect'], object?];

const toSituations = (id: string, rows: readonly Row[]): readonly ContradictionSituation[] =>
  rows.map(([title, input, expect, because = {}]) => ({ title, id, input, expect, because }));

const stytch = (country: unknown) => ({ found: true, country });
const zoned = (time_zone: unknown, country?: unknown) => ({ found: true, last_seen: { time_zone, country } });
const phone = (more: object) => ({ found: true, supported: true, ...more });

const TIME_ZONES = toSituations('time_zone_country', [
  [
    'a Berlin clock at a Lagos address',
    { prefactor: zoned('Europe/Berlin'), stytch: stytch('NG') },
    true,
    { prefactor_time_zone: 'Europe/Berlin', stytch_country: 'NG' },
  ],
  [
    'a Berlin clock in Denmark, which shares the zone',
    { prefactor: zoned('Europe/Berlin'), stytch: stytch('DK') },
    false,
    { prefactor_time_zone_countries: ['DE', 'DK', 'NO', 'SE', 'SJ'] },
  ],
  ['one interaction with a clock of elsewhere', { prefactor: zoned('America/New_York', 'DE') }, true],
  ['one interaction with its own clock', { prefactor: zoned('America/New_York', 'US') }, false],
  [
    'a cloud phone in New York time at a German address',
    { mobilerun: phone({ time_zone: 'America/New_York' }), stytch: stytch('DE') },
    true,
    { mobilerun_time_zone: 'America/New_York', stytch_country: 'DE' },
  ],
  [
    'a cloud phone against the address of the request',
    { mobilerun: phone({ time_zone: 'Africa/Lagos' }), request: { place: { country: 'US' } } },
    true,
    { request_country: 'US' },
  ],
  [
    'a cloud phone that fits a request from Benin',
    { mobilerun: phone({ time_zone: 'Africa/Lagos' }), request: { place: { country: 'BJ' } } },
    false,
  ],
  [
    'two clocks, of which one is of elsewhere',
    {
      prefactor: zoned('Europe/Berlin', 'DE'),
      mobilerun: phone({ time_zone: 'Africa/Lagos' }),
      stytch: stytch('DE'),
    },
    true,
    { mobilerun_time_zone: 'Africa/Lagos' },
  ],
  ['a clock without a country', { prefactor: zoned('Etc/UTC', 'DE') }, 'none'],
  ['a zone that nobody knows', { prefactor: zoned('Mars/Olympus', 'DE') }, 'unknown'],
  ['a zone that is a number', { prefactor: zoned(60, 'DE') }, 'unknown'],
  [
    'an interaction that is null',
    { prefactor: { found: true, last_seen: null }, stytch: stytch('DE') },
    'unknown',
  ],
  ['no zone', { prefactor: zoned(undefined, 'DE'), stytch: stytch('DE') }, 'none'],
  ['no address', { mobilerun: phone({ time_zone: 'Europe/Berlin' }), stytch: { found: false } }, 'none'],
  ['the zone lost', { prefactor: 'unknown', stytch: stytch('DE') }, 'unknown'],
  ['the address lost', { mobilerun: phone({ time_zone: 'Europe/Berlin' }), stytch: 'unknown' }, 'unknown'],
  [
    'one address lost, another that contradicts',
    { prefactor: zoned('Europe/Berlin', 'NG'), stytch: 'unknown' },
    true,
  ],
  [
    'one address lost, another that fits',
    { prefactor: zoned('Europe/Berlin', 'DE'), stytch: 'unknown' },
    'unknown',
  ],
  [
    'an address of the request that cannot be read',
    { mobilerun: phone({ time_zone: 'Europe/Berlin' }), request: { place: null } },
    'unknown',
  ],
]);

const sim = (sim_operator_numeric: unknown, carrier_operator_numeric: unknown, carrier_country?: unknown) =>
  phone({ sim_operator_numeric, carrier_operator_numeric, carrier_country });

const SIMS = toSituations('sim_country', [
  ['a German SIM that says it is German', { mobilerun: sim(26_201, 26_201, 'DE') }, false],
  [
    'a Nigerian SIM that says it is German',
    { mobilerun: sim(62_130, 26_201, 'DE') },
    true,
    { sim_operator: 62_130, sim_operator_countries: ['NG'], sim_country: 'DE' },
  ],
  ['an American code with three digits for the network', { mobilerun: sim(310_260, 310_260, 'US') }, false],
  ['a code that Guam shares', { mobilerun: sim(310_032, 310_032, 'GU') }, false],
  [
    'a German phone at a Nigerian address',
    { mobilerun: sim(26_201, 26_201), stytch: stytch('NG') },
    true,
    { operators: '26201 26201', stytch_country: 'NG' },
  ],
  [
    'a traveller at an address of the network',
    { mobilerun: sim(26_201, 23_801), stytch: stytch('DK') },
    false,
  ],
  [
    'a traveller whose traffic is routed home',
    { mobilerun: sim(26_201, 23_801), stytch: stytch('DE') },
    false,
  ],
  ['a traveller at a third address', { mobilerun: sim(26_201, 23_801), stytch: stytch('US') }, true],
  ['a SIM without a network', { mobilerun: sim(26_201, undefined), stytch: stytch('NG') }, true],
  [
    'the address of the request in another country',
    { mobilerun: sim(26_201, 26_201), request: { place: { country: 'US' } } },
    true,
    { request_country: 'US' },
  ],
  ['a test network, whose zeros were lost', { mobilerun: sim(101, 101, 'DE'), stytch: stytch('DE') }, 'none'],
  ['a test network of three digits', { mobilerun: sim(1_001, 1_001, 'DE') }, 'none'],
  ['a German SIM in a test network', { mobilerun: sim(26_201, 101), stytch: stytch('NG') }, 'none'],
  ['a network without a SIM', { mobilerun: sim(undefined, 26_201), stytch: stytch('DE') }, false],
  ['a code that nobody knows', { mobilerun: sim(99_901, 26_201, 'DE') }, 'unknown'],
  ['a code of seven digits', { mobilerun: sim(2_620_101, 26_201, 'DE') }, 'unknown'],
  ['a code that is a text', { mobilerun: sim('26201', 26_201, 'DE') }, 'unknown'],
  ['no SIM', { mobilerun: phone({}), stytch: stytch('DE') }, 'none'],
  [
    'a device without a fingerprint',
    { mobilerun: { found: true, supported: false }, stytch: stytch('DE') },
    'none',
  ],
  ['Mobilerun lost', { mobilerun: 'unknown', stytch: stytch('DE') }, 'unknown'],
  ['Stytch lost', { mobilerun: sim(26_201, 26_201), stytch: 'unknown' }, 'unknown'],
  [
    'Stytch lost, and a SIM that contradicts itself',
    { mobilerun: sim(62_130, 62_130, 'DE'), stytch: 'unknown' },
    true,
  ],
]);

const ROAMING = toSituations('roaming', [
  [
    'a German SIM in a Danish network',
    { mobilerun: sim(26_201, 23_801) },
    true,
    { sim_operator_countries: ['DE'], network_operator_countries: ['DK'] },
  ],
  ['a SIM at home', { mobilerun: sim(26_201, 26_202) }, false],
  ['a SIM without a network', { mobilerun: sim(26_201, undefined) }, 'none'],
  ['a network of nobody', { mobilerun: sim(26_201, 90_101) }, 'unknown'],
  ['Mobilerun lost', { mobilerun: 'unknown' }, 'unknown'],
]);

/** Situations of contradictions about countries. */
export const PLACE_SITUATIONS = [...TIME_ZONES, ...SIMS, ...ROAMING];
