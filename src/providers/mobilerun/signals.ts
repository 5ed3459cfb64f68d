import { z } from 'zod';
import { fromClient } from '../../domain/policy/signal-origin.ts';
import { toSignals } from '../declared-signals.ts';
import {
  hashIdentifier,
  omitAbsent,
  toCountry,
  toPositiveInteger,
  toText,
  toTimeZone,
} from '../signal-values.ts';
import { findDoubtful } from './doubtful-identifiers.ts';
import {
  hasLuhnChecksum,
  isImsi,
  isImsiOfOperator,
  isLocallyAdministeredMac,
  isMeid,
  isMulticastMac,
  isReservedTac,
  mccOfImsi,
} from './identifiers.ts';
import type { Fingerprint } from './payload.ts';

const text = (what: string) => fromClient(z.string().optional().describe(what));
const hashed = (what: string) => fromClient(z.string().optional().describe(`Keyed hash of the ${what}.`));
const integer = (what: string) => fromClient(z.number().int().optional().describe(what));
const names = (what: string) => fromClient(z.array(z.string()).optional().describe(what));
const fact = (what: string) => fromClient(z.boolean().optional().describe(what));

const modelSchema = z.object({
  brand: text('Consumer brand of the phone.'),
  manufacturer: text('Manufacturer of the phone.'),
  model: text('Model name shown to users.'),
  device: text('Android device code name.'),
  hardware: text('Android hardware name, the board.'),
  aosp_version: text('Version of the Android Open Source Project the image is built from.'),
  image_repository: text('Repository of the image that the cloud phone runs.'),
});

const displaySchema = z.object({
  width: integer('Width of the display in pixels.'),
  height: integer('Height of the display in pixels.'),
  density_dpi: integer('Density of the display in dots per inch.'),
});

const identifiersSchema = z.object({
  serial_hash: hashed('serial shown to apps'),
  android_id_hash: hashed('Android id'),
  imei_hash: hashed('IMEI'),
  meid_hash: hashed('MEID'),
  imsi_hash: hashed('IMSI'),
  iccid_hash: hashed('ICCID, the serial number of the SIM card'),
  phone_hash: hashed('phone number'),
  gaid_hash: hashed('Google advertising id; absent too where the user has deleted it'),
  gsf_id_hash: hashed('Google Services Framework id'),
  app_set_id_hash: hashed('app set id'),
  media_drm_id_hash: hashed('media DRM id'),
  wifi_mac_hash: hashed('Wi-Fi MAC address'),
  bluetooth_mac_hash: hashed('Bluetooth MAC address'),
  serial_number_hash: hashed('serial number of the system'),
  bootloader_serial_hash: hashed('serial number of the bootloader'),
});

/**
 * What a policy reads as `mobilerun`. The phone's operator sets the identity: it can show consistency and
 * reuse, but proves nothing.
 */
export const mobilerunSignals = z.object({
  found: z.boolean().describe('Mobilerun knows the device id.'),
  supported: z.boolean().describe('The device can give a fingerprint; without it only `found` is known.'),
  model: fromClient(modelSchema.optional().describe('What the phone says it is.')),
  display: fromClient(displaySchema.optional().describe('The display of the phone.')),
  identifiers: fromClient(
    identifiersSchema
      .optional()
      .describe('Keyed hashes of the identifiers, for comparing only. An empty one is absent.'),
  ),
  empty_identifiers: integer('How many of the 15 identifiers are empty.'),
  imei_present: fact('The device has an IMEI.'),
  imei_luhn_valid: fact('The IMEI has 15 digits and a right check digit. Absent without an IMEI.'),
  imei_tac_reserved: fact(
    'The IMEI begins with 00, which is kept for test equipment. Absent without 15 digits.',
  ),
  meid_well_formed: fact(
    'The MEID has 14 hexadecimal digits from A0 on, or 18 decimal ones. Absent without an MEID.',
  ),
  imsi_well_formed: fact('The IMSI has 14 or 15 digits. Absent without an IMSI.'),
  imsi_mcc: integer(
    'Mobile country code of the IMSI as a number: 1 is a test network. Absent without a well-formed IMSI.',
  ),
  imsi_matches_sim_operator: fact(
    'The IMSI begins with the MCC and MNC of the SIM. Absent when either is empty.',
  ),
  wifi_mac_locally_administered: fact(
    'The Wi-Fi MAC address was assigned by software, not by a vendor. Absent without a readable one.',
  ),
  bluetooth_mac_locally_administered: fact(
    'The Bluetooth MAC address was assigned by software, not by a vendor. Absent without a readable one.',
  ),
  wifi_mac_multicast: fact(
    'The Wi-Fi MAC address names a group, which no phone is. Absent without a readable one.',
  ),
  bluetooth_mac_multicast: fact(
    'The Bluetooth MAC address names a group, which no phone is. Absent without a readable one.',
  ),
  repeated_identifiers: names(
    'Names of identifiers whose value another one has too, such as `imei`. Serial numbers may be one. Empty where there is none, absent without any identifier.',
  ),
  default_identifiers: names(
    'Names of identifiers that are the default of an emulator or one digit repeated, such as `android_id`. Empty where there is none, absent without any identifier.',
  ),
  carrier_country: text('Country of the SIM, ISO 3166-1 alpha-2 in upper case.'),
  carrier_operator: text('Name of the network operator.'),
  carrier_operator_numeric: integer('MCC and MNC of the network as one integer; leading zeros are lost.'),
  sim_operator: text('Name of the operator of the SIM.'),
  sim_operator_numeric: integer('MCC and MNC of the SIM as one integer; leading zeros are lost.'),
  time_zone: text('IANA time zone of the phone.'),
});

