import { z } from 'zod';
import { fromClient } from '../../domain/policy/signal-origin.ts';
import { hasText } from '../../domain/subject.ts';
import type { SubjectPlace } from '../../domain/subject-place.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { toSignals } from '../declared-signals.ts';
import type { RequestToCompare } from '../definition.ts';
import {
  hashAddress,
  hashIdentifier,
  hashText,
  omitAbsent,
  secondsSince,
  toAsn,
  toCountry,
  toRoutedNetwork,
  toText,
} from '../signal-values.ts';
import type { Lookup } from './payload.ts';

const hashed = (what: string) => z.string().optional().describe(`Keyed hash of ${what}.`);
const time = (what: string) =>
  z.string().optional().describe(`${what}, RFC 3339 in UTC.`).meta({ format: 'date-time' });
const seconds = (what: string) => z.number().int().optional().describe(what);

const fingerprintsSchema = z.object({
  visitor_id_hash: hashed("the visitor id, the cookie on the user's device"),
  browser_id_hash: hashed('the browser id, made of visitor id and network fingerprint'),
  visitor_hash: hashed('the visitor fingerprint, which needs no cookie'),
  browser_hash: hashed('the browser fingerprint, a browser and its version'),
  hardware_hash: hashed('the hardware fingerprint, an operating system and architecture'),
  network_hash: hashed('the network fingerprint, the TLS client'),
});

/** What a policy reads as `stytch`. */
export const stytchSignals = z.object({
  found: z
    .boolean()
    .describe('Stytch knows the telemetry id. Unknown, expired and missing ids are not found.'),
  action: z
    .string()
    .optional()
    .describe("Stytch's own verdict: `ALLOW`, `CHALLENGE`, `BLOCK`, or a value yet unknown."),
  reasons: z
    .array(z.string())
    .optional()
    .describe('Why Stytch decided so, for example `HEADLESS_BROWSER_AUTOMATION`. An open set.'),
  is_authentic: z
    .boolean()
    .optional()
    .describe('False when hardware or browser deception was detected, even where the action is ALLOW.'),
  device_type: fromClient(
    z.string().optional().describe('Operating system and architecture that took the fingerprint.'),
  ),
  rule_match_type: z
    .string()
    .optional()
    .describe('The kind of Stytch rule that decided, for example `VISITOR_ID`. Absent when none did.'),
  rule_match_identifier_hash: hashed('the value that the matching Stytch rule names'),
  overridden_reasons: z
    .array(z.string())
    .optional()
    .describe('Verdict reasons whose action the operator has overridden at Stytch.'),
  overrides: z
    .array(z.string())
    .optional()
    .describe(
      'Each overridden reason with the action that it was given, such as `VIRTUAL_MACHINE=ALLOW`. One without an action is not listed.',
    ),
  is_proxy: fromClient(
    z.boolean().optional().describe('The IP address is a proxy. Absent with the GET lookup.'),
  ),
  is_vpn: fromClient(
    z.boolean().optional().describe('The IP address is a VPN exit. Absent with the GET lookup.'),
  ),
  asn: fromClient(
    z
      .number()
      .int()
      .optional()
      .describe('Autonomous system number of the IP address. Absent with the GET lookup.'),
  ),
  asn_name: fromClient(
    z
      .string()
      .optional()
      .describe('Name of the autonomous system of the IP address. Absent with the GET lookup.'),
  ),
  network: fromClient(
    z
      .string()
      .optional()
      .describe(
        'Network of the IP address as it is routed, such as `203.0.113.0/24`. Absent with the GET lookup, and where it is narrower than /24, or /48 of IPv6: it could name one subscriber.',
      ),
  ),
  country: fromClient(
    z
      .string()
      .optional()
      .describe('Country of the IP address, ISO 3166-1 alpha-2. Absent with the GET lookup.'),
  ),
  region: fromClient(
    z
      .string()
      .optional()
      .describe('Region of the IP address, as Stytch names it. Absent with the GET lookup.'),
  ),
  city: fromClient(
    z.string().optional().describe('City of the IP address, as Stytch names it. Absent with the GET lookup.'),
  ),
  ip_hash: fromClient(hashed('the IP address that Stytch saw. Absent with the GET lookup')),
  user_agent_hash: fromClient(hashed('the User-Agent that Stytch saw. Absent with the GET lookup')),
  ip_matches_request: fromClient(
    z
      .boolean()
      .optional()
      .describe(
        'The IP address that Stytch saw is `request.ip`. Absent where either is not told or cannot be read.',
      ),
  ),
  user_agent_matches_request: fromClient(
    z
      .boolean()
      .optional()
      .describe(
        'The User-Agent that Stytch saw is `request.user_agent`, to the letter. Absent where either is not told.',
      ),
  ),
  fingerprints: fromClient(
    fingerprintsSchema.optional().describe('Keyed hashes of the fingerprints, for comparing only.'),
  ),
  created_at: time('When the fingerprint was taken'),
  created_at_unix_seconds: seconds('When the fingerprint was taken, Unix time in seconds.'),
  expires_at: time('When the fingerprint expires'),
  expires_at_unix_seconds: seconds('When the fingerprint expires, Unix time in seconds.'),
  age_seconds: seconds('Seconds since the fingerprint was taken; negative where the clocks disagree.'),
  expires_in_seconds: seconds('Seconds until the fingerprint expires; negative once it has.'),
});

/** As they are stored. */
type StytchSignals = z.output<typeof stytchSignals>;

