import type {
  ContradictionInput,
  MemorySide,
  Side,
} from '../../../src/domain/contradictions/contradiction.ts';
import { CONTRADICTIONS } from '../../../src/domain/contradictions/registry.ts';
import { SMALL_WORLD } from '../../support/reference-data.ts';
import { CLIENT_SITUATIONS } from './client-situations.ts';
import { PLACE_SITUATIONS } from './place-situations.ts';
import type { ContradictionSituation, SituationInput } from './situation.ts';

/** Now, in every situation. */
export const NOW_SECONDS = 1_800_000_000;

const BERLIN = { latitude: 52.52, longitude: 13.41 };
const POTSDAM = { latitude: 52.4, longitude: 13.07 };
const NEW_YORK = { latitude: 40.71, longitude: -74.01 };
const hoursAgo = (hours: number) => NOW_SECONDS - hours * 3600;
const seen = (place: object, hours: number) => ({ ...place, at_unix_seconds: hoursAgo(hours) });
const accepted = (place: { latitude: number; longitude: number }, hours: number) => ({
  ...place,
  atSeconds: hoursAgo(hours),
});
const missed = (hours: number) => ({ placesMissedUntil: hoursAgo(hours) });
const device = (first: object, last: object) => ({ found: true, first_seen: first, last_seen: last });
const travels = (
  title: string,
  input: SituationInput,
  expect: ContradictionSituation['expect'],
  because = {},
) => ({
  title,
  id: 'travel',
  input,
  expect,
  because,
});
const clock = (
  title: string,
  input: SituationInput,
  expect: ContradictionSituation['expect'],
  because = {},
) => ({
  title,
  id: 'clock',
  input,
  expect,
  because,
});

const TRAVEL: readonly ContradictionSituation[] = [
  travels(
    'Berlin an hour ago, New York now',
    { memory: { places: [accepted(BERLIN, 1)] }, request: { place: NEW_YORK } },
    true,
    { from: 'account_accepted', km: 6386, hours: 1, km_per_hour: 4942, limit_km_per_hour: 1000 },
  ),
  travels(
    'Berlin in the morning, New York at night: by plane',
    { memory: { places: [accepted(BERLIN, 10)] }, request: { place: NEW_YORK } },
    false,
    { km: 6386, km_per_hour: 603 },
  ),
  travels(
    'the same flight under a lower limit',
    {
      memory: { places: [accepted(BERLIN, 10)] },
      request: { place: NEW_YORK },
      params: { travel_kmh: 500 },
    },
    true,
  ),
  travels(
    'two places of one town at one time',
    { memory: { places: [accepted(BERLIN, 0)] }, request: { place: POTSDAM } },
    false,
  ),
  travels(
    'a place that is only known to some thousand kilometres',
    { memory: { places: [accepted(BERLIN, 0)] }, request: { place: { ...NEW_YORK, radiusKm: 6500 } } },
    false,
    { km_per_hour: 0 },
  ),
  travels(
    'the exit of a VPN where the account was accepted before',
    {
      memory: { places: [accepted(BERLIN, 1), accepted(NEW_YORK, 30)] },
      request: { place: NEW_YORK },
    },
    false,
  ),
  travels(
    'an account without an accepted place',
    { memory: { places: undefined }, request: { place: NEW_YORK } },
    'none',
  ),
  travels(
    'an account whose latest places were lost a moment ago',
    { memory: { places: undefined, ...missed(1) }, request: { place: NEW_YORK } },
    'unknown',
  ),
  travels(
    'an account that was lately accepted, and may have been elsewhere since',
    { memory: { places: [accepted(NEW_YORK, 30)], ...missed(19) }, request: { place: NEW_YORK } },
    'unknown',
  ),
  travels(
    'places that were lost so long ago that nobody travels longer',
    { memory: { places: undefined, ...missed(20) }, request: { place: NEW_YORK } },
    'none',
  ),
  travels(
    'a flight since the last place that is known, and others lost before that mattered',
    { memory: { places: [accepted(BERLIN, 30)], ...missed(20) }, request: { place: NEW_YORK } },
    false,
  ),
  travels(
    'places lost under a lower limit',
    {
      memory: { places: undefined, ...missed(20) },
      request: { place: NEW_YORK },
      params: { travel_kmh: 500 },
    },
    'unknown',
  ),
  travels(
    'places lost, and no place to compare with',
    { memory: { places: undefined, ...missed(1) }, request: { place: undefined } },
    'none',
  ),
  travels(
    'an address that the GeoIP file does not know',
    { memory: { places: [accepted(BERLIN, 1)] }, request: { place: undefined } },
    'none',
  ),
  travels(
    'an address whose country alone is known',
    { memory: { places: [accepted(BERLIN, 1)] }, request: { place: { country: 'US' } } },
    'none',
  ),
  travels(
    'an activity that cannot be told',
    { memory: { places: null }, request: { place: NEW_YORK } },
    'unknown',
  ),
  travels(
    'an address that cannot be read',
    { memory: { places: [accepted(BERLIN, 1)] }, request: { place: null } },
    'unknown',
  ),
  travels('an address that cannot be read, and nothing else', { request: { place: null } }, 'none'),
  travels(
    'a device that crosses the Atlantic within an hour',
    { prefactor: device(seen(BERLIN, 2), seen(NEW_YORK, 1)) },
    true,
    { from: 'device_first_seen', from_latitude: 52.5, to_longitude: -74 },
  ),
  travels(
    'a device that crosses the Atlantic within a day',
    { prefactor: device(seen(BERLIN, 25), seen(NEW_YORK, 1)) },
    false,
  ),
  travels(
    'a device that was last seen in Berlin, asked from New York',
    { prefactor: device(seen(BERLIN, 900), seen(BERLIN, 1)), request: { place: NEW_YORK } },
    true,
    { from: 'device_last_seen' },
  ),
  travels(
    'an account of Berlin on a device that is in New York',
    { prefactor: device(seen(NEW_YORK, 900), seen(NEW_YORK, 0)), memory: { places: [accepted(BERLIN, 1)] } },
    true,
    { from: 'account_accepted' },
  ),
  travels('a device without places', { prefactor: device({}, {}) }, 'none'),
  travels('a device that is not known', { prefactor: { found: false } }, 'none'),
  travels(
    'Prefactor lost, and an account with a place',
    { prefactor: 'unknown', memory: { places: [accepted(BERLIN, 1)] } },
    'unknown',
  ),
  travels(
    'Prefactor lost, and a journey all the same',
    { prefactor: 'unknown', memory: { places: [accepted(BERLIN, 1)] }, request: { place: NEW_YORK } },
    true,
  ),
  travels(
    'a latitude beyond the pole',
    { prefactor: device(seen({ latitude: 99, longitude: 0 }, 2), seen(BERLIN, 1)) },
    'unknown',
  ),
  travels(
    'a latitude that is text',
    { prefactor: device(seen({ latitude: '52', longitude: 13 }, 2), seen(BERLIN, 1)) },
    'unknown',
  ),
  travels(
    'an interaction that is text',
    { prefactor: { found: true, first_seen: 'yesterday', last_seen: seen(BERLIN, 1) } },
    'unknown',
  ),
];

