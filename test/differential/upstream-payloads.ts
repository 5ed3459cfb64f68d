/** An answer of an upstream; a hang never answers, and a reset ends the connection. */
export type UpstreamReply =
  | {
      readonly status: number;
      readonly body: string;
      readonly type?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | 'hang'
  | 'reset';

type Build = (id: string, nowMs: number) => UpstreamReply;

const json = (status: number, body: unknown, headers = {}): UpstreamReply => ({
  status,
  body: JSON.stringify(body),
  headers,
});

const isoSeconds = (unixMs: number) => `${new Date(unixMs).toISOString().slice(0, -5)}Z`;

/** Failures that look the same at every provider. A long Retry-After keeps the caller from asking twice. */
const FAULTS: Readonly<Record<string, Build>> = {
  e500: () => json(500, { error: 'internal' }, { 'retry-after': '3600' }),
  e503: () => json(503, { error: 'busy' }, { 'retry-after': '0' }),
  e429: () => json(429, { error: 'slow down' }, { 'retry-after': '3600' }),
  e408: () => json(408, { error: 'timeout' }, { 'retry-after': '3600' }),
  e401: () => json(401, { error: 'who' }),
  e403: () => json(403, { error: 'no' }),
  e400: () => json(400, { error: 'bad' }),
  e302: () => ({ status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } }),
  html: () => ({ status: 200, body: '<html>', type: 'text/html' }),
  empty: () => ({ status: 200, body: '' }),
  twice: () => ({ status: 200, body: '{"status":1,"status":2}' }),
  schema: () => json(200, { surprising: true }),
  reset: () => 'reset',
  hang: () => 'hang',
};

const FINGERPRINTS = {
  browser_fingerprint: 'browser-fingerprint-1',
  browser_id: 'browser-id-1',
  hardware_fingerprint: 'hardware-fingerprint-1',
  network_fingerprint: 'network-fingerprint-1',
  visitor_fingerprint: 'visitor-fingerprint-1',
  visitor_id: 'visitor-1',
};
const NETWORK = {
  ip_address: '192.0.2.10',
  asn: { asn: '64496', name: 'EXAMPLE-NET', network: '192.0.2.0/24' },
  ip_geolocation: { city: 'Melbourne', region: 'Victoria', country: 'AU' },
  is_proxy: false,
  is_vpn: false,
};

function lookup(id: string, nowMs: number, verdict: object = {}, more: object = {}): UpstreamReply {
  return json(200, {
    telemetry_id: id,
    request_id: `request-id-${id.length}`,
    status_code: 200,
    created_at: isoSeconds(nowMs - 60_000),
    expires_at: isoSeconds(nowMs + 3_600_000),
    fingerprints: FINGERPRINTS,
    verdict: {
      action: 'ALLOW',
      detected_device_type: 'ANDROID',
      is_authentic_device: true,
      reasons: [],
      verdict_reason_overrides: [],
      ...verdict,
    },
    properties: { network_properties: NETWORK },
    ...more,
  });
}

const lifetime = (createdMs: number, expiresMs: number) => ({
  created_at: isoSeconds(createdMs),
  expires_at: isoSeconds(expiresMs),
});

/** What Stytch says, by the first word of a telemetry id. */
export const STYTCH: Readonly<Record<string, Build>> = {
  ...FAULTS,
  allow: (id, now) => lookup(id, now),
  challenge: (id, now) =>
    lookup(id, now, { action: 'CHALLENGE', reasons: ['VIRTUAL_MACHINE', 'KNOWN_DATACENTER_IP'] }),
  block: (id, now) =>
    lookup(id, now, { action: 'BLOCK', is_authentic_device: false, reasons: ['HEADLESS_BROWSER'] }),
  rule: (id, now) =>
    lookup(id, now, { action: 'BLOCK', rule_match_type: 'VISITOR_ID', rule_match_identifier: 'visitor-1' }),
  inauthentic: (id, now) =>
    lookup(id, now, {
      is_authentic_device: false,
      reasons: ['USER_AGENT_DECEPTION'],
      verdict_reason_overrides: [{ verdict_reason: 'USER_AGENT_DECEPTION', override_action: 'ALLOW' }],
    }),
  later: (id, now) => lookup(id, now, { action: 'REVIEW', reasons: ['REASON_OF_A_LATER_YEAR'] }, { x: 1 }),
  bare: (id, now) => lookup(id, now, {}, { properties: null, request_id: null }),
  vpn: (id, now) =>
    lookup(id, now, {}, { properties: { network_properties: { is_vpn: true, is_proxy: true } } }),
  brief: (id, now) => lookup(id, now, {}, lifetime(now - 5_000, now + 2_000)),
  expired: (id, now) => lookup(id, now, {}, lifetime(now - 7_200_000, now - 3_600_000)),
  future: (id, now) => lookup(id, now, {}, lifetime(now + 30_000, now + 90_000)),
  odd: (id, now) => lookup(id.toUpperCase(), now),
  other: (_id, now) => lookup('somebody-else', now),
  unknown: () => json(404, { error_type: 'telemetry_id_not_found', request_id: 'request-id-404' }),
  route: () => json(404, { error_type: 'route_not_found' }),
};