/** The signals of a lookup: no raw identifier, absolute times. */
export function toStytchSignals(lookup: Lookup, hash: (value: string) => string) {
  return toSignals(stytchSignals, {
    found: true,
    ...toVerdictSignals(lookup.verdict, hash),
    ...toNetworkSignals(lookup.properties?.network_properties),
    ip_hash: hashAddress(lookup.properties?.network_properties?.ip_address, hash),
    user_agent_hash: hashText(lookup.properties?.browser_properties?.user_agent, hash),
    fingerprints: toFingerprintHashes(lookup.fingerprints, hash),
    created_at: toRfc3339(lookup.created_at),
    created_at_unix_seconds: Math.floor(lookup.created_at / 1000),
    expires_at: toRfc3339(lookup.expires_at),
    expires_at_unix_seconds: Math.floor(lookup.expires_at / 1000),
  });
}

/**
 * The stored signals with the fingerprint's age and remaining life at `nowMs`, and with whether Stytch saw the
 * address and User-Agent of this request: evidence is shared between requests, so that it cannot say so itself.
 */
export function presentStytch(
  signals: StytchSignals,
  nowMs: number,
  request: RequestToCompare,
): StytchSignals {
  const { created_at_unix_seconds: created, expires_at_unix_seconds: expires } = signals;
  if (typeof created !== 'number' || typeof expires !== 'number') return signals;
  const presented = {
    ...signals,
    age_seconds: secondsSince(created, nowMs),
    expires_in_seconds: -secondsSince(expires, nowMs),
  };
  const { ip, userAgent, hash } = request;
  const isSameIp = isHashOf(signals.ip_hash, ip, hash);
  if (isSameIp !== undefined) presented.ip_matches_request = isSameIp;
  const isSameAgent = isHashOf(signals.user_agent_hash, userAgent?.trim(), hash);
  if (isSameAgent !== undefined) presented.user_agent_matches_request = isSameAgent;
  return presented;
}

/** Undefined where either side is not told. Stored evidence is of any version. */
function isHashOf(
  stored: unknown,
  text: string | undefined,
  hash: RequestToCompare['hash'],
): boolean | undefined {
  return typeof stored === 'string' && hasText(text) ? stored === hash(text) : undefined;
}

/** When the telemetry id expires, by whole seconds; null for an id that Stytch does not know. */
export function stytchExpiresAtMs(signals: StytchSignals): number | null {
  const { expires_at_unix_seconds: expires } = signals;
  return typeof expires === 'number' ? expires * 1000 : null;
}

/** When the fingerprint was taken, Unix milliseconds; null where the signals do not tell. */
export function stytchCreatedAtMs(signals: StytchSignals): number | null {
  const { created_at_unix_seconds: created } = signals;
  return typeof created === 'number' ? created * 1000 : null;
}

/** The keyed hash of the visitor fingerprint; null where the signals do not tell. */
export function stytchVisitor({ fingerprints }: StytchSignals): string | null {
  // Stored evidence is of any version: what is no text is no hash.
  const hash: unknown = fingerprints?.visitor_hash;
  return typeof hash === 'string' ? hash : null;
}

/** Where Stytch saw the request come from. The GET lookup does not tell. */
export function stytchPlace({ country, asn }: StytchSignals): SubjectPlace {
  const [known, number]: unknown[] = [country, asn];
  return {
    country: typeof known === 'string' ? known : null,
    // Stored evidence is of any version: what is no number of a system names none.
    asn: typeof number === 'number' ? (toAsn(number) ?? null) : null,
  };
}

function toVerdictSignals(verdict: Lookup['verdict'], hash: (value: string) => string) {
  const overrides = verdict.verdict_reason_overrides ?? [];
  return omitAbsent({
    action: verdict.action,
    reasons: verdict.reasons,
    is_authentic: verdict.is_authentic_device,
    device_type: toText(verdict.detected_device_type),
    rule_match_type: toText(verdict.rule_match_type),
    rule_match_identifier_hash: hashIdentifier(verdict.rule_match_identifier, hash),
    overridden_reasons: overrides.map((override) => override.verdict_reason),
    overrides: overrides.flatMap(({ verdict_reason: reason, override_action: action }) =>
      hasText(action) ? [`${reason}=${action}`] : [],
    ),
  });
}

type NetworkProperties = NonNullable<Lookup['properties']>['network_properties'];

function toNetworkSignals(network: NetworkProperties) {
  return omitAbsent({
    is_proxy: network?.is_proxy ?? undefined,
    is_vpn: network?.is_vpn ?? undefined,
    asn: toAsn(network?.asn?.asn),
    asn_name: toText(network?.asn?.name),
    network: toRoutedNetwork(network?.asn?.network),
    country: toCountry(network?.ip_geolocation?.country),
    region: toText(network?.ip_geolocation?.region),
    city: toText(network?.ip_geolocation?.city),
  });
}

function toFingerprintHashes(fingerprints: Lookup['fingerprints'], hash: (value: string) => string) {
  return omitAbsent({
    visitor_id_hash: hashIdentifier(fingerprints.visitor_id, hash),
    browser_id_hash: hashIdentifier(fingerprints.browser_id, hash),
    visitor_hash: hashIdentifier(fingerprints.visitor_fingerprint, hash),
    browser_hash: hashIdentifier(fingerprints.browser_fingerprint, hash),
    hardware_hash: hashIdentifier(fingerprints.hardware_fingerprint, hash),
    network_hash: hashIdentifier(fingerprints.network_fingerprint, hash),
  });
}