const at = (field: 'created' | 'expires', minutesAgo: number) => ({
  [`${field}_at_unix_seconds`]: NOW_SECONDS - minutesAgo * 60,
});
const usedAgo = (minutes: number) => ({ telemetryFirstUsedMs: (NOW_SECONDS - minutes * 60) * 1000 });

const CLOCK: readonly ContradictionSituation[] = [
  clock('a fingerprint of a minute ago', { stytch: { found: true, ...at('created', 1) } }, false),
  clock('a fingerprint from the future', { stytch: { found: true, ...at('created', -10) } }, true, {
    later: 'fingerprint_created',
    earlier: 'now',
    seconds: 600,
    tolerance_seconds: 300,
  }),
  clock('clocks that differ by four minutes', { stytch: { found: true, ...at('created', -4) } }, false),
  clock(
    'a telemetry id that was used here before it was taken',
    { stytch: { found: true, ...at('created', 10) }, memory: usedAgo(60) },
    true,
    { earlier: 'telemetry_id_first_used', seconds: 3000 },
  ),
  clock(
    'a telemetry id that was taken, then used',
    { stytch: { found: true, ...at('created', 60) }, memory: usedAgo(10) },
    false,
  ),
  clock(
    'custody that cannot be told',
    { stytch: { found: true, ...at('created', 60) }, memory: { telemetryFirstUsedMs: null } },
    'unknown',
  ),
  clock(
    'a fingerprint that expired before it was taken',
    { stytch: { found: true, ...at('created', 10), ...at('expires', 20) } },
    true,
    { earlier: 'fingerprint_expires' },
  ),
  clock(
    'a device that was first seen after it was last seen',
    { prefactor: device({ at_unix_seconds: hoursAgo(1) }, { at_unix_seconds: hoursAgo(3) }) },
    true,
    { later: 'device_first_seen', earlier: 'device_last_seen', seconds: 7200 },
  ),
  clock(
    'a device that was seen once',
    { prefactor: device({ at_unix_seconds: hoursAgo(1) }, { at_unix_seconds: hoursAgo(1) }) },
    false,
  ),
  clock(
    'a device that was last seen tomorrow',
    { prefactor: device({ at_unix_seconds: hoursAgo(9) }, { at_unix_seconds: hoursAgo(-24) }) },
    true,
    { later: 'device_last_seen', earlier: 'now', seconds: 86_400 },
  ),
  clock('providers that were not asked', {}, 'none'),
  clock('providers that are lost', { stytch: 'unknown', prefactor: 'unknown' }, 'unknown'),
  clock('ids that are not known', { stytch: { found: false }, prefactor: { found: false } }, 'none'),
  clock('a time that is text', { stytch: { found: true, created_at_unix_seconds: 'now' } }, 'unknown'),
];

