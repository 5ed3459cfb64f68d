import { z } from 'zod';
import type { FoundPlace } from '../contradictions/reference-data.ts';
import { givesDeviceId, hasDeviceId, hasText, type Subject } from '../subject.ts';
import { fromClient } from './signal-origin.ts';

/** What a policy can read of the request itself, as the variable `request`. These values are never stored. */
export const requestSignalsSchema = z.object({
  telemetry_id_present: fromClient(
    z.boolean().describe('The request carries a telemetry id that is not empty.'),
  ),
  device_id_present: fromClient(
    z.boolean().describe('The request carries a device id for at least one device API that is enabled.'),
  ),
  device_id_given: fromClient(
    z.boolean().describe('The request carries a device id for any device API, enabled or not.'),
  ),
  action: z
    .string()
    .optional()
    .describe('What the subject is about to do, as the caller names it (`login`, `payout`).'),
  account_id: z
    .string()
    .optional()
    .describe("The caller's id of the account; `has(request.account_id)` is true where it gives one."),
  ip: fromClient(
    z
      .string()
      .optional()
      .describe(
        'The IP address the caller saw, in one spelling: RFC 5952, and IPv4 inside IPv6 as IPv4. Unknown, also to `has()`, where a gateway was to tell one that cannot be read.',
      ),
  ),
  country: fromClient(
    z
      .string()
      .optional()
      .describe(
        'Country of the IP address by `GEOIP_FILE`, ISO 3166-1 alpha-2. Absent where no file knows it.',
      ),
  ),
  asn: fromClient(
    z
      .number()
      .int()
      .optional()
      .describe('Autonomous system number of the IP address by `GEOIP_FILE`. Absent where no file knows it.'),
  ),
  user_agent: fromClient(z.string().optional().describe('The User-Agent the caller saw.')),
  properties: z
    .array(z.string())
    .optional()
    .describe(
      'What a caller by AuthZEN tells of subject, resource and action: `"resource.status=archived" in request.properties`. Absent for every other caller, and where they are more than 64 or longer than 256 characters.',
    ),
});

/** What rules read of the request itself. */
export interface RequestSignals extends z.output<typeof requestSignalsSchema> {
  /**
   * True where an address was given but cannot be read. Rules do not see this: `request.ip` is then unknown.
   */
  ipUnreadable?: boolean;
  /** True where it could not be looked up where the address is. What follows from it is then unknown. */
  placeLost?: boolean;
}

/**
 * The request signals of a subject, whose address is at `place` where that is known and read. The key of an
 * absent or empty value is absent, so that reading it is unknown and `has()` is false.
 */
export function toRequestSignals(
  subject: Subject,
  enabledDeviceProviders: readonly string[],
  place: FoundPlace = null,
): RequestSignals {
  const signals: RequestSignals = {
    telemetry_id_present: hasText(subject.telemetryId),
    device_id_present: hasDeviceId(subject, enabledDeviceProviders),
    device_id_given: givesDeviceId(subject),
  };
  if (hasText(subject.action)) signals.action = subject.action;
  if (hasText(subject.accountId)) signals.account_id = subject.accountId;
  if (hasText(subject.ip)) signals.ip = subject.ip;
  if (subject.ipUnreadable !== undefined) signals.ipUnreadable = true;
  if (place === 'lost') signals.placeLost = true;
  else if (place?.country !== undefined) signals.country = place.country;
  if (place !== 'lost' && place?.asn !== undefined) signals.asn = place.asn;
  if (hasText(subject.userAgent)) signals.user_agent = subject.userAgent;
  if (subject.properties !== undefined) signals.properties = [...subject.properties];
  return signals;
}
