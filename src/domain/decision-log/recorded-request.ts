import { z } from 'zod';
import type { RequestSignals } from '../policy/request-signals.ts';

const presence = (what: string) =>
  z.enum(['given', 'absent']).describe(`${what}; its value is not recorded.`);

/** What a record keeps of the request's signals beside the action: everything that is no identifier. */
export const recordedRequestSchema = z.object({
  telemetry_id_present: z.boolean(),
  device_id_present: z.boolean(),
  device_id_given: z.boolean(),
  account_id: presence('Whether the request had an account'),
  ip: z
    .enum(['given', 'absent', 'unreadable'])
    .describe('Whether the request had an IP address; its value is not recorded.'),
  user_agent: presence('Whether the request had a User-Agent'),
});

/** The request as a record keeps it. */
export type RecordedRequest = Readonly<z.output<typeof recordedRequestSchema>>;

/** There are 96 of them. */
const known = new Map<number, RecordedRequest>();

/**
 * What a record keeps of these signals. Equal ones are one object, so that records share it, and its text.
 */
export function toRecordedRequest(request: RequestSignals): RecordedRequest {
  const { telemetry_id_present, device_id_present, device_id_given } = request;
  const ip = request.ipUnreadable === true ? 2 : Number(request.ip !== undefined);
  let key = (ip << 5) | (Number(telemetry_id_present) << 4) | (Number(device_id_present) << 3);
  key |= (Number(device_id_given) << 2) | (Number(request.account_id !== undefined) << 1);
  key |= Number(request.user_agent !== undefined);
  let recorded = known.get(key);
  if (recorded === undefined) {
    recorded = Object.freeze({
      telemetry_id_present,
      device_id_present,
      device_id_given,
      account_id: request.account_id === undefined ? 'absent' : 'given',
      ip: ip === 2 ? 'unreadable' : ip === 1 ? 'given' : 'absent',
      user_agent: request.user_agent === undefined ? 'absent' : 'given',
    } as const);
    known.set(key, recorded);
  }
  return recorded;
}
