import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { readPage } from '../../application/decision-log/read-pages.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { readCursor, toCursor } from '../decision-log/decision-cursor.ts';
import type { DecisionReadDependencies } from '../decision-log/decision-reads.ts';
import { sendTagged } from '../decision-log/entity-tag.ts';
import { whileConnected } from '../decision-log/while-connected.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { type DecisionDetail, decisionDetailSchema, toDecisionDetail } from '../schemas/decision-detail.ts';
import { toRecordFilter } from '../schemas/decision-filter.ts';
import {
  type DecisionsQuery,
  decisionSummarySchema,
  decisionsQuerySchema,
  decisionsSchema,
  LIMIT_DEFAULT,
  toDecisionSummary,
} from '../schemas/decisions.ts';
import { type JsonSchema, toJsonSchema } from '../schemas/json-schema.ts';
import {
  DECISION_ID,
  NOT_MODIFIED,
  problemResponses,
  TAG_HEADERS,
  TAG_REQUEST_HEADERS,
  toDecisionIdParams,
} from '../schemas/responses.ts';

/** GET /v1/decisions and GET /v1/decisions/{decision_id}. */
export const decisionsRoutes = plugin<RouteGroupOptions<DecisionReadDependencies>>(
  async (app, { serve }) => {
    registerList(app, serve);
    registerDetail(app, serve);
  },
  { name: 'decisions-routes' },
);

/** The `$id` under which the summary of a decision is shared. */
export const SUMMARY_ID = 'DecisionSummary';
const DETAIL_ID = 'RecordedDecision';

function registerList(app: FastifyInstance, serve: DecisionReadDependencies | null): void {
  app.addSchema({ $id: SUMMARY_ID, ...toJsonSchema(decisionSummarySchema, 'output') });
  const schema = {
    summary: 'Decisions, newest first',
    description:
      'Found by filters, all of which must hold; each can be given once. Walking the pages yields every decision that was there at the first of them exactly once, whatever arrives meanwhile.',
    operationId: 'listDecisions',
    tags: ['decisions'],
    querystring: toJsonSchema(decisionsQuerySchema, 'input'),
    headers: TAG_REQUEST_HEADERS,
    response: {
      200: { description: 'One page.', headers: TAG_HEADERS, ...toListSchema() },
      304: NOT_MODIFIED,
      ...problemResponses(400, 401, 403, 429, 500, 503),
    },
  };
  const route = { schema, config: { scope: 'read' as const, readsLog: 'briefly' as const } };
  app.get('/v1/decisions', route, handlerFor(serve, createList));
}

function createList(dependencies: DecisionReadDependencies) {
  const { reads, clock } = dependencies;
  return (request: FastifyRequest<{ Querystring: DecisionsQuery }>, reply: FastifyReply) => {
    const { limit = String(LIMIT_DEFAULT), cursor, ...query } = request.query;
    const filter = toRecordFilter(query, reads.hashes);
    const before = cursor === undefined ? null : readCursor(cursor, filter);
    return sendTagged(
      request,
      reply,
      toTagOptions(dependencies),
      ['list', filter, before, limit],
      async () => {
        const log = reads.logWhile(whileConnected(reply));
        const { entries, next } = await readPage(log, filter, { before, limit: Number(limit) }, clock);
        const labels = await log.labelsOf(entries);
        const decisions = entries.flatMap(({ record }) =>
          record.kind === 'decision' ? [toDecisionSummary(record, labels.get(record.decision_id) ?? [])] : [],
        );
        return { body: { decisions, next_cursor: next === null ? null : toCursor(next, filter) } };
      },
    );
  };
}

function toListSchema(): JsonSchema {
  const schema = toJsonSchema(decisionsSchema, 'output');
  // That of an object, whose members are schemas.
  const properties = schema['properties'] as Record<string, JsonSchema>;
  return {
    ...schema,
    properties: {
      ...properties,
      decisions: { ...properties['decisions'], items: { $ref: `${SUMMARY_ID}#` } },
    },
  };
}

function registerDetail(app: FastifyInstance, serve: DecisionReadDependencies | null): void {
  app.addSchema({ $id: DETAIL_ID, ...toJsonSchema(decisionDetailSchema, 'output') });
  const schema = {
    summary: 'One decision, and why',
    description:
      'The whole record: what every rule said and how it reads, which evidence there was and how old, what would have been decided without each provider, and how it turned out.',
    operationId: 'getDecision',
    tags: ['decisions'],
    params: toDecisionIdParams(),
    headers: TAG_REQUEST_HEADERS,
    response: {
      200: {
        description: 'The decision.',
        headers: TAG_HEADERS,
        $ref: `${DETAIL_ID}#`,
      },
      304: NOT_MODIFIED,
      ...problemResponses(400, 401, 403, 404, 429, 500, 503),
    },
  };
  const route = { schema, config: { scope: 'read' as const, readsLog: 'briefly' as const } };
  app.get('/v1/decisions/:decision_id', route, handlerFor(serve, createDetail));
}

function createDetail(dependencies: DecisionReadDependencies) {
  const { reads } = dependencies;
  return (request: FastifyRequest<{ Params: { decision_id: string } }>, reply: FastifyReply) => {
    const id = readDecisionId(request.params.decision_id);
    const inForce = reads.policies.current().hash;
    return sendTagged(
      request,
      reply,
      toTagOptions(dependencies),
      ['one', id, inForce],
      async (): Promise<{ readonly body: DecisionDetail }> => {
        const found = id === null ? null : await reads.logWhile(whileConnected(reply)).find(id);
        if (found === null) throw unknownDecision();
        const policy = await reads.policies.find(found.record.policy.hash);
        return { body: toDecisionDetail(found, policy, reads.telemetryProviders) };
      },
    );
  };
}

function toTagOptions({ reads, version, newId }: DecisionReadDependencies) {
  return { reader: reads.log, engine: version, newId };
}

/** The id of a decision as the log has it; null for what can be none. Capitals are read too (RFC 9562, section 4). */
export function readDecisionId(text: string): string | null {
  const id = text.toLowerCase();
  return DECISION_ID.test(id) ? id : null;
}

/** The refusal of an id that the log does not hold, or no longer. */
export function unknownDecision(): RiskgateError {
  return new RiskgateError('not_found', 'No such decision is kept.', {
    publicDetail: 'The log holds no decision with this id, or no longer.',
  });
}
