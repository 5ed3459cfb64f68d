import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import { z } from 'zod';
import type { SinkHealth } from '../../application/decision-log/decision-log.ts';
import { LIST_KNOWLEDGE, type ListKnowledge } from '../../application/lists/list-store.ts';
import { POLICY_STATES, type PolicyStatus } from '../../application/policy-in-force/policy-in-force.ts';
import type { PromotionState } from '../../application/promotion/promotion-state.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { POLICY_CAUSES } from '../../domain/policy-in-force/policy-record.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { PROMOTION_STATE_MEANS, promotionStateSchema } from '../schemas/promotion.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** How the shared store is: `absent` where none is configured. */
const STORE_STATES = ['up', 'down', 'absent'] as const;
/** One of them. */
export type StoreState = (typeof STORE_STATES)[number];

/** What is wrong with the shared store, and what to do about it. */
export interface StoreProblem {
  readonly code: string;
  readonly hint: string;
  readonly commands: readonly string[];
}

/** How the service is at the moment. */
export interface Readiness {
  readonly isDraining: boolean;
  readonly policy: Pick<CompiledPolicy, 'id' | 'hash'>;
  /** When a change of the policy file was last taken, RFC 3339, and when it was refused since. */
  readonly policyFile: { readonly loadedAt: string; readonly refusedAt: string | null };
  /** How this process stands to what was put in force for all replicas. */
  readonly policyStatus: PolicyStatus;
  readonly promotionState: PromotionState;
  readonly redis: StoreState;
  /** What is wrong with the shared store, by a code and a sentence; null when nothing is. */
  readonly redisProblem: StoreProblem | null;
  /** Whether purges made on other replicas are received; null where there is no shared store. */
  readonly receivesPurges: boolean | null;
  /** How well this process knows the lists. */
  readonly lists: ListKnowledge;
  /** The sinks of the decision log that answers wait for. */
  readonly strictSinks: readonly { readonly sink: string; readonly health: SinkHealth }[];
  /** The followed files of which something else than what is on disk is in force, by what they hold. */
  readonly filesDiffering: readonly string[];
  readonly enabledProviders: readonly string[];
  readonly suspectProviders: readonly string[];
}

/** What the requests of this group use. */
export interface HealthDependencies {
  readonly version: string;
  readonly readiness: () => Readiness;
}

const readinessSchema = z.object({
  status: z
    .enum(['ready', 'draining', 'decision_log_unavailable'])
    .describe(
      '`decision_log_unavailable`: answers wait for a record that this process cannot write. So it is until the first write, and after ten seconds in which a file took none; a Redis or a PostgreSQL that is lost later costs no readiness, since all replicas share it.',
    ),
  policy: z.object({ id: z.string(), hash: z.string() }),
  policy_reload: z
    .object({
      successful: z.boolean(),
      last_success_at: z.string().meta({ format: 'date-time' }),
      refused_at: z.string().nullable().meta({ format: 'date-time' }),
    })
    .describe(
      'The latest change of the policy file: `refused_at` says when it was refused, or when the file was found to be gone; the log says why. An older policy stays in force. Costs no readiness.',
    ),
  policy_in_force: z
    .object({
      state: z
        .enum(POLICY_STATES)
        .describe(
          '`file`: decisions are made by the policy file. `put`: by what was put in force for all replicas, over their files. `refused`: that cannot be used here, and an older policy stays. `unknown`: Redis does not say yet whether there is such a policy, and the file counts. `stale`: Redis cannot be asked at the moment, and what is known stays.',
        ),
      put: z
        .object({
          id: z.string(),
          hash: z.string(),
          since: z.string().meta({ format: 'date-time' }),
          why: z.enum(POLICY_CAUSES),
        })
        .nullable()
        .describe('What was put in force over the files; null where they count.'),
      file_differs: z.boolean().describe('The policy file has another policy than the one in force.'),
    })
    .describe('Costs no readiness.'),
  promotion: promotionStateSchema.describe(`${PROMOTION_STATE_MEANS} Costs no readiness.`),
  redis: z.enum(STORE_STATES).describe('`down` costs the shared cache, not readiness.'),
  redis_problem: z
    .object({
      code: z.string(),
      hint: z.string(),
      commands: z.array(z.string()).describe('What the ACL user may not send.'),
    })
    .nullable()
    .describe('What is wrong with Redis, as far as it is known. Costs no readiness.'),
  receives_purges: z
    .boolean()
    .nullable()
    .describe(
      'False while purges made on other replicas are not received: memory may then hold purged evidence for `CACHE_LOCAL_TTL_SECONDS`. Null without Redis. Costs no readiness.',
    ),
  lists: z
    .enum(LIST_KNOWLEDGE)
    .describe(
      '`loading`: they were not read yet, and what is on them is unknown. `stale`: changes made on other replicas cannot be heard; entries are obeyed as they were, and after a minute nothing that is not listed is taken for sure, nor what exempts. `restoring`: the shared store has lost lists, and the replicas write them back. Costs no readiness.',
    ),
  decision_log_failing: z
    .array(z.string())
    .describe('Sinks of the decision log that answers wait for and that take no record at the moment.'),
  files_differing: z
    .array(z.string())
    .describe(
      'Files (`policy`, `policy_candidates`, `api_keys`, `gateway_profiles`, `geoip`) that were changed on disk and refused, or are gone: an older version is in force. Costs no readiness.',
    ),
  providers: z.array(z.string()).describe('The providers that are enabled.'),
  suspect: z
    .array(z.string())
    .describe(
      'Providers that find no id any more, most likely because our URL, key or environment is wrong. Costs no readiness.',
    ),
});