/** The signals of a fingerprint: no raw identifier. */
export function toMobilerunSignals(fingerprint: Fingerprint, hash: (value: string) => string) {
  return toSignals(mobilerunSignals, {
    found: true,
    supported: true,
    model: toModel(fingerprint.model),
    display: toDisplay(fingerprint.display),
    identifiers: toIdentifierHashes(fingerprint.identifiers, hash),
    ...toIdentifierFacts(fingerprint),
    ...toCarrier(fingerprint.carrier),
  });
}

function toModel(model: Fingerprint['model']) {
  return omitAbsent({
    brand: toText(model.brand),
    manufacturer: toText(model.manufacturer),
    model: toText(model.model),
    device: toText(model.device),
    hardware: toText(model.hardware),
    aosp_version: toText(model.aospVersion),
    image_repository: toText(model.imageRepository),
  });
}

function toDisplay(display: Fingerprint['display']) {
  return omitAbsent({
    width: toPositiveInteger(display.width),
    height: toPositiveInteger(display.height),
    density_dpi: toPositiveInteger(display.densityDpi),
  });
}

function toIdentifierHashes(identifiers: Fingerprint['identifiers'], hash: (value: string) => string) {
  return omitAbsent({
    serial_hash: hashIdentifier(identifiers.IdentifierSerial, hash),
    android_id_hash: hashIdentifier(identifiers.IdentifierAndroidID, hash),
    imei_hash: hashIdentifier(identifiers.IdentifierIMEI, hash),
    meid_hash: hashIdentifier(identifiers.IdentifierMEID, hash),
    imsi_hash: hashIdentifier(identifiers.IdentifierIMSI, hash),
    iccid_hash: hashIdentifier(identifiers.IdentifierICCID, hash),
    phone_hash: hashIdentifier(identifiers.IdentifierPhoneNumber, hash),
    gaid_hash: hashIdentifier(toAdvertisingId(identifiers.IdentifierGAID), hash),
    gsf_id_hash: hashIdentifier(identifiers.IdentifierGSFID, hash),
    app_set_id_hash: hashIdentifier(identifiers.IdentifierAppSetID, hash),
    media_drm_id_hash: hashIdentifier(identifiers.IdentifierMediaDRMID, hash),
    wifi_mac_hash: hashIdentifier(identifiers.IdentifierWifiMAC, hash),
    bluetooth_mac_hash: hashIdentifier(identifiers.IdentifierBluetoothMAC, hash),
    serial_number_hash: hashIdentifier(identifiers.SerialNumber, hash),
    bootloader_serial_hash: hashIdentifier(identifiers.BootloaderSerialNumber, hash),
  });
}

/** Android gives zeros to apps whose user has deleted the id: they are of everybody who did. */
function toAdvertisingId(text: string): string {
  return /^[0-]*$/.test(text.trim()) ? '' : text;
}

function toIdentifierFacts({ identifiers, carrier }: Fingerprint) {
  const imei = identifiers.IdentifierIMEI.trim();
  const meid = identifiers.IdentifierMEID.trim();
  const imsi = identifiers.IdentifierIMSI.trim();
  const doubtful = findDoubtful(identifiers);
  return omitAbsent({
    empty_identifiers: Object.values(identifiers).filter((value) => value.trim() === '').length,
    imei_present: imei !== '',
    imei_luhn_valid: imei === '' ? undefined : imei.length === 15 && hasLuhnChecksum(imei),
    imei_tac_reserved: isReservedTac(imei),
    meid_well_formed: meid === '' ? undefined : isMeid(meid),
    imsi_well_formed: imsi === '' ? undefined : isImsi(imsi),
    imsi_mcc: mccOfImsi(imsi),
    imsi_matches_sim_operator: isImsiOfOperator(imsi, toPositiveInteger(carrier.GsmSimOperatorNumeric)),
    wifi_mac_locally_administered: isLocallyAdministeredMac(identifiers.IdentifierWifiMAC),
    bluetooth_mac_locally_administered: isLocallyAdministeredMac(identifiers.IdentifierBluetoothMAC),
    wifi_mac_multicast: isMulticastMac(identifiers.IdentifierWifiMAC),
    bluetooth_mac_multicast: isMulticastMac(identifiers.IdentifierBluetoothMAC),
    repeated_identifiers: doubtful?.repeated,
    default_identifiers: doubtful?.defaults,
  });
}

function toCarrier(carrier: Fingerprint['carrier']) {
  return omitAbsent({
    carrier_country: toCountry(carrier.GsmSimOperatorIsoCountry),
    carrier_operator: toText(carrier.GsmOperatorAlpha),
    carrier_operator_numeric: toPositiveInteger(carrier.GsmOperatorNumeric),
    sim_operator: toText(carrier.GsmSimOperatorAlpha),
    sim_operator_numeric: toPositiveInteger(carrier.GsmSimOperatorNumeric),
    time_zone: toTimeZone(carrier.PersistSysTimezone),
  });
}
