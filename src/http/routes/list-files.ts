import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { z } from 'zod';
import { toEntryRecord } from '../../application/lists/to-entry-record.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { isInForce } from '../../domain/lists/list-entry.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { ENTRY_CSV_HEAD, LIST_FORMATS, type ListFormat, toEntryLine } from '../lists/entry-lines.ts';
import { IMPORT_LINES_MAX, importEntries } from '../lists/import-entries.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { toListParams } from '../schemas/lists.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import type { ListDependencies } from './lists.ts';

/** Room for so many lines of 300 bytes. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** Each keeps the store busy for as long as it lasts. */
const IMPORTS_MAX = 1;
const RETRY_AFTER_SECONDS = 5;
/** Entries of one step of an export. */
const PAGE = 500;
const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

interface ListRoute {
  Params: { list: string };
}

/** Lists as files: POST /v1/lists/{list}/import and GET /v1/lists/{list}/export. */
export const listFileRoutes = plugin<RouteGroupOptions<ListDependencies>>(
  async (app, { serve }) => {
    registerExport(app, serve);
    // Bodies of the import are read as they come: its content types are its own.
    await app.register(async (scope) => registerImport(scope, serve));
  },
  { name: 'list-file-routes' },
);

const importSchema = z.object({
  lines: z.int().describe('Lines with entries, good and bad.'),
  put: z.int(),
  replaced: z.int().describe('Of those that were put: values that the list had already.'),
  refused: z
    .array(z.object({ line: z.int().describe('From 1.'), detail: z.string() }))
    .describe('Every line that was passed over.'),
});

function registerImport(app: FastifyInstance, serve: ListDependencies | null): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(Object.values(TYPES), (_request, payload, done) => done(null, payload));
  const text = { schema: { type: 'string' } };
  const schema = {
    summary: 'Put many entries on a list',
    description: `Up to ${IMPORT_LINES_MAX} lines and 32 MiB, read as they come. NDJSON has the body of a put in each line, CSV those fields as columns that its first line names. A bad line is told with its number, and passed over; the others are kept. What an export wrote is read again. Repeatable.`,
    operationId: 'importListEntries',
    tags: ['lists'],
    params: toListParams(false),
    body: { content: { [TYPES.csv]: text, [TYPES.ndjson]: text } },
    response: {
      200: {
        description: 'All was read.',
        headers: REQUEST_ID_HEADER,
        ...toJsonSchema(importSchema, 'output'),
      },
      ...problemResponses(400, 401, 403, 404, 409, 413, 415, 429, 500, 503),
    },
  };
  let underWay = 0;
  app.post(
    '/v1/lists/:list/import',
    {
      schema,
      bodyLimit: BODY_BYTES_MAX,
      config: { scope: 'review' as const },
      // The body is a stream: its lines are checked one by one.
      validatorCompiler: () => () => true,
    },
    handlerFor(
      serve,
      ({ change }) =>
        async (request: FastifyRequest<ListRoute & { Body: Readable }>, reply) => {
          const { list } = request.params;
          change.requireList(list);
          if (underWay >= IMPORTS_MAX) throw busy();
          underWay += 1;
          try {
            const report = await importEntries(bounded(request.body), {
              change,
              list,
              format: request.headers['content-type']?.startsWith(TYPES.csv) ? 'csv' : 'ndjson',
              changer: { caller: request.caller?.id ?? '', requestId: request.id },
              isAllowed: () => app.isStillAllowed(request),
            });
            return await reply.header('cache-control', 'no-store').send(report);
          } finally {
            underWay -= 1;
          }
        },
    ),
  );
}

function registerExport(app: FastifyInstance, serve: ListDependencies | null): void {
  const querySchema = z.strictObject({
    format: z.enum(LIST_FORMATS).optional().describe('`ndjson` otherwise.'),
  });
  const text = { schema: { type: 'string' } };
  const schema = {
    summary: 'A list as a file',
    description:
      'Every entry, as an import takes it. An answer that is cut off was not completed: ask again.',
    operationId: 'exportList',
    tags: ['lists'],
    params: toListParams(false),
    querystring: toJsonSchema(querySchema, 'input'),
    response: {
      200: {
        description: 'The file.',
        headers: REQUEST_ID_HEADER,
        content: { [TYPES.csv]: text, [TYPES.ndjson]: text },
      },
      ...problemResponses(400, 401, 403, 404, 429, 500, 503),
    },
  };
  type Export = ListRoute & { Querystring: z.output<typeof querySchema> };
  app.get(
    '/v1/lists/:list/export',
    { schema, config: { scope: ['read', 'review'] as const }, exposeHeadRoute: false },
    handlerFor(serve, (dependencies) => async (request: FastifyRequest<Export>, reply) => {
      const { list } = request.params;
      const { format = 'ndjson' } = request.query;
      const { store, lists } = dependencies;
      if (!lists().includes(list) && !store.table.lists().includes(list))
        throw new RiskgateError('not_found', 'No such list.', {
          publicDetail: 'There is no list of this name.',
        });
      return reply
        .headers({
          'cache-control': 'no-store',
          'content-disposition': `attachment; filename="${list}.${format}"`,
          'content-type': `${TYPES[format]}; charset=utf-8`,
        })
        .send(Readable.from(exportList(dependencies, list, format, () => app.isStillAllowed(request))));
    }),
  );
}

async function* exportList(
  { store, clock }: ListDependencies,
  list: string,
  format: ListFormat,
  isAllowed: () => boolean,
): AsyncGenerator<string> {
  if (format === 'csv') yield ENTRY_CSV_HEAD;
  for (let from: number | null = 0; from !== null; ) {
    if (!isAllowed()) throw new RiskgateError('unauthenticated', 'The API key was withdrawn.');
    const page = store.table.page({ from, limit: PAGE, isWanted: (each) => each === list });
    const nowMs = clock.nowMs();
    const entries = page.entries.filter((entry) => isInForce(entry, nowMs));
    if (entries.length > 0)
      yield entries.map((entry) => toEntryLine(toEntryRecord(entry, toRfc3339), format)).join('');
    from = page.next;
    await nextTurn();
  }
}

/** A body without a length may have any: it is counted as it comes. */
async function* bounded(body: Readable): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of body) {
    bytes += (piece as Buffer).length;
    if (bytes > BODY_BYTES_MAX)
      throw new RiskgateError('payload_too_large', 'An import of too many bytes.', {
        publicDetail: 'An import has at most 32 MiB. What came before is kept: divide the rest.',
      });
    yield piece as Buffer;
  }
}

function busy(): RiskgateError {
  return new RiskgateError('overloaded', 'Another import is under way.', {
    publicDetail: 'This replica takes one import at a time.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
