import { toRfc3339 } from '../../platform/rfc3339.ts';

/** The telemetry id of the sample in the vendor's API reference. */
const SAMPLE_TELEMETRY_ID = '026ac93b-8cdf-4fcb-bfa6-36a31cfecac1';

/** Which of the vendor's two lookups answers: the current POST, or the deprecated GET. */
export type LookupMethod = 'GET' | 'POST';

type Payload = Readonly<Record<string, unknown>>;
type Profile = (now: number) => Payload;

const FINGERPRINTS = {
  browser_fingerprint: 'browser-fingerprint-0b535ab5-ecff-4bc9-b845-48bf90098945',
  browser_id: 'browser-id-99cffb93-6378-48a5-aa90-d680232a7979',
  hardware_fingerprint: 'hardware-fingerprint-4af7a05d-cf77-4ff7-834f-0622452bb092',
  network_fingerprint: 'network-fingerprint-b5060259-40e6-3f29-8215-45ae2da3caa1',
  visitor_fingerprint: 'visitor-fingerprint-6ecf5792-1157-41ad-9ad6-052d31160cee',
  visitor_id: 'visitor-6139cbcc-4dda-4b1f-b1c0-13c08ec64d72',
} as const;

/** What requests of the invented person come with: honest traffic says the same. */
export const EMULATED_BROWSER = {
  ip: '192.0.2.10',
  userAgent:
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
} as const;

/**
 * One invented person in Melbourne, the same as at the other emulators, so that healthy evidence is also
 * consistent.
 */
const PROPERTIES = {
  network_properties: {
    ip_address: EMULATED_BROWSER.ip,
    asn: { asn: '64496', name: 'EXAMPLE-NET', network: '192.0.2.0/24' },
    ip_geolocation: { city: 'Melbourne', region: 'Victoria', country: 'AU' },
    is_proxy: false,
    is_vpn: false,
  },
  browser_properties: {
    user_agent: EMULATED_BROWSER.userAgent,
  },
} as const;

/** Where the same person is for a journey, and where a VPN lets the traffic out. */
const ABROAD = {
  ip_address: '203.0.113.10',
  asn: { asn: '64500', name: 'EXAMPLE-ABROAD', network: '203.0.113.0/24' },
  ip_geolocation: { city: 'Berlin', region: 'Berlin', country: 'DE' },
  is_proxy: false,
  is_vpn: false,
} as const;
const EXIT = {
  ip_address: '2001:db8:64::10',
  asn: { asn: '64501', name: 'EXAMPLE-EXIT', network: '2001:db8:64::/48' },
  ip_geolocation: { city: 'Columbus', region: 'Ohio', country: 'US' },
  is_proxy: false,
  is_vpn: true,
} as const;

const HEALTHY_VERDICT = {
  action: 'ALLOW',
  detected_device_type: 'ANDROID',
  is_authentic_device: true,
  reasons: [],
  verdict_reason_overrides: [],
} as const;

/** A Map, because ids like `constructor` come from outside. */
const PROFILES: ReadonlyMap<string, Profile> = new Map<string, Profile>([
  ['allow', (now) => full(now, {})],
  [SAMPLE_TELEMETRY_ID, (now) => full(now, {})],
  [
    'challenge',
    (now) => full(now, { action: 'CHALLENGE', reasons: ['VIRTUAL_MACHINE', 'KNOWN_DATACENTER_IP'] }),
  ],
  [
    'block',
    (now) =>
      full(now, {
        action: 'BLOCK',
        is_authentic_device: false,
        reasons: ['USER_AGENT_DECEPTION', 'SMART_RATE_LIMIT_WARNING'],
      }),
  ],
  [
    'headless',
    (now) =>
      full(now, { action: 'BLOCK', is_authentic_device: false, reasons: ['HEADLESS_BROWSER_AUTOMATION'] }),
  ],
  ['abroad', (now) => seenIn(now, ABROAD)],
  ['vpn', (now) => seenIn(now, EXIT)],
  ['just-taken', (now) => ({ ...full(now, {}), created_at: toVendorTime(now) })],
  ['inauthentic', inauthentic],
  ['minimal', minimal],
  ['unknown-action', unknownAction],
  ['rule-match', ruleMatch],
  ['fault-unknown-fields', unknownFields],
  ['fault-expired-answer', (now) => ({ ...full(now, {}), ...lifetime(now - 7_200_000) })],
  ['fault-wrong-subject', (now) => ({ ...full(now, {}), telemetry_id: SAMPLE_TELEMETRY_ID })],
]);

