import { canonicalAddress, formatNetwork, parseNetwork } from '../domain/ip-address.ts';

/**
 * The longest text in a signal. Names of countries, models and carriers are far shorter; a longer text is
 * noise or an attack, and is treated as absent.
 */
const TEXT_CHARS_MAX = 128;

/**
 * 9999-12-31T23:59:59Z, the last second RFC 3339 can write. It also refuses milliseconds sent for seconds.
 */
export const UNIX_SECONDS_MAX = 253_402_300_799;

/** Longer prefixes are filtered between networks by convention (RFC 7454, 6.1.3). */
const ROUTED_PREFIX_MAX = { 4: 24, 6: 48 } as const;

const ASN_MAX = 4_294_967_295;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
const CONTROL_CHARACTERS = /\p{Cc}|\p{Cs}/u;

/** The object without the keys whose value is undefined: absence is the absence of the key. */
export function omitAbsent<Fields extends object>(fields: Fields): Present<Fields> {
  const present: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const value: unknown = Reflect.get(fields, name);
    if (value !== undefined) present[name] = value;
  }
  // Built key by key, of which the compiler keeps no account.
  return present as Present<Fields>;
}

type Present<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/**
 * A trimmed text; undefined when it is empty, longer than `TEXT_CHARS_MAX` or contains control characters.
 */
export function toText(value: string | null | undefined): string | undefined {
  const text = value?.trim() ?? '';
  if (text === '' || text.length > TEXT_CHARS_MAX || CONTROL_CHARACTERS.test(text)) return undefined;
  return text;
}

/** An ISO 3166-1 alpha-2 code in upper case, or undefined. */
export function toCountry(value: string | null | undefined): string | undefined {
  const code = value?.trim().toUpperCase() ?? '';
  return /^[A-Z]{2}$/.test(code) ? code : undefined;
}

/** An IANA time zone name, or undefined when the text cannot be one. */
export function toTimeZone(value: string | null | undefined): string | undefined {
  const zone = value?.trim() ?? '';
  return /^[A-Za-z][\w+/-]{0,63}$/.test(zone) ? zone : undefined;
}

/**
 * An autonomous system number (RFC 6793, 1 to 2³²−1) from a number or a text such as `4764` or `AS4764`, or
 * undefined.
 */
export function toAsn(value: string | number | null | undefined): number | undefined {
  const digits = /^(?:AS)?(\d{1,10})$/i.exec(String(value ?? '').trim())?.[1];
  const asn = Number(digits);
  return asn >= 1 && asn <= ASN_MAX ? asn : undefined;
}

/** A positive safe integer, or undefined: upstream zero means "not set". */
export function toPositiveInteger(value: number | null | undefined): number | undefined {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : undefined;
}

/**
 * Unix milliseconds of an RFC 3339 time from 1970 to 9999, otherwise null: a zero time such as Go's year 1
 * means "not set".
 */
export function parseRfc3339Ms(value: string): number | null {
  const text = value.trim().toUpperCase();
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  return ms >= 0 && ms <= UNIX_SECONDS_MAX * 1000 ? ms : null;
}

/**
 * Whole seconds from `unixSeconds` to `nowMs`; negative for a future time. It is cheap, because it runs for
 * every decision.
 */
export function secondsSince(unixSeconds: number, nowMs: number): number {
  return Math.floor(nowMs / 1000) - unixSeconds;
}

/** A keyed hash of an identifier, ignoring surrounding space and case; undefined without an identifier. */
export function hashIdentifier(
  value: string | null | undefined,
  hash: (value: string) => string,
): string | undefined {
  const identifier = value?.trim().toLowerCase() ?? '';
  return identifier === '' ? undefined : hash(identifier);
}

/** A keyed hash of an address in its one spelling; undefined for what is not an address. */
export function hashAddress(
  value: string | null | undefined,
  hash: (value: string) => string,
): string | undefined {
  const address = canonicalAddress(value ?? '');
  return address === null ? undefined : hash(address);
}

/** A keyed hash of a text to the letter, surrounding space aside; undefined for an empty one. */
export function hashText(
  value: string | null | undefined,
  hash: (value: string) => string,
): string | undefined {
  const text = value?.trim() ?? '';
  return text === '' ? undefined : hash(text);
}

/**
 * A network in its one spelling, or undefined for what is not one, and for one that is narrower than what is
 * routed on the Internet: it could be one subscriber's.
 */
export function toRoutedNetwork(value: string | null | undefined): string | undefined {
  const network = parseNetwork(value?.trim() ?? '');
  if ('mistake' in network || network.prefix > ROUTED_PREFIX_MAX[network.family]) return undefined;
  return formatNetwork(network);
}
