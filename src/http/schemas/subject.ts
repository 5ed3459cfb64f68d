import { z } from 'zod';
import { type DeviceIds, readAddress, type Subject, type SubjectPart } from '../../domain/subject.ts';

const identifier = z.string().max(256);
const address = z.string().max(64).meta({ format: 'ip' });

/** A device id that is not null leaves no room for `device_ids`. The only `not` in our schemas. */
export const ONE_WAY_TO_NAME_A_DEVICE = {
  not: {
    // Of what is no object another mistake is told.
    type: 'object',
    required: ['device_id', 'device_ids'],
    properties: { device_id: { type: 'string' }, device_ids: {} },
  },
};

/**
 * The fields of a body that say what it is about. `deviceProviders` are the keys that `device_ids` may have.
 */
export function createSubjectFields(deviceProviders: readonly string[]) {
  const deviceIds = Object.fromEntries(deviceProviders.map((id) => [id, identifier.nullable().optional()]));
  return {
    telemetry_id: identifier
      .nullable()
      .optional()
      .describe('Missing, null or empty is the same as unknown: BLOCK by default.'),
    device_id: identifier
      .nullable()
      .optional()
      .describe('Asked of every device API. Missing, null or empty is the same as unknown.'),
    device_ids: z
      .strictObject(deviceIds)
      .optional()
      .describe(
        'Instead of `device_id` (both is a 400), where the ids differ: only the device APIs named here are asked.',
      ),
    action: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}$/)
      .optional()
      .describe('What the subject is about to do, for example `login`.'),
    account_id: identifier.optional(),
    ip: address
      .optional()
      .describe(
        'IPv4 or IPv6 address of the end user, in any spelling, with or without a port. One that cannot be read is a 400.',
      ),
    user_agent: z.string().max(1024).optional(),
  } satisfies Record<SubjectPart, z.ZodType> & Record<string, z.ZodType>;
}

/** A validated body, as far as it says what it is about. */
type SubjectBody = z.output<z.ZodObject<ReturnType<typeof createSubjectFields>>>;

/** One id of each part of the subject, for requests that are about an id alone. */
export const SUBJECT_IDS: Readonly<Record<SubjectPart, z.ZodString>> = {
  telemetry_id: identifier.min(1),
  device_id: identifier.min(1),
  account_id: identifier.min(1),
  ip: address,
};

/** The subject of a validated body. */
export function toSubject(body: SubjectBody): Subject {
  return {
    telemetryId: body.telemetry_id ?? null,
    device: toDeviceIds(body),
    action: body.action,
    accountId: body.account_id,
    userAgent: body.user_agent,
    // The schema has refused what cannot be read; should any get here, it is unknown and not absent.
    ...(body.ip !== undefined && readAddress(body.ip)),
  };
}

function toDeviceIds({ device_id: id, device_ids: ids }: SubjectBody): DeviceIds {
  if (ids === undefined) return { kind: 'shared', id: id ?? null };
  const named = Object.entries(ids).map(([provider, value]): [string, string | null] => [
    provider,
    value ?? null,
  ]);
  return { kind: 'named', ids: new Map(named) };
}
