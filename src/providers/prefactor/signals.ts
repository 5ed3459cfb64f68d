import { z } from 'zod';
import { parseJa4 } from '../../domain/ja4.ts';
import { fromClient } from '../../domain/policy/signal-origin.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { toSignals } from '../declared-signals.ts';
import {
  hashIdentifier,
  omitAbsent,
  secondsSince,
  toAsn,
  toCountry,
  toText,
  toTimeZone,
} from '../signal-values.ts';
import { distanceKm, toCoordinates } from './coordinates.ts';
import type { DeviceSummary, Interaction } from './payload.ts';
import { toUserAgentNames } from './user-agent.ts';

const text = (what: string) => z.string().optional().describe(what);
const integer = (what: string) => z.number().int().optional().describe(what);
const degrees = (what: string) =>
  z.number().optional().describe(`${what} in degrees, rounded to 2 decimals.`);
const changed = (what: string) =>
  fromClient(
    z
      .boolean()
      .optional()
      .describe(`The ${what} differs between first and last seen. Absent when either is unknown.`),
  );

const interactionSchema = z.object({
  at: z.string().describe('When it was, RFC 3339 in UTC.').meta({ format: 'date-time' }),
  at_unix_seconds: z.number().int().describe('When it was, Unix time in seconds, rounded down.'),
  age_seconds: integer('Seconds since then; negative where the clocks disagree.'),
  asn: integer('Autonomous system number of the IP address.'),
  country: text('Country of the IP address, ISO 3166-1 alpha-2.'),
  region: text('Region or state code of the IP address.'),
  latitude: degrees('Latitude'),
  longitude: degrees('Longitude'),
  ja4: text('JA4 TLS client fingerprint.'),
  ja4_transport: text(
    'How the client came by its JA4: `tcp`, `quic` or `dtls`. Absent for one of another form.',
  ),
  ja4_tls_version: text('The highest TLS version that it offered, for example `1.3`. Absent likewise.'),
  ja4_alpn: text(
    'First and last character of the first protocol that it offered: `h2`, `h3`, `h1`; `none` where it offered none. Absent likewise.',
  ),
  user_agent_family: text(
    'Browser family of the User-Agent, for example `Chrome`; `Other` for one that is not known.',
  ),
  user_agent_major: integer(
    'Major version of the browser of the User-Agent. Absent for one that is not known.',
  ),
  user_agent_os: text(
    'Operating system of the User-Agent, for example `macOS`; `Other` for one that is not known.',
  ),
  time_zone: text('IANA time zone.'),
});

/** What a policy reads as `prefactor`. */
export const prefactorSignals = z.object({
  found: z.boolean().describe('Prefactor knows the device id.'),
  status: text('`active`, `revoked` (the operator has withdrawn the device), or a value yet unknown.'),
  session_type: text('`browser`, `api`, `mcp`, or a value yet unknown.'),
  type: text('Kind of the record; `device`.'),
  auth_profile: text('`openid`, `mcp`, or a value yet unknown. Absent without a dynamic client.'),
  pkce_required: z
    .boolean()
    .optional()
    .describe('The dynamic client must use PKCE. Absent without a dynamic client.'),
  account_hash: text('Keyed hash of the Prefactor account id.'),
  domain_hash: text('Keyed hash of the Prefactor domain id.'),
  pool_hash: text('Keyed hash of the Prefactor pool id.'),
  first_seen: fromClient(
    interactionSchema.optional().describe('The first interaction. Absent when the device was never seen.'),
  ),
  last_seen: fromClient(
    interactionSchema.optional().describe('The last interaction. Absent when the device was never seen.'),
  ),
  asn_changed: changed('autonomous system number'),
  country_changed: changed('country'),
  ip_changed: changed('IP address'),
  ja4_changed: changed('JA4 fingerprint'),
  time_zone_changed: changed('time zone'),
  user_agent_family_changed: changed('browser family'),
  user_agent_os_changed: changed('operating system'),
  distance_km: fromClient(
    integer('Kilometres between the places of first and last seen. Absent when either is unknown.'),
  ),
});