/** /livez, /readyz and /version: open to everyone, without anything worth hiding. */
export const healthRoutes = plugin<RouteGroupOptions<HealthDependencies>>(
  async (app, { serve }) => {
    registerLive(app);
    registerReady(app, serve);
    registerVersion(app, serve);
  },
  { name: 'health-routes' },
);

const TAGS = ['health'];

function registerLive(app: FastifyInstance): void {
  const live = toJsonSchema(z.object({ status: z.literal('live') }), 'output');
  const schema = {
    summary: 'The process runs',
    operationId: 'livez',
    tags: TAGS,
    security: [],
    response: {
      200: { headers: REQUEST_ID_HEADER, description: 'Alive.', ...live },
      ...problemResponses(400),
    },
  };
  app.get('/livez', { schema }, (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ status: 'live' }),
  );
}

function registerReady(app: FastifyInstance, serve: HealthDependencies | null): void {
  const ready = toJsonSchema(readinessSchema, 'output');
  const schema = {
    summary: 'The service takes requests',
    operationId: 'readyz',
    tags: TAGS,
    security: [],
    response: {
      200: { headers: REQUEST_ID_HEADER, description: 'Ready.', ...ready },
      503: { headers: REQUEST_ID_HEADER, description: 'Draining, or unable to record decisions.', ...ready },
      ...problemResponses(400),
    },
  };
  app.get(
    '/readyz',
    { schema },
    handlerFor(serve, ({ readiness }) => (_request, reply) => {
      const body = toReadinessBody(readiness());
      return reply
        .code(body.status === 'ready' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(body);
    }),
  );
}

function registerVersion(app: FastifyInstance, serve: HealthDependencies | null): void {
  const shape = z.object({ name: z.string(), version: z.string(), node: z.string() });
  const schema = {
    summary: 'What runs here',
    operationId: 'version',
    tags: TAGS,
    security: [],
    response: {
      200: { headers: REQUEST_ID_HEADER, description: 'The version.', ...toJsonSchema(shape, 'output') },
      ...problemResponses(400),
    },
  };
  app.get(
    '/version',
    { schema },
    handlerFor(
      serve,
      ({ version }) =>
        (_request, reply) =>
          reply
            .header('cache-control', 'no-store')
            .send({ name: 'riskgate', version, node: process.version }),
    ),
  );
}

function toReadinessBody(now: Readiness): z.infer<typeof readinessSchema> {
  const { id, hash } = now.policy;
  return {
    status: statusOf(now),
    policy: { id, hash },
    policy_reload: {
      successful: now.policyFile.refusedAt === null,
      last_success_at: now.policyFile.loadedAt,
      refused_at: now.policyFile.refusedAt,
    },
    policy_in_force: toInForceBody(now.policyStatus),
    promotion: now.promotionState,
    redis: now.redis,
    redis_problem: now.redisProblem && { ...now.redisProblem, commands: [...now.redisProblem.commands] },
    receives_purges: now.receivesPurges,
    lists: now.lists,
    decision_log_failing: now.strictSinks.flatMap(({ sink, health }) => (health === 'taking' ? [] : [sink])),
    files_differing: [...now.filesDiffering],
    providers: [...now.enabledProviders],
    suspect: [...now.suspectProviders],
  };
}

function toInForceBody({ state, put, fileDiffers }: PolicyStatus) {
  const shown = put && { id: put.id, hash: put.hash, since: toRfc3339(put.sinceMs), why: put.why };
  return { state, put: shown, file_differs: fileDiffers };
}

function statusOf({ isDraining, strictSinks }: Readiness): z.infer<typeof readinessSchema>['status'] {
  if (isDraining) return 'draining';
  return strictSinks.some(({ health }) => health === 'unready') ? 'decision_log_unavailable' : 'ready';
}
