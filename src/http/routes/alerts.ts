import plugin from 'fastify-plugin';
import type { Alerts } from '../../application/alerts/alerts.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { alertsSchema, toAlertsBody } from '../schemas/alerts.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface AlertsDependencies {
  readonly alerts: Alerts;
}

/** GET /v1/alerts: how the alerts of `ALERTS_FILE` are. */
export const alertsRoutes = plugin<RouteGroupOptions<AlertsDependencies>>(
  async (app, { serve }) => {
    const schema = {
      summary: 'How the alerts are',
      description:
        'The alerts of `ALERTS_FILE`, none without one, as the replica that answers sees them: they are read every 5 seconds.',
      operationId: 'getAlerts',
      tags: ['decisions'],
      response: {
        200: {
          description: 'Every alert.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(alertsSchema, 'output'),
        },
        ...problemResponses(401, 403, 429, 500, 503),
      },
    };
    app.get(
      '/v1/alerts',
      { schema, config: { scope: 'read' } },
      handlerFor(
        serve,
        ({ alerts }) =>
          (_request, reply) =>
            reply.header('cache-control', 'no-store').send(toAlertsBody(alerts)),
      ),
    );
  },
  { name: 'alerts-routes' },
);