const elsewhere = (
  title: string,
  input: SituationInput,
  expect: ContradictionSituation['expect'],
  because = {},
) => ({
  title,
  id: 'seen_elsewhere',
  input,
  expect,
  because,
});
const session = (place: object, minutes = 1) => ({ found: true, ...place, ...at('created', minutes) });
const deviceIn = (place: object, minutes = 1) => ({
  found: true,
  last_seen: { ...place, at_unix_seconds: NOW_SECONDS - minutes * 60 },
});

const MOBILE = { network: '198.51.100.0/22', asn: 3320 };
const BROWSER = { family: 'Chrome', os: 'Android' };

const SEEN_ELSEWHERE: readonly ContradictionSituation[] = [
  elsewhere(
    'a request from another network than the one that Stytch names',
    { stytch: session(MOBILE), request: { ip: '203.0.113.9' } },
    true,
    { stytch_network: '198.51.100.0/22', request_in_network: false },
  ),
  elsewhere(
    'a phone that a carrier gave another address of the same network',
    { stytch: session(MOBILE), request: { ip: '198.51.103.7' } },
    false,
    { request_in_network: true },
  ),
  elsewhere(
    'a phone that a carrier moved to another of its networks',
    { stytch: session(MOBILE), request: { ip: '203.0.113.9', place: { asn: 3320 } } },
    false,
    { request_asn: 3320 },
  ),
  elsewhere(
    'IPv4 at the page, IPv6 at the login',
    { stytch: session(MOBILE), request: { ip: '2001:db8::7' } },
    'none',
  ),
  elsewhere(
    'IPv6 at the page, IPv4 at the login',
    { stytch: session({ network: '2001:db8::/32' }), request: { ip: '203.0.113.9' } },
    'none',
  ),
  elsewhere(
    'two networks of IPv6',
    { stytch: session({ network: '2001:db8::/48' }), request: { ip: '2001:db8:7::7' } },
    true,
  ),
  elsewhere('an address that cannot be read', { stytch: session(MOBILE), request: { ip: null } }, 'unknown'),
  elsewhere(
    'an address whose place could not be looked up',
    { stytch: session(MOBILE), request: { ip: '203.0.113.9', place: null } },
    'unknown',
  ),
  elsewhere(
    'a network that is none',
    { stytch: session({ network: 'cable' }), request: { ip: '203.0.113.9' } },
    'unknown',
  ),
  elsewhere('an address that is none', { stytch: session(MOBILE), request: { ip: 'nowhere' } }, 'unknown'),
  elsewhere(
    'another browser than the one that Stytch saw',
    { stytch: session({ user_agent_matches_request: false }), request: { userAgent: BROWSER } },
    true,
    { request_user_agent: 'Chrome', user_agent_matches_request: false },
  ),
  elsewhere(
    'the browser that Stytch saw',
    { stytch: session({ user_agent_matches_request: true }), request: { userAgent: BROWSER } },
    false,
  ),
  elsewhere(
    'a browser of another system than the one that Stytch saw, which os_family finds',
    {
      stytch: session({ user_agent_matches_request: false, device_type: 'WINDOWS X86_64' }),
      request: { userAgent: BROWSER },
    },
    'none',
  ),
  elsewhere(
    'another browser of the same system',
    {
      stytch: session({ user_agent_matches_request: false, device_type: 'ANDROID' }),
      request: { userAgent: BROWSER },
    },
    true,
  ),
  elsewhere(
    'another browser, of a system that nobody knows',
    {
      stytch: session({ user_agent_matches_request: false, device_type: 'TOASTER' }),
      request: { userAgent: BROWSER },
    },
    true,
  ),
  elsewhere(
    'a device type that is no text',
    {
      stytch: session({ user_agent_matches_request: false, device_type: 7 }),
      request: { userAgent: BROWSER },
    },
    'unknown',
  ),
  elsewhere(
    'an app whose requests are sent by no browser',
    {
      stytch: session({ user_agent_matches_request: false }),
      request: { userAgent: { family: 'Other', os: 'Other' } },
    },
    'none',
  ),
  elsewhere(
    'Stytch in Germany, Prefactor in Nigeria at the same time',
    { stytch: session({ country: 'DE' }), prefactor: deviceIn({ country: 'NG' }) },
    true,
    { stytch_country: 'DE', prefactor_country: 'NG' },
  ),
  elsewhere(
    'Stytch in Germany, Prefactor in Nigeria an hour before',
    { stytch: session({ country: 'DE' }), prefactor: deviceIn({ country: 'NG' }, 61) },
    'none',
  ),
  elsewhere(
    'one country, two networks',
    { stytch: session({ country: 'DE', asn: 3320 }), prefactor: deviceIn({ country: 'DE', asn: 3209 }) },
    true,
    { stytch_asn: 3320, prefactor_asn: 3209 },
  ),
  elsewhere(
    'one country, one network',
    { stytch: session({ country: 'DE', asn: 3320 }), prefactor: deviceIn({ country: 'DE', asn: 3320 }) },
    false,
  ),
  elsewhere(
    'a request from another country than its fingerprint',
    { stytch: session({ country: 'DE' }), request: { place: { country: 'US' } } },
    true,
    { stytch_country: 'DE', request_country: 'US' },
  ),
  elsewhere(
    'a request from where its fingerprint is from',
    { stytch: session({ country: 'DE', asn: 3320 }), request: { place: { country: 'DE', asn: 3320 } } },
    false,
  ),
  elsewhere(
    'a lookup that tells no place',
    { stytch: session({}), request: { place: { country: 'US' } }, prefactor: deviceIn({ country: 'US' }) },
    'none',
  ),
  elsewhere(
    'Stytch lost, and places to compare with',
    { stytch: 'unknown', prefactor: deviceIn({ country: 'US' }) },
    'unknown',
  ),
  elsewhere('Stytch lost, and nothing to compare with', { stytch: 'unknown' }, 'none'),
  elsewhere('Prefactor lost', { stytch: session({ country: 'DE' }), prefactor: 'unknown' }, 'unknown'),
  elsewhere(
    'a country that is a number',
    { stytch: session({ country: 49 }), prefactor: deviceIn({ country: 'DE' }) },
    'unknown',
  ),
];

