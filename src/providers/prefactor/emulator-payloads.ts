/** The device id of the sample in the vendor's API reference. */
const SAMPLE_DEVICE_ID = '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1';

type Payload = Readonly<Record<string, unknown>>;
type Profile = (nowSeconds: number) => Payload;

const MONTH_SECONDS = 30 * 24 * 3_600;

const USER_AGENT =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';

const IDENTITY = {
  account_id: '013xrzp12g3nqk8n505tp6wqnscpdy8q',
  domain_id: '013xrzp12g3nqk8nz2ccx5vt2j6f6hjz',
  pool_id: '013xrzp12g3nqk8n6z7f3q8wqgbmh3n9',
  session_type: 'browser',
  status: 'active',
  title: 'Emulated device',
  type: 'device',
} as const;

/** Carries a secret, as the real payload does, so that a leak into a log or store can be searched for. */
const CLIENT_DETAILS = {
  auth_profile: 'openid',
  client_secret: 'emulated-client-secret-must-not-leak',
  pkce_required: true,
  redirect_uris: ['https://client.example/callback'],
  title: 'Emulated client',
} as const;

/** A Map, because ids like `constructor` come from outside. */
const PROFILES: ReadonlyMap<string, Profile> = new Map<string, Profile>([
  ['active', (now) => full(now)],
  ['unsupported', (now) => full(now)],
  [SAMPLE_DEVICE_ID, (now) => full(now)],
  ['revoked', (now) => ({ ...full(now), status: 'revoked' })],
  ['never-seen', (now) => ({ ...full(now), first_seen: null, last_seen: null })],
  ['minimal', minimal],
  ['fault-unknown-fields', unknownFields],
  ['fault-wrong-subject', (now) => ({ ...full(now), id: SAMPLE_DEVICE_ID })],
]);

/** Where a device was last seen, for devices of which there are as many as are wanted. */
const LAST_SEEN: ReadonlyMap<string, Payload> = new Map<string, Payload>([
  // The clock of a laptop stays that of home.
  [
    'traveller',
    {
      asn: 64500,
      city: 'Berlin',
      country_code: 'DE',
      lat_long: [52.52, 13.41],
      region_code: 'BE',
      remote_ip: '203.0.113.10',
    },
  ],
  // What a phone sends abroad may leave at home.
  ['roamer', { timezone: 'Europe/Berlin' }],
  [
    'vpn',
    {
      asn: 64501,
      city: 'Columbus',
      country_code: 'US',
      lat_long: [39.96, -83],
      region_code: 'OH',
      remote_ip: '2001:db8:64::10',
    },
  ],
  [
    'cloud-phone',
    {
      asn: 64502,
      city: 'Lagos',
      country_code: 'NG',
      lat_long: [6.45, 3.39],
      region_code: 'LA',
      remote_ip: '203.0.113.20',
      timezone: 'Africa/Lagos',
    },
  ],
]);
const OF_A_KIND = new RegExp(`^(${[...LAST_SEEN.keys()].join('|')})-.+$`, 's');

function seenElsewhere(kind: string): Profile | undefined {
  const place = LAST_SEEN.get(kind);
  if (place === undefined) return undefined;
  return (now) => ({ ...full(now), last_seen: { ...interaction(now - 60), ...place } });
}

/** The success payload of a device id as of `nowMs`, or null for an id that has none. */
export function successPayload(deviceId: string, nowMs: number): Payload | null {
  const profile = seenElsewhere(OF_A_KIND.exec(deviceId)?.[1] ?? '') ?? PROFILES.get(deviceId);
  return profile === undefined ? null : wrap(deviceId, profile(nowMs / 1_000));
}

/** The payload of an active device under any id. */
export function healthyPayload(deviceId: string, nowMs: number): Payload {
  return wrap(deviceId, full(nowMs / 1_000));
}

function wrap(deviceId: string, summary: Payload): Payload {
  return { status: 'success', summary: { id: deviceId, ...summary } };
}

function full(nowSeconds: number): Payload {
  return {
    ...IDENTITY,
    dynamic_client_details: CLIENT_DETAILS,
    first_seen: interaction(Math.floor(nowSeconds) - MONTH_SECONDS),
    last_seen: interaction(nowSeconds - 60),
  };
}

/** An older record: interactions have only a time, an address and a user agent, and there is no client. */
function minimal(nowSeconds: number): Payload {
  const oldInteraction = (at: number) => ({ at, remote_ip: '192.0.2.10', user_agent: USER_AGENT });
  return {
    ...IDENTITY,
    dynamic_client_details: null,
    first_seen: oldInteraction(Math.floor(nowSeconds) - MONTH_SECONDS),
    last_seen: oldInteraction(Math.floor(nowSeconds) - 60),
  };
}

function unknownFields(nowSeconds: number): Payload {
  const lastSeen = { ...interaction(nowSeconds - 60), ja5_fingerprint: 'emulated' };
  return {
    ...full(nowSeconds),
    session_type: 'hologram',
    dynamic_client_details: { ...CLIENT_DETAILS, auth_profile: 'profile_of_a_later_year' },
    last_seen: lastSeen,
    field_of_a_later_year: { nested: [1, 'two', null] },
  };
}

/** `atSeconds` is Unix time in seconds and may be fractional. */
function interaction(atSeconds: number): Payload {
  return {
    asn: 64496,
    at: atSeconds,
    city: 'Melbourne',
    country_code: 'AU',
    ja4_fingerprint: 'q13d0314h3_55b375c5d22e_61e396c58b1f',
    lat_long: [-37.8159, 144.9669],
    region_code: 'VIC',
    remote_ip: '192.0.2.10',
    timezone: 'Australia/Melbourne',
    user_agent: USER_AGENT,
  };
}
