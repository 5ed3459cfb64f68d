import type { FastifyInstance, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { z } from 'zod';
import type { ChangeLists } from '../../application/lists/change-lists.ts';
import type { ListStore } from '../../application/lists/list-store.ts';
import { toEntryRecord } from '../../application/lists/to-entry-record.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { isInForce, LIST_NAME } from '../../domain/lists/list-entry.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import {
  entriesQuerySchema,
  entriesSchema,
  listsSchema,
  ONE_VALUE,
  type PutEntryBody,
  putAnswerSchema,
  putEntrySchema,
  toGivenEntry,
  toListParams,
  valueFieldOf,
} from '../schemas/lists.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

/** What the requests of this group use. */
export interface ListDependencies {
  readonly store: ListStore;
  readonly change: ChangeLists;
  /** The lists that the policy in force names. */
  readonly lists: () => readonly string[];
  readonly clock: { nowMs(): number };
}

interface ListRoute {
  Params: { list: string };
}

type Serve = ListDependencies | null;

const LIMIT_DEFAULT = 100;
/** Whose keys may read lists, and whose may change them. */
const READERS = ['read', 'review'] as const;

/** /v1/lists: entries that people block, trust or watch. */
export const listRoutes = plugin<RouteGroupOptions<ListDependencies>>(
  async (app, { serve }) => {
    registerOverview(app, serve);
    registerPage(app, serve);
    registerPut(app, serve);
    registerDelete(app, serve);
  },
  { name: 'list-routes' },
);

function registerOverview(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'The lists',
    operationId: 'getLists',
    tags: ['lists'],
    response: {
      200: {
        description: 'All of them.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(listsSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 429, 500, 503),
    },
  };
  app.get(
    '/v1/lists',
    { schema, config: { scope: READERS } },
    handlerFor(serve, ({ store, lists }) => (_request, reply) => {
      const named = lists();
      const names = [...new Set([...named, ...store.table.lists()])];
      return reply.header('cache-control', 'no-store').send({
        lists: names.map((list) => ({
          list,
          entries: store.table.count(list),
          in_policy: named.includes(list),
        })),
        knowledge: store.knowledge(),
      });
    }),
  );
}

function registerPage(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'The entries of a list',
    description:
      'A walk over the pages yields every entry that is there all the while exactly once. Identifiers are shown as their keyed hashes.',
    operationId: 'listEntries',
    tags: ['lists'],
    params: toListParams(false),
    querystring: toJsonSchema(entriesQuerySchema, 'input'),
    response: {
      200: { description: 'One page.', headers: REQUEST_ID_HEADER, ...toJsonSchema(entriesSchema, 'output') },
      ...problemResponses(400, 401, 403, 404, 429, 500, 503),
    },
  };
  type Page = ListRoute & { Querystring: z.output<typeof entriesQuerySchema> };
  app.get(
    '/v1/lists/:list/entries',
    { schema, config: { scope: READERS } },
    handlerFor(serve, ({ store, lists, clock }) => (request: FastifyRequest<Page>, reply) => {
      const { list } = request.params;
      if (!lists().includes(list) && !store.table.lists().includes(list)) throw unknownList();
      const { limit = String(LIMIT_DEFAULT), cursor = 'r0' } = request.query;
      const nowMs = clock.nowMs();
      const from = Number.parseInt(cursor.slice(1), 36);
      const page = store.table.page({ from, limit: Number(limit), isWanted: (each) => each === list });
      return reply.header('cache-control', 'no-store').send({
        list,
        entries: page.entries
          .filter((entry) => isInForce(entry, nowMs))
          .map((entry) => toEntryRecord(entry, toRfc3339)),
        next_cursor: page.next === null ? null : `r${page.next.toString(36)}`,
      });
    }),
  );
}

function registerPut(app: FastifyInstance, serve: Serve): void {
  const schema = {
    summary: 'Put an entry on a list',
    description: `${ONE_VALUE} All replicas obey within a second. An entry of the same value is replaced. The change is an event in the decision log. Repeatable.`,
    operationId: 'putListEntry',
    tags: ['lists'],
    params: toListParams(false),
    body: {
      ...toJsonSchema(putEntrySchema, 'input'),
      examples: [
        { device_id: 'dev_51f0', note: 'fifty accounts in an hour', expires_at: '2027-01-31T00:00:00Z' },
        { ip: '203.0.113.0/24' },
      ],
    },
    response: {
      200: {
        description: 'It is on the list.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(putAnswerSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 404, 409, 413, 415, 429, 500, 503),
    },
  };
  app.put(
    '/v1/lists/:list/entries',
    { schema, config: { scope: 'review' as const } },
    handlerFor(
      serve,
      ({ change }) =>
        async (request: FastifyRequest<ListRoute & { Body: PutEntryBody }>, reply) => {
          const { list } = request.params;
          change.requireList(list);
          const field = valueFieldOf(request.body);
          if (field === null) throw oneValue();
          const caller = request.caller?.id ?? '';
          const entry = change.read(list, toGivenEntry(request.body, field), caller);
          if ('mistakes' in entry)
            throw new RiskgateError('invalid_request', 'An entry that cannot be on a list.', {
              fields: entry.mistakes.map(({ pointer, detail }) => ({
                pointer: `/${pointer === 'value' ? field : pointer}`,
                detail,
              })),
            });
          const { entries, former } = await change.put(list, [entry], { caller, requestId: request.id });
          return reply.header('cache-control', 'no-store').send({
            list,
            entry: toEntryRecord(entries[0] ?? entry, toRfc3339),
            replaced: former[0] !== null,
            former: former[0] ? toEntryRecord(former[0], toRfc3339) : null,
          });
        },
    ),
  );
}

function registerDelete(app: FastifyInstance, serve: Serve): void {
  const removedSchema = z.object({ list: z.string(), removed: z.string().describe('The id of the entry.') });
  const schema = {
    summary: 'Remove an entry from a list',
    description: 'All replicas obey within a second. The change is an event in the decision log.',
    operationId: 'removeListEntry',
    tags: ['lists'],
    params: toListParams(true),
    response: {
      200: {
        description: 'It is no longer on the list.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(removedSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 404, 413, 415, 429, 500, 503),
    },
  };
  type Entry = { Params: { list: string; entry_id: string } };
  app.delete(
    '/v1/lists/:list/entries/:entry_id',
    { schema, config: { scope: 'review' as const } },
    handlerFor(serve, ({ change }) => async (request: FastifyRequest<Entry>, reply) => {
      const { list, entry_id: id } = request.params;
      const changer = { caller: request.caller?.id ?? '', requestId: request.id };
      if (!LIST_NAME.test(list) || !(await change.remove(list, id, changer))) throw unknownEntry();
      return reply.header('cache-control', 'no-store').send({ list, removed: id });
    }),
  );
}

function oneValue(): RiskgateError {
  return new RiskgateError('invalid_request', 'An entry of no value, or of several.', {
    publicDetail: ONE_VALUE,
  });
}

function unknownList(): RiskgateError {
  return new RiskgateError('not_found', 'No such list.', {
    publicDetail: 'The policy in force names no list of this name, and none has entries.',
  });
}

function unknownEntry(): RiskgateError {
  return new RiskgateError('not_found', 'No such entry.', {
    publicDetail: 'The list has no entry with this id, or no longer.',
  });
}
