/** Kinds of people, and of attackers, that contradictions are there to tell apart. */
export const CROWDS = ['traveller', 'roamer', 'vpn', 'new-vpn', 'cloud-phone'] as const;

/** One of them. */
export type Crowd = (typeof CROWDS)[number];

/** What each of them is, in a few words. */
export const CROWD_WORDS: Readonly<Record<Crowd, string>> = {
  traveller: 'travellers with the clock of home',
  roamer: 'roamers whose traffic leaves at home',
  vpn: 'users of a VPN abroad',
  'new-vpn': 'users who turn a VPN on',
  'cloud-phone': 'attackers with a cloud phone and a stolen telemetry id',
};

/** What somebody of a crowd asks with. The ids are those of the emulators (README.md). */
interface CrowdIds {
  readonly telemetry_id: string;
  readonly device_id: string;
  readonly account_id: string;
  readonly ip: string;
}

/** Addresses of a network, as the emulator of Stytch names it. */
const HOME = (number: number) => `192.0.2.${number % 250}`;
const ABROAD = (number: number) => `203.0.113.${number % 250}`;
const EXIT = (number: number) => `2001:db8:64::${(number % 9_999) + 1}`;

/**
 * The ids of one of a crowd, by number, with a telemetry id of this serial number. Whoever turns a VPN on, and
 * who is attacked, is `account`, which has been accepted at home.
 */
export function toCrowdIds(crowd: Crowd, number: number, serial: number, account: string): CrowdIds {
  const device_id = `${crowd === 'new-vpn' ? 'vpn' : crowd}-${number}`;
  const own = `acct_${crowd}_${number}`;
  const ids: Readonly<Record<Crowd, readonly [telemetry: string, account: string, ip: string]>> = {
    traveller: ['abroad', own, ABROAD(number)],
    roamer: ['allow', own, HOME(number)],
    vpn: ['vpn', own, EXIT(number)],
    'new-vpn': ['vpn', account, EXIT(number)],
    'cloud-phone': ['allow', account, ABROAD(number)],
  };
  const [telemetry, account_id, ip] = ids[crowd];
  return { telemetry_id: `${telemetry}-${crowd}-${serial}`, device_id, account_id, ip };
}

/** The address of one of the people at home. */
export const homeAddress = HOME;
