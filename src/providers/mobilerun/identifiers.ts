/**
 * True for digits whose last one is the Luhn check digit of the others (ISO/IEC 7812-1, annex B); an IMEI
 * ends in one.
 */
export function hasLuhnChecksum(digits: string): boolean {
  if (!/^\d+$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/**
 * Whether a MAC address has the locally-administered bit (IEEE 802): software assigned it. Undefined when the
 * text is no MAC address.
 */
export function isLocallyAdministeredMac(mac: string): boolean | undefined {
  const first = firstOctet(mac);
  return first === undefined ? undefined : (first & 0b10) !== 0;
}

function firstOctet(mac: string): number | undefined {
  const text = mac.trim();
  if (!/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Number.parseInt(text.slice(0, 2), 16);
}

/** Whether a MAC address names a group of stations (IEEE 802), as no station's own does. Undefined as above. */
export function isMulticastMac(mac: string): boolean | undefined {
  const first = firstOctet(mac);
  return first === undefined ? undefined : (first & 0b01) !== 0;
}

/**
 * Whether an IMSI begins with an operator's MCC and MNC, as ITU-T E.212 has it: five digits or six, of which an
 * integer lacks zeros that lead. Undefined when either is unknown.
 */
export function isImsiOfOperator(imsi: string, operatorNumeric: number | undefined): boolean | undefined {
  if (imsi === '' || operatorNumeric === undefined) return undefined;
  const digits = String(operatorNumeric);
  return imsi.startsWith(digits.padStart(5, '0')) || imsi.startsWith(digits.padStart(6, '0'));
}

/**
 * Whether a type allocation code is of test equipment: the GSMA gives those that begin with 00 to no phone
 * (TS.06). Undefined for what is no IMEI.
 */
export function isReservedTac(imei: string): boolean | undefined {
  return /^\d{15}$/.test(imei) ? imei.startsWith('00') : undefined;
}

/**
 * Whether a text is an MEID: 14 hexadecimal digits from A0 on, or from 99 on where it is an IMEI too, or 18
 * decimal ones (3GPP2 S.R0048).
 */
export function isMeid(text: string): boolean {
  return /^(?:(?:[a-f][\da-f]|99)[\da-f]{12}|\d{18})$/i.test(text);
}

/** Whether a text is an IMSI as networks give them: 14 or 15 digits (ITU-T E.212 allows 15 at most). */
export function isImsi(text: string): boolean {
  return /^\d{14,15}$/.test(text);
}

/** The mobile country code that an IMSI begins with; undefined for what is no IMSI. */
export function mccOfImsi(imsi: string): number | undefined {
  return isImsi(imsi) ? Number(imsi.slice(0, 3)) : undefined;
}
