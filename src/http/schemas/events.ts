import { z } from 'zod';
import { createSubjectFields } from './subject.ts';

/** The most events in one request. */
const EVENTS_MAX = 100;

/** The body of POST /v1/events. `deviceProviders` are the keys that `device_ids` may have. */
export function createEventsRequestSchema(deviceProviders: readonly string[]) {
  const { telemetry_id, device_id, device_ids, account_id, ip } = createSubjectFields(deviceProviders);
  const event = z.strictObject({
    event_id: z
      .string()
      .min(1)
      .max(128)
      .describe('Your own id of what happened. The same id within a day is the same event.'),
    event: z
      .string()
      .max(40)
      .describe(
        'What happened: `login_failed`, `login_succeeded`, `credential_changed`, `account_created`, `payment`, or a name that the policy lists under `events`.',
      ),
    telemetry_id,
    device_id,
    device_ids,
    account_id,
    ip,
  });
  return z.strictObject({ events: z.array(event).min(1).max(EVENTS_MAX) });
}

/** A checked body. */
export type EventsRequest = z.output<ReturnType<typeof createEventsRequestSchema>>;

/** The answer. */
export const eventsAnswerSchema = z
  .object({
    counted: z.int().describe('Events that are counted now.'),
    repeated: z.int().describe('Events that were counted before.'),
  })
  .meta({ examples: [{ counted: 2, repeated: 0 }] });

/** An example for the description of the API. */
export const eventsExample: EventsRequest = {
  events: [
    {
      event_id: '6c0f3f0e-8c53-4f4a-9a51-2f8a0a4b8f10',
      event: 'login_failed',
      account_id: 'acct_42',
      device_id: 'device-7',
      ip: '203.0.113.7',
    },
  ],
};
