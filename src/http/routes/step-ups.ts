import plugin from 'fastify-plugin';
import type { ReportStepUp } from '../../application/step-up/report-step-up.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import { createStepUpRequestSchema, type StepUpRequest, stepUpSchema } from '../schemas/step-ups.ts';
import { toSubject } from '../schemas/subject.ts';

/** What the requests of this group use. */
export interface StepUpDependencies {
  readonly reportStepUp: ReportStepUp;
}

interface StepUpRoutesOptions extends RouteGroupOptions<StepUpDependencies> {
  /** All of the registry. */
  readonly providers: readonly { readonly id: string; readonly subject: string }[];
}

/** POST /v1/step-ups: a subject has completed a challenge, told by a caller without a decision id. */
export const stepUpRoutes = plugin<StepUpRoutesOptions>(
  async (app, { serve, providers }) => {
    const deviceProviders = providers.filter(({ subject }) => subject === 'device_id').map(({ id }) => id);
    const schema = {
      summary: 'Say that a challenge was completed',
      description:
        'Satisfies the CHALLENGE of rules with `step_up` for this telemetry id, devices and account together, as `challenge_passed` does for those of a decision. Repeatable: of two the later counts. What was ended (a fraud, a purge, a signal) stays so when it is told again, which is 409: say `at`, so that a repetition can be told from another challenge.',
      operationId: 'reportStepUp',
      tags: ['decisions'],
      body: toJsonSchema(createStepUpRequestSchema(deviceProviders), 'input'),
      response: {
        200: {
          description: 'It is kept, on all replicas.',
          headers: REQUEST_ID_HEADER,
          ...toJsonSchema(stepUpSchema, 'output'),
        },
        ...problemResponses(400, 401, 403, 409, 413, 415, 429, 500, 503),
      },
    };
    app.post<{ Body: StepUpRequest }>(
      '/v1/step-ups',
      { schema, config: { scope: 'decide' } },
      handlerFor(serve, ({ reportStepUp }) => async (request, reply) => {
        const { at, method = null, acr = null } = request.body;
        const atMs = at === undefined ? null : Date.parse(at);
        const kept = await reportStepUp({ subject: toSubject(request.body), atMs, method, acr });
        return reply
          .header('cache-control', 'no-store')
          .send({ at: toRfc3339(kept.atMs), method: kept.method, acr: kept.acr });
      }),
    );
  },
  { name: 'step-up-routes' },
);