const reuse = (
  title: string,
  hardware: MemorySide['hardware'],
  expect: ContradictionSituation['expect'],
  because = {},
  params: ContradictionInput['params'] = {},
) => ({ title, id: 'identity_reuse', input: { memory: { hardware }, params }, expect, because });

const IDENTITY_REUSE: readonly ContradictionSituation[] = [
  reuse('a phone with its one device id', { devices: 1, accounts: 1 }, false, {
    devices: 1,
    limit_devices: 1,
  }),
  reuse('an IMEI under two device ids', { devices: 2, accounts: 1 }, true, { devices: 2 }),
  reuse('a family of five with one phone', { devices: 1, accounts: 5 }, false),
  reuse('six accounts on one phone', { devices: 1, accounts: 6 }, true, { accounts: 6, limit_accounts: 5 }),
  reuse('six accounts where ten may be', { devices: 1, accounts: 6 }, false, {}, { identity_accounts: 10 }),
  reuse('two device ids where three may be', { devices: 2, accounts: 1 }, false, {}, { identity_devices: 3 }),
  reuse('no hardware identifiers', { devices: undefined, accounts: undefined }, 'none'),
  reuse('activity that cannot be told', { devices: null, accounts: null }, 'unknown'),
  reuse('devices that cannot be told, and six accounts', { devices: null, accounts: 6 }, true),
  reuse('devices that cannot be told, and one account', { devices: null, accounts: 1 }, 'unknown'),
];

/** Every situation, of every contradiction. */
export const SITUATIONS: readonly ContradictionSituation[] = [
  ...TRAVEL,
  ...CLOCK,
  ...SEEN_ELSEWHERE,
  ...IDENTITY_REUSE,
  ...PLACE_SITUATIONS,
  ...CLIENT_SITUATIONS,
];

/** The situation as contradictions read it. */
export function toInput({
  stytch,
  mobilerun,
  prefactor,
  request,
  memory,
  params,
}: SituationInput): ContradictionInput {
  const defaults = Object.assign({}, ...CONTRADICTIONS.map((each) => each.params ?? {}));
  const side = (given: object | 'unknown' | undefined) => (given ?? 'none') as Side;
  return {
    evidence: { stytch: side(stytch), mobilerun: side(mobilerun), prefactor: side(prefactor) },
    request: { userAgent: undefined, ip: undefined, place: undefined, ...request },
    memory: {
      places: undefined,
      telemetryFirstUsedMs: undefined,
      hardware: { devices: undefined, accounts: undefined },
      ...memory,
    },
    nowMs: NOW_SECONDS * 1000,
    params: { ...defaults, ...params },
    reference: SMALL_WORLD,
  };
}
