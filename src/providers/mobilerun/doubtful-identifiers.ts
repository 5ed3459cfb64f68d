import type { Fingerprint } from './payload.ts';

type Identifiers = Fingerprint['identifiers'];

/** What the identifiers are called in signals; names of the system's serial numbers are one. */
const NAMES: readonly (readonly [string, keyof Identifiers])[] = [
  ['serial', 'IdentifierSerial'],
  ['serial', 'SerialNumber'],
  ['serial', 'BootloaderSerialNumber'],
  ['android_id', 'IdentifierAndroidID'],
  ['imei', 'IdentifierIMEI'],
  ['meid', 'IdentifierMEID'],
  ['imsi', 'IdentifierIMSI'],
  ['iccid', 'IdentifierICCID'],
  ['phone', 'IdentifierPhoneNumber'],
  ['gaid', 'IdentifierGAID'],
  ['gsf_id', 'IdentifierGSFID'],
  ['app_set_id', 'IdentifierAppSetID'],
  ['media_drm_id', 'IdentifierMediaDRMID'],
  ['wifi_mac', 'IdentifierWifiMAC'],
  ['bluetooth_mac', 'IdentifierBluetoothMAC'],
];

/** What the Android emulator and devices without an identity have, without signs between the digits. */
const DEFAULTS: Readonly<Record<string, RegExp>> = {
  // The emulator has this serial in its boot properties, and systems without one say that it is unknown.
  serial: /^(?:emulator.*|unknown|0123456789abcdef)$/,
  // One build of Android 2.2 gave it to every device (issue 10603 of Android), and emulators still do.
  android_id: /^(?:9774d56d682e549c|dead00beef)$/,
  // The modem simulator of the Android SDK.
  imei: /^(?:358240051111110|004999010640000|123456789012345|012345678912345)$/,
  imsi: /^310260000000000$/,
  iccid: /^8901410321111851072\d?$/,
  phone: /^1?5555215\d{3}$/,
  // Given to apps since Android 6 in place of the address, and those of the SDK's own Wi-Fi.
  wifi_mac: /^(?:020000000000|0215b2\w{6}|525400123456|001122334455)$/,
  bluetooth_mac: /^(?:020000000000|001122334455)$/,
};
/** Advertising ids are all zeros where a user has opted out. */
const ZERO_IS_USUAL = 'gaid';
const ONE_CHARACTER = /^(.)\1{5,}$/;

/** Names of identifiers that are doubtful, each once, in the order of the signals. */
interface DoubtfulIdentifiers {
  /** Those whose value another one has too. Serial numbers may be one. */
  readonly repeated: string[];
  /** Those that are the default of an emulator, or one character repeated. */
  readonly defaults: string[];
}

/**
 * The identifiers that no phone has that left its maker. Empty ones are not looked at; null where all are.
 */
export function findDoubtful(identifiers: Identifiers): DoubtfulIdentifiers | null {
  const holders = new Map<string, Set<string>>();
  const defaults = new Set<string>();
  for (const [name, field] of NAMES) {
    const value = toPlain(identifiers[field]);
    if (value === '') continue;
    const names = holders.get(value) ?? new Set();
    holders.set(value, names.add(name));
    if (isDefault(name, value)) defaults.add(name);
  }
  if (holders.size === 0) return null;
  const repeated = new Set<string>();
  for (const names of holders.values()) if (names.size > 1) for (const name of names) repeated.add(name);
  return { repeated: inOrder(repeated), defaults: inOrder(defaults) };
}

/** How the digits are written does not make another identifier of them. */
function toPlain(value: string): string {
  return value.toLowerCase().replaceAll(/[\s:+-]/g, '');
}

function isDefault(name: string, value: string): boolean {
  if (ONE_CHARACTER.test(value)) return !(name === ZERO_IS_USUAL && value.startsWith('0'));
  return DEFAULTS[name]?.test(value) ?? false;
}

function inOrder(names: ReadonlySet<string>): string[] {
  return [...new Set(NAMES.map(([name]) => name))].filter((name) => names.has(name));
}