/** The signals of a device: no raw identifier, absolute times. */
export function toPrefactorSignals(summary: DeviceSummary, hash: (value: string) => string) {
  const first = toInteraction(summary.first_seen);
  const last = toInteraction(summary.last_seen);
  return toSignals(prefactorSignals, {
    found: true,
    status: summary.status,
    session_type: toText(summary.session_type),
    type: toText(summary.type),
    auth_profile: toText(summary.dynamic_client_details?.auth_profile),
    pkce_required: summary.dynamic_client_details?.pkce_required ?? undefined,
    account_hash: hashIdentifier(summary.account_id, hash),
    domain_hash: hashIdentifier(summary.domain_id, hash),
    pool_hash: hashIdentifier(summary.pool_id, hash),
    first_seen: first,
    last_seen: last,
    ip_changed: isDifferent(toText(summary.first_seen?.remote_ip), toText(summary.last_seen?.remote_ip)),
    asn_changed: isDifferent(first?.asn, last?.asn),
    country_changed: isDifferent(first?.country, last?.country),
    ja4_changed: isDifferent(first?.ja4, last?.ja4),
    time_zone_changed: isDifferent(first?.time_zone, last?.time_zone),
    user_agent_family_changed: isDifferent(first?.user_agent_family, last?.user_agent_family),
    user_agent_os_changed: isDifferent(first?.user_agent_os, last?.user_agent_os),
    distance_km: distanceKm(
      toCoordinates(summary.first_seen?.lat_long),
      toCoordinates(summary.last_seen?.lat_long),
    ),
  });
}

/** As they are stored. */
type PrefactorSignals = z.output<typeof prefactorSignals>;
type StoredInteraction = z.output<typeof interactionSchema>;

/** The stored signals with the ages of the first and the last interaction at `nowMs`. */
export function presentPrefactor(signals: PrefactorSignals, nowMs: number): PrefactorSignals {
  const { first_seen: first, last_seen: last } = signals;
  if (first === undefined && last === undefined) return signals;
  const presented = { ...signals };
  if (first !== undefined) presented.first_seen = withAge(first, nowMs);
  if (last !== undefined) presented.last_seen = withAge(last, nowMs);
  return presented;
}

/** Stored evidence is of any version: what it says of the time is looked at before it is calculated with. */
function withAge(seen: StoredInteraction, nowMs: number): StoredInteraction {
  if (typeof seen !== 'object' || typeof seen.at_unix_seconds !== 'number') return seen;
  return { ...seen, age_seconds: secondsSince(seen.at_unix_seconds, nowMs) };
}

function toInteraction(interaction: Interaction | null | undefined) {
  if (interaction === null || interaction === undefined) return undefined;
  const names = toUserAgentNames(interaction.user_agent);
  const seconds = Math.floor(interaction.at);
  const ja4 = toJa4(interaction.ja4_fingerprint);
  return omitAbsent({
    at: toRfc3339(seconds * 1000),
    at_unix_seconds: seconds,
    asn: toAsn(interaction.asn),
    country: toCountry(interaction.country_code),
    region: toText(interaction.region_code),
    ...toCoordinates(interaction.lat_long),
    ja4,
    ...toJa4Parts(ja4),
    user_agent_family: names?.family,
    user_agent_major: names?.major,
    user_agent_os: names?.os,
    time_zone: toTimeZone(interaction.timezone),
  });
}

/**
 * A JA4 fingerprint (`q13d0314h3_55b375c5d22e_61e396c58b1f`) has three short parts; anything else is absent.
 */
function toJa4(value: string | null | undefined): string | undefined {
  const ja4 = value?.trim() ?? '';
  return /^\w{8,64}$/.test(ja4) ? ja4 : undefined;
}

function toJa4Parts(ja4: string | undefined) {
  const parts = ja4 === undefined ? null : parseJa4(ja4);
  return { ja4_transport: parts?.transport, ja4_tls_version: parts?.tlsVersion, ja4_alpn: parts?.alpn };
}

function isDifferent<Value>(first: Value | undefined, last: Value | undefined): boolean | undefined {
  return first === undefined || last === undefined ? undefined : first !== last;
}
