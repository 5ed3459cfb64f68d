import { hasLuhnChecksum } from './identifiers.ts';

/**
 * The device id of all sample calls. It is that of the other device API, since this vendor publishes none.
 */
const SAMPLE_DEVICE_ID = '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1';

type Payload = Readonly<Record<string, unknown>>;

/**
 * Invented throughout: the IMEI is the well-known example of a valid check digit, the phone number is from
 * the Australian fiction range.
 */
const IDENTIFIERS = {
  IdentifierSerial: 'EMULATED00000001',
  IdentifierAndroidID: '00e0000000000001',
  IdentifierIMEI: '490154203237518',
  IdentifierMEID: 'A0000000000001',
  IdentifierIMSI: '505010000000001',
  IdentifierICCID: '8961010000000000001',
  IdentifierPhoneNumber: '+61491570006',
  IdentifierGAID: '00000000-0000-4000-8000-000000000001',
  IdentifierGSFID: '3000000000000001',
  IdentifierAppSetID: '00000000-0000-4000-8000-000000000002',
  IdentifierMediaDRMID: '0000000000000000000000000000000000000000000000000000000000000001',
  IdentifierWifiMAC: '02:00:5e:00:53:01',
  IdentifierBluetoothMAC: '00:00:5e:00:53:02',
  SerialNumber: 'EMULATED00000001',
  BootloaderSerialNumber: 'EMULATED00000001',
} as const;

/** Consistent with the IP country and time zone at the other emulators. */
const CARRIER = {
  GsmOperatorAlpha: 'Example Mobile',
  GsmOperatorNumeric: 50501,
  GsmSimOperatorAlpha: 'Example Mobile',
  GsmSimOperatorIsoCountry: 'au',
  GsmSimOperatorNumeric: 50501,
  PersistSysTimezone: 'Australia/Melbourne',
} as const;

/** A phone that a network abroad serves. */
const SERVED_ABROAD = { ...CARRIER, GsmOperatorNumeric: 26201, PersistSysTimezone: 'Europe/Berlin' } as const;

/** A cloud phone with a SIM of Lagos. */
const CLOUD_CARRIER = {
  ...CARRIER,
  GsmOperatorNumeric: 62130,
  GsmSimOperatorIsoCountry: 'ng',
  GsmSimOperatorNumeric: 62130,
  PersistSysTimezone: 'Africa/Lagos',
} as const;

const FULL: Payload = {
  $schema: 'https://api.mobilerun.ai/schemas/FingerprintResult.json',
  model: {
    aospVersion: '14',
    brand: 'google',
    device: 'shiba',
    hardware: 'shiba',
    imageRepository: 'example/aosp-shiba',
    manufacturer: 'Google',
    model: 'Pixel 8',
  },
  display: { width: 1080, height: 2400, densityDpi: 420 },
  identifiers: IDENTIFIERS,
  carrier: CARRIER,
};

/** Required members only: `model` and `display` have none, the others are required but may be empty. */
const MINIMAL: Payload = {
  model: {},
  display: {},
  identifiers: Object.fromEntries(Object.keys(IDENTIFIERS).map((name) => [name, ''])),
  carrier: {
    GsmOperatorAlpha: '',
    GsmOperatorNumeric: 0,
    GsmSimOperatorAlpha: '',
    GsmSimOperatorIsoCountry: '',
    GsmSimOperatorNumeric: 0,
    PersistSysTimezone: '',
  },
};

const UNKNOWN_FIELDS: Payload = {
  ...FULL,
  identifiers: { ...IDENTIFIERS, IdentifierOfALaterYear: 'emulated' },
  sensors: { gyroscope: true, listed: [1, 'two', null] },
};

const PAYLOADS: ReadonlyMap<string, Payload> = new Map([
  ['active', FULL],
  ['revoked', FULL],
  ['never-seen', FULL],
  [SAMPLE_DEVICE_ID, FULL],
  ['minimal', MINIMAL],
  ['fault-unknown-fields', UNKNOWN_FIELDS],
]);

/** Phones of which there are as many as are wanted: each of these names with any suffix. */
const KINDS: ReadonlyMap<string, Payload> = new Map([
  ['traveller', { ...FULL, carrier: SERVED_ABROAD }],
  ['roamer', { ...FULL, carrier: SERVED_ABROAD }],
  ['vpn', FULL],
  [
    'cloud-phone',
    { ...FULL, identifiers: { ...IDENTIFIERS, IdentifierIMSI: '621300000000001' }, carrier: CLOUD_CARRIER },
  ],
]);
const OF_A_KIND = new RegExp(`^(${[...KINDS.keys()].join('|')})-.+$`, 's');

/** The success payload of a device id, or null for an id that has none. This vendor does not echo the id. */
export function successPayload(deviceId: string): Payload | null {
  const payload = KINDS.get(OF_A_KIND.exec(deviceId)?.[1] ?? '') ?? PAYLOADS.get(deviceId);
  return payload === undefined ? null : withOwnIdentifiers(payload, deviceId);
}

/** The id of one phone keeps the identifiers above; another has its own, and none has those of its like. */
function withOwnIdentifiers(payload: Payload, deviceId: string): Payload {
  if (deviceId === 'active' || payload === MINIMAL) return payload;
  const number = String(hashOf(deviceId) % 1_000_000).padStart(6, '0');
  const serial = `49015420${number}`;
  const checkDigit = '0123456789'.split('').find((digit) => hasLuhnChecksum(serial + digit)) ?? '';
  const identifiers = {
    ...Object(payload['identifiers']),
    IdentifierIMEI: serial + checkDigit,
    IdentifierGAID: `00000000-0000-4000-8000-000000${number}`,
    IdentifierMediaDRMID: number.padStart(64, '0'),
  };
  return { ...payload, identifiers };
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1)
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193) >>> 0;
  return hash;
}

/** The payload of a phone with every field set. */
export function healthyPayload(deviceId: string): Payload {
  return withOwnIdentifiers(FULL, deviceId);
}
