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
  const text = mac.trim();
  if (!/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return (Number.parseInt(text.slice(0, 2), 16) & 0b10) !== 0;
}

/**
 * Whether an IMSI begins with an operator's MCC and MNC, as ITU-T E.212 has it. Undefined when either is
 * unknown.
 */
export function isImsiOfOperator(imsi: string, operatorNumeric: number | undefined): boolean | undefined {
  if (imsi === '' || operatorNumeric === undefined) return undefined;
  return imsi.startsWith(String(operatorNumeric));
}
