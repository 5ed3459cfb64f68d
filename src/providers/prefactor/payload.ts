import { z } from 'zod';
import type { Failure } from '../answer.ts';
import { UNIX_SECONDS_MAX } from '../signal-values.ts';

const textOrAbsent = z.string().nullish();

/**
 * One interaction. Older payloads have only `at`, `remote_ip` and `user_agent`. `at` is Unix time in seconds,
 * possibly fractional. Anything else is refused, because ages are computed from it.
 */
const interactionSchema = z.object({
  at: z.number().min(0).max(UNIX_SECONDS_MAX),
  remote_ip: textOrAbsent,
  user_agent: textOrAbsent,
  asn: z.number().nullish(),
  country_code: textOrAbsent,
  region_code: textOrAbsent,
  lat_long: z.tuple([z.number(), z.number()]).nullish(),
  ja4_fingerprint: textOrAbsent,
  timezone: textOrAbsent,
});

/**
 * A device as the Prefactor API reference describes it, with open enums. The client's secret and redirect
 * URIs, titles and cities are not read, so they are never held.
 */
export const deviceSchema = z.object({
  status: z.literal('success'),
  summary: z.object({
    id: z.string(),
    status: z.string().min(1).max(64),
    session_type: textOrAbsent,
    type: textOrAbsent,
    account_id: textOrAbsent,
    domain_id: textOrAbsent,
    pool_id: textOrAbsent,
    dynamic_client_details: z
      .object({ auth_profile: textOrAbsent, pkce_required: z.boolean().nullish() })
      .nullish(),
    first_seen: interactionSchema.nullish(),
    last_seen: interactionSchema.nullish(),
  }),
});

/** The summary of a device. */
export type DeviceSummary = z.output<typeof deviceSchema>['summary'];

/** One interaction of a device. */
export type Interaction = z.output<typeof interactionSchema>;

/** An error, which may come with a 200. Only its code is read. */
export const errorSchema = z.object({ status: z.literal('error'), code: z.string().catch('') });

/** The error code of an unknown device id, which is an answer and not a failure. */
export const NOT_FOUND_CODE = 'not_found';

/** The outcome of each other code of the Prefactor API reference, for any status. */
export const FAILURE_OF_CODE: ReadonlyMap<string, Failure> = new Map([
  ['bad_authtoken', { outcome: 'unauthorized', failure: 'bad_authtoken' }],
  ['not_authenticated', { outcome: 'unauthorized', failure: 'not_authenticated' }],
  ['not_permitted', { outcome: 'unauthorized', failure: 'not_permitted' }],
  ['bad_request', { outcome: 'invalid_request', failure: 'bad_request' }],
  ['invalid_value', { outcome: 'invalid_request', failure: 'invalid_value' }],
  ['required_value', { outcome: 'invalid_request', failure: 'required_value' }],
  ['unexpected_ref_type', { outcome: 'invalid_request', failure: 'unexpected_ref_type' }],
  ['invalid_action', { outcome: 'invalid_request', failure: 'invalid_action' }],
  ['not_implemented', { outcome: 'unavailable', failure: 'not_implemented' }],
  ['unknown', { outcome: 'unavailable', failure: 'unknown' }],
  ['unexpected', { outcome: 'unavailable', failure: 'unexpected' }],
]);
