import { z } from 'zod';
import { SIGNAL_ITEMS_MAX } from '../../domain/evidence.ts';
import type { Failure } from '../answer.ts';
import { parseRfc3339Ms } from '../signal-values.ts';

const CODE_CHARS_MAX = 128;

const codeSchema = z.string().max(CODE_CHARS_MAX);
const textOrAbsent = z.string().nullish();

/**
 * An RFC 3339 time as Unix milliseconds. An unreadable one is refused, because the age and the lifetime of
 * the evidence depend on it.
 */
const timeMsSchema = z.string().transform(parseRfc3339Ms).pipe(z.number());

/**
 * A successful lookup as it is sent in practice: POST as the Stytch API reference and SDK describe it, and
 * the deprecated GET, whose sample lacks `request_id`, `properties` and `verdict_reason_overrides`. Unknown
 * members are dropped, and enums are open.
 */
export const lookupSchema = z.object({
  telemetry_id: z.string(),
  request_id: z.string().nullish().catch(null),
  status_code: z.literal(200).nullish(),
  created_at: timeMsSchema,
  expires_at: timeMsSchema,
  fingerprints: z.object({
    visitor_id: z.string().nullish(),
    browser_id: z.string().nullish(),
    visitor_fingerprint: z.string(),
    browser_fingerprint: z.string(),
    hardware_fingerprint: z.string(),
    network_fingerprint: z.string(),
  }),
  verdict: z.object({
    action: codeSchema.min(1),
    is_authentic_device: z.boolean(),
    detected_device_type: z.string(),
    // A longer list is refused, because cutting it would hide evidence. The vendor lists about twenty
    // reasons.
    reasons: z.array(codeSchema).max(SIGNAL_ITEMS_MAX),
    rule_match_type: codeSchema.nullish(),
    rule_match_identifier: z.string().nullish(),
    verdict_reason_overrides: z
      .array(z.object({ verdict_reason: codeSchema, override_action: codeSchema.nullish() }))
      .max(SIGNAL_ITEMS_MAX)
      .nullish(),
  }),
  properties: z
    .object({
      network_properties: z
        .object({
          ip_address: textOrAbsent,
          asn: z
            .object({
              asn: z.union([z.string(), z.number()]).nullish(),
              name: textOrAbsent,
              network: textOrAbsent,
            })
            .nullish(),
          ip_geolocation: z
            .object({ city: textOrAbsent, region: textOrAbsent, country: textOrAbsent })
            .nullish(),
          is_proxy: z.boolean().nullish(),
          is_vpn: z.boolean().nullish(),
        })
        .nullish(),
      browser_properties: z.object({ user_agent: textOrAbsent }).nullish(),
    })
    .nullish(),
});

/** A successful lookup. Its times are Unix milliseconds. */
export type Lookup = z.output<typeof lookupSchema>;

/**
 * The members of an error body that are read. `error_type` is the vendor's identity of an error; messages and
 * URLs are never looked at.
 */
export const errorSchema = z.object({
  error_type: z.string(),
  request_id: z.string().nullish().catch(null),
});

/**
 * The error type of a telemetry id that is unknown, expired or missing. With status 404 it is an answer, not
 * a failure.
 */
export const NOT_FOUND_ERROR_TYPE = 'telemetry_id_not_found';

/**
 * Errors whose meaning is not that of their status (Stytch API reference, "Errors"), by status and
 * `error_type`.
 */
export const FAILURE_OF_ERROR: ReadonlyMap<string, Failure> = new Map([
  ['400 invalid_authorization_header', { outcome: 'unauthorized', failure: 'invalid_authorization_header' }],
  [
    '400 invalid_project_id_authentication',
    { outcome: 'unauthorized', failure: 'invalid_project_id_authentication' },
  ],
  ['404 route_not_found', { outcome: 'unauthorized', failure: 'route_not_found' }],
]);
