import { z } from 'zod';

const text = z.string();
const textOrAbsent = z.string().nullish();
const integerOrAbsent = z.number().nullish();

/**
 * A fingerprint as the Mobilerun API reference describes it: every member of `model` and `display` may be
 * absent, every member of `identifiers` and `carrier` is there but may be empty. The mixed spelling is the
 * vendor's. The operator numerics are integers, so leading zeros of MCC and MNC are lost.
 */
export const fingerprintSchema = z.object({
  model: z.object({
    brand: textOrAbsent,
    manufacturer: textOrAbsent,
    model: textOrAbsent,
    device: textOrAbsent,
    hardware: textOrAbsent,
    aospVersion: textOrAbsent,
    imageRepository: textOrAbsent,
  }),
  display: z.object({ width: integerOrAbsent, height: integerOrAbsent, densityDpi: integerOrAbsent }),
  identifiers: z.object({
    IdentifierSerial: text,
    IdentifierAndroidID: text,
    IdentifierIMEI: text,
    IdentifierMEID: text,
    IdentifierIMSI: text,
    IdentifierICCID: text,
    IdentifierPhoneNumber: text,
    IdentifierGAID: text,
    IdentifierGSFID: text,
    IdentifierAppSetID: text,
    IdentifierMediaDRMID: text,
    IdentifierWifiMAC: text,
    IdentifierBluetoothMAC: text,
    SerialNumber: text,
    BootloaderSerialNumber: text,
  }),
  carrier: z.object({
    GsmOperatorAlpha: text,
    GsmOperatorNumeric: z.number(),
    GsmSimOperatorAlpha: text,
    GsmSimOperatorIsoCountry: text,
    GsmSimOperatorNumeric: z.number(),
    PersistSysTimezone: text,
  }),
});

/** A fingerprint. */
export type Fingerprint = z.output<typeof fingerprintSchema>;

/**
 * The members of an RFC 9457 error that are read. An absent member, or one of another type, is read as empty.
 */
export const problemSchema = z.object({
  type: z.string().catch(''),
  title: z.string().catch(''),
  detail: z.string().catch(''),
  errors: z.array(z.object({ location: z.string().catch('') }).catch({ location: '' })).catch([]),
});

/** An error body. */
export type Problem = z.output<typeof problemSchema>;