/**
 * A page gets a new telemetry id on each load. So every id above also works with any suffix, which makes it a
 * new id of the same kind.
 */
const OF_A_KIND = new RegExp(
  `^(${[...PROFILES.keys()].filter((id) => id !== SAMPLE_TELEMETRY_ID).join('|')})-.+$`,
  's',
);

/**
 * The success payload of a telemetry id as of `now` (Unix milliseconds), in the shape of the given lookup;
 * null for an id that has none.
 */
export function successPayload(telemetryId: string, method: LookupMethod, now: number): Payload | null {
  const kind = OF_A_KIND.exec(telemetryId)?.[1] ?? telemetryId;
  const profile = PROFILES.get(kind);
  if (profile === undefined) return null;
  const payload = { telemetry_id: telemetryId, ...profile(now) };
  return method === 'POST' ? payload : toDeprecatedShape(payload);
}

/** The payload of a healthy device under any id. */
export function healthyPayload(telemetryId: string, method: LookupMethod, now: number): Payload {
  const payload = { telemetry_id: telemetryId, ...full(now, {}) };
  return method === 'POST' ? payload : toDeprecatedShape(payload);
}

function full(now: number, verdict: Payload): Payload {
  return {
    request_id: newRequestId(),
    status_code: 200,
    ...lifetime(now),
    fingerprints: FINGERPRINTS,
    verdict: { ...HEALTHY_VERDICT, ...verdict },
    external_metadata: {},
    properties: PROPERTIES,
    raw_signals: { screen_width: 1080, screen_height: 2400 },
  };
}

function seenIn(now: number, network_properties: Payload): Payload {
  return { ...full(now, {}), properties: { ...PROPERTIES, network_properties } };
}

/** Required fields only. */
function minimal(now: number): Payload {
  const { browser_id: _browserId, visitor_id: _visitorId, ...fingerprints } = FINGERPRINTS;
  const { properties: _properties, raw_signals: _rawSignals, ...payload } = full(now, {});
  return { ...payload, fingerprints };
}

/**
 * The project has overridden the reason, so that the verdict is ALLOW although the device is not authentic.
 */
function inauthentic(now: number): Payload {
  const reason = 'USER_AGENT_DECEPTION';
  return full(now, {
    is_authentic_device: false,
    reasons: [reason],
    verdict_reason_overrides: [{ verdict_reason: reason, override_action: 'ALLOW' }],
  });
}

function ruleMatch(now: number): Payload {
  return full(now, {
    action: 'BLOCK',
    reasons: ['RULE_MATCH'],
    rule_match_type: 'VISITOR_ID',
    rule_match_identifier: FINGERPRINTS.visitor_id,
  });
}

function unknownAction(now: number): Payload {
  const payload = full(now, { action: 'REVIEW', reasons: ['REASON_OF_A_LATER_YEAR'], confidence: 0.5 });
  return { ...payload, field_of_a_later_year: { nested: [1, 'two', null] } };
}

/** Healthy in every documented field, with further fields that are not documented. */
function unknownFields(now: number): Payload {
  const payload = full(now, { reasons: ['REASON_OF_A_LATER_YEAR'], confidence: 0.5 });
  const fingerprints = { ...FINGERPRINTS, quantum_fingerprint: 'quantum-fingerprint-1' };
  return { ...payload, fingerprints, field_of_a_later_year: { nested: [1, 'two', null] } };
}

function lifetime(takenAtMs: number): { created_at: string; expires_at: string } {
  return { created_at: toVendorTime(takenAtMs - 60_000), expires_at: toVendorTime(takenAtMs + 3_600_000) };
}

/**
 * The sample of the GET has neither `properties` nor `verdict_reason_overrides`, and empty strings where no
 * rule matched.
 */
function toDeprecatedShape(payload: Payload): Payload {
  const { properties: _properties, raw_signals: _raw, external_metadata: _metadata, ...rest } = payload;
  // Every payload of this file has one.
  const { verdict_reason_overrides: _overrides, ...verdict } = rest['verdict'] as Record<string, unknown>;
  return { ...rest, verdict: { rule_match_type: '', rule_match_identifier: '', ...verdict } };
}

/** A request id as the vendor's test projects give them. */
export function newRequestId(): string {
  return `request-id-test-${crypto.randomUUID()}`;
}

/** As the vendor writes times: RFC 3339 in whole seconds. */
function toVendorTime(unixMs: number): string {
  return `${toRfc3339(unixMs).slice(0, -5)}Z`;
}
