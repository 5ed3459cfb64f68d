import type { Contradiction, ContradictionInput, Finding, Told } from './contradiction.ts';
import { anyOf, flagOf, found, numberOf, textsOf } from './told.ts';

/** The mobile country code of test networks (ITU-T E.212). */
const TEST_MCC = 1;

/** Facts of Mobilerun's identifiers that no phone has, with what they are then. */
const FAULTS: readonly (readonly [string, boolean])[] = [
  ['imei_luhn_valid', false],
  ['imei_tac_reserved', true],
  ['meid_well_formed', false],
  ['imsi_well_formed', false],
  ['imsi_matches_sim_operator', false],
  ['wifi_mac_multicast', true],
  ['bluetooth_mac_multicast', true],
  ['bluetooth_mac_locally_administered', true],
];

/** Lists of identifiers, of which no phone has one. */
const FAULTY_LISTS = ['repeated_identifiers', 'default_identifiers'] as const;

/** Identifiers that no phone of a maker has. */
export const IDENTITY_SHAPE: Contradiction = {
  id: 'identity_shape',
  family: 'hardware',
  meaning:
    "Mobilerun's identifiers are not those of a phone: an IMEI without its check digit or of test equipment, an MEID or IMSI of another length, an IMSI that is not of its SIM or of a test network, a multicast MAC or a locally administered one of Bluetooth, one value for different identifiers, or the default of an emulator. A locally administered MAC of Wi-Fi is usual since Android 10 and does not count.",
  reads: ['mobilerun'],
  find: ({ evidence: { mobilerun } }: ContradictionInput): Finding =>
    anyOf([
      ...FAULTS.map(([name, fault]) =>
        judge(flagOf(mobilerun, name), (value) => found(value === fault, { [name]: value })),
      ),
      judge(numberOf(mobilerun, 'imsi_mcc'), (mcc) => found(mcc === TEST_MCC, { imsi_mcc: mcc })),
      ...FAULTY_LISTS.map((name) =>
        judge(textsOf(mobilerun, name), (names) => found(names.length > 0, { [name]: [...names] })),
      ),
    ]),
};

function judge<Value>(value: Told<Value>, toFinding: (value: Value) => Finding): Finding {
  if (value === undefined) return 'none';
  return value === null ? 'unknown' : toFinding(value);
}