const IDENTIFIERS = [
  'IdentifierSerial|IdentifierAndroidID|IdentifierIMEI|IdentifierMEID|IdentifierIMSI|IdentifierICCID',
  'IdentifierPhoneNumber|IdentifierGAID|IdentifierGSFID|IdentifierAppSetID|IdentifierMediaDRMID',
  'IdentifierWifiMAC|IdentifierBluetoothMAC|SerialNumber|BootloaderSerialNumber',
].flatMap((line) => line.split('|'));

function fingerprint(toValue: (name: string) => string, model: object, carrier: object): UpstreamReply {
  return json(
    200,
    {
      model,
      display: Object.keys(model).length === 0 ? {} : { width: 1080, height: 2400, densityDpi: 420 },
      identifiers: Object.fromEntries(IDENTIFIERS.map((name) => [name, toValue(name)])),
      carrier: {
        GsmOperatorAlpha: '',
        GsmOperatorNumeric: 0,
        GsmSimOperatorAlpha: '',
        GsmSimOperatorIsoCountry: '',
        GsmSimOperatorNumeric: 0,
        PersistSysTimezone: '',
        ...carrier,
      },
    },
    { 'x-request-id': 'mobilerun-1' },
  );
}

const NAMED: Readonly<Record<string, string>> = {
  IdentifierIMEI: '490154203237518',
  IdentifierIMSI: '505010000000001',
  IdentifierWifiMAC: '02:00:5e:00:53:01',
};
const MODEL = { brand: 'google', manufacturer: 'Google', model: 'Pixel 8', aospVersion: '14' };
const CARRIER = {
  GsmOperatorAlpha: 'Example Mobile',
  GsmOperatorNumeric: 50_501,
  GsmSimOperatorIsoCountry: 'au',
  GsmSimOperatorNumeric: 50_501,
  PersistSysTimezone: 'Australia/Melbourne',
};
const problem = (status: number, detail: string) =>
  json(status, { title: 'Error', status, detail }, { 'retry-after': '3600' });

/** What Mobilerun says, by the first word of a device id. */
export const MOBILERUN: Readonly<Record<string, Build>> = {
  ...FAULTS,
  full: (id) => fingerprint((name) => NAMED[name] ?? `${name}-${id.length}`, MODEL, CARRIER),
  bad: () => fingerprint((name) => (name === 'IdentifierIMEI' ? '123' : 'x'), MODEL, CARRIER),
  bare: () => fingerprint(() => '', {}, {}),
  unknown: () => problem(404, 'device not found'),
  gone: () => problem(500, 'device not found'),
  unable: () => problem(501, 'unsupported feature: this device does not support fingerprint'),
};

const USER_AGENT = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0.0.0';

const interaction = (at: number, more: object = {}) => ({
  asn: 64_496,
  at,
  country_code: 'AU',
  ja4_fingerprint: 'q13d0314h3_55b375c5d22e_61e396c58b1f',
  lat_long: [-37.8159, 144.9669],
  region_code: 'VIC',
  remote_ip: '192.0.2.10',
  timezone: 'Australia/Melbourne',
  user_agent: USER_AGENT,
  ...more,
});

function device(id: string, nowMs: number, more: object = {}): UpstreamReply {
  const nowSeconds = Math.floor(nowMs / 1000);
  const summary = {
    id,
    account_id: 'account-1',
    domain_id: 'domain-1',
    pool_id: 'pool-1',
    session_type: 'browser',
    status: 'active',
    type: 'device',
    dynamic_client_details: { auth_profile: 'openid', client_secret: 'a secret', pkce_required: true },
    first_seen: interaction(nowSeconds - 2_592_000),
    last_seen: interaction(nowSeconds - 60.5),
    ...more,
  };
  return json(200, { status: 'success', summary });
}

const error = (status: number, code: string) => json(status, { status: 'error', code });

/** What Prefactor says, by the second word of a device id. */
export const PREFACTOR: Readonly<Record<string, Build>> = {
  ...FAULTS,
  active: (id, now) => device(id, now),
  revoked: (id, now) => device(id, now, { status: 'revoked' }),
  paused: (id, now) => device(id, now, { status: 'paused', dynamic_client_details: null }),
  fresh: (id, now) => device(id, now, { first_seen: null, last_seen: null }),
  moved: (id, now) =>
    device(id, now, {
      last_seen: interaction(now / 1000, { asn: 5, country_code: 'NZ', lat_long: [-36.8, 174.7] }),
    }),
  other: (_id, now) => device('somebody-else', now),
  unknown: () => error(404, 'not_found'),
  denied: () => error(200, 'not_permitted'),
  invalid: () => error(422, 'invalid_value'),
};
