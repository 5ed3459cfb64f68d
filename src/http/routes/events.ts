import type { FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { ReportEvents } from '../../application/activity/report-events.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import {
  createEventsRequestSchema,
  type EventsRequest,
  eventsAnswerSchema,
  eventsExample,
} from '../schemas/events.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import { toSubject } from '../schemas/subject.ts';

/** A hundred events with ids of usual length. */
const BODY_BYTES_MAX = 65_536;

/** What the requests of this group use. */
export interface EventDependencies {
  readonly reportEvents: ReportEvents;
}

interface EventRoutesOptions extends RouteGroupOptions<EventDependencies> {
  /** All of the registry. */
  readonly providers: readonly { readonly id: string; readonly subject: string }[];
}

interface EventsRoute {
  Body: EventsRequest;
}

/** POST /v1/events: what happened outside decisions, for the activity of subjects. */
export const eventRoutes = plugin<EventRoutesOptions>(
  async (app, { serve, providers }) => {
    const deviceProviders = providers.filter(({ subject }) => subject === 'device_id').map(({ id }) => id);
    const schema = {
      summary: 'Say what happened outside decisions',
      description:
        'Counts events for the account, the device and the address that they name, where policies read them as `activity.<part>.<event>_<window>`. A `login_succeeded` makes the device, the address and the account known to each other. At most 100 events and 64 KiB. Repeatable: an event id is counted once a day. After a 503 send all of them again.',
      operationId: 'reportEvents',
      tags: ['subjects'],
      body: {
        ...toJsonSchema(createEventsRequestSchema(deviceProviders), 'input'),
        examples: [eventsExample],
      },
      response: {
        200: {
          description: 'All of them are counted, now or before.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(eventsAnswerSchema, 'output'),
        },
        ...problemResponses(400, 401, 403, 413, 415, 429, 500, 503),
      },
    };
    app.post(
      '/v1/events',
      { schema, bodyLimit: BODY_BYTES_MAX, config: { scope: 'decide' as const } },
      handlerFor(serve, ({ reportEvents }) => async (request: FastifyRequest<EventsRoute>, reply) => {
        const events = request.body.events.map(({ event_id: id, event, ...subject }) => ({
          id,
          event,
          subject: toSubject(subject),
        }));
        const answer = await reportEvents(events, request.caller?.id ?? '');
        return reply.header('cache-control', 'no-store').send(answer);
      }),
    );
  },
  { name: 'event-routes' },
);
