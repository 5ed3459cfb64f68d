import { finished, Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { z } from 'zod';
import type { LogPosition } from '../../application/decision-log/decision-log.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { exportDecisions } from '../decision-log/decision-export.ts';
import type { DecisionReads } from '../decision-log/decision-reads.ts';
import { encodeExport } from '../decision-log/encode-export.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { decisionFilterShape, toRecordFilter } from '../schemas/decision-filter.ts';
import { toJsonSchema } from '../schemas/json-schema.ts';
import { DECISION_ID, problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';

const TYPES = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
} as const;

type ExportFormat = keyof typeof TYPES;

const querySchema = z.strictObject({
  ...decisionFilterShape,
  format: z
    .enum(['csv', 'ndjson', 'parquet'] satisfies ExportFormat[])
    .optional()
    .describe('`ndjson` otherwise.'),
  bom: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true` begins the CSV with a byte order mark, by which Excel knows UTF-8.'),
  times: z
    .enum(['rfc3339', 'spreadsheet'])
    .optional()
    .describe(
      '`spreadsheet` writes the times of CSV as `2026-01-15 09:30:00` (UTC, whole seconds), which spreadsheets read as times.',
    ),
  after: z
    .string()
    .regex(DECISION_ID)
    .optional()
    .describe(
      'Goes on where an export broke off: the `decision_id` of the last decision that is there. What followed its line is sent, without the line of names.',
    ),
});

/** Exports at a time: each keeps the log and the process busy for as long as it lasts. */
const EXPORTS_MAX = 4;
/** Of Parquet, each of which holds 25,000 records in a thread of its own. */
const ENCODED_MAX = 1;
const RETRY_AFTER_SECONDS = 10;

/** What the requests of this group use. */
interface DecisionExportDependencies {
  readonly reads: Pick<DecisionReads, 'log' | 'bulk' | 'hashes' | 'openParquet'>;
}

/** GET /v1/decisions/export: everything that fits, streamed. */
export const decisionExportRoutes = plugin<RouteGroupOptions<DecisionExportDependencies>>(
  async (app, { serve }) => {
    const text = { schema: { type: 'string' } };
    const schema = {
      summary: 'Decisions as a file',
      description:
        'All that fit the filters, newest first, with records of gaps among them, and without filters but those of time also what somebody changed (`kind: event`). NDJSON has the whole records with their labels, CSV one line each, texts in quotes, with an apostrophe before whatever a spreadsheet would run as a formula. Parquet has typed columns, those of the signals among them; its first bytes come with the first record, the others with each 25,000. An answer that is cut off was not completed: ask again, of text with `after`.',
      operationId: 'exportDecisions',
      tags: ['decisions'],
      querystring: toJsonSchema(querySchema, 'input'),
      response: {
        200: {
          description: 'The file.',
          headers: REQUEST_ID_HEADER,
          content: {
            'text/csv': text,
            'application/x-ndjson': text,
            [TYPES.parquet]: { schema: { type: 'string', format: 'binary' } },
          },
        },
        ...problemResponses(400, 401, 403, 429, 500, 503),
      },
    };
    const route = {
      schema,
      config: { scope: 'read' as const, readsLog: 'at length' as const },
      exposeHeadRoute: false,
    };
    app.get(
      '/v1/decisions/export',
      route,
      handlerFor(serve, (dependencies) => createExport(dependencies, app.isStillAllowed)),
    );
  },
  { name: 'decision-export-routes' },
);

type ExportRequest = FastifyRequest<{ Querystring: z.output<typeof querySchema> }>;

function createExport(
  { reads }: DecisionExportDependencies,
  isStillAllowed: (request: FastifyRequest) => boolean,
) {
  const underWay: ExportFormat[] = [];
  return async (request: ExportRequest, reply: FastifyReply) => {
    const { format = 'ndjson', bom, times, after: lastId, ...query } = request.query;
    const hasMark = bom === 'true';
    if (format !== 'csv' && (hasMark || times !== undefined))
      throw refused(hasMark ? 'bom' : 'times', 'is for format=csv');
    if (lastId !== undefined && format === 'parquet') throw refused('after', 'is for texts');
    const filter = toRecordFilter(query, reads.hashes);
    const after = lastId === undefined ? undefined : await positionOf(reads.log, lastId);
    if (!hasRoom(underWay, format)) throw tooMany();
    underWay.push(format);
    const isText = format !== 'parquet';
    const form = { format: isText ? format : 'ndjson', hasMark, times } as const;
    const lines = exportDecisions(reads.bulk, filter, { ...form, after });
    const allowed = whileAllowed(lines, () => isStillAllowed(request));
    const pieces = isText ? allowed : encodeExport(allowed, reads.openParquet);
    // Told too where the client has gone away before its request got here.
    finished(reply.raw, () => {
      underWay.splice(underWay.indexOf(format), 1);
      // An answer that nobody begins to read does not end by itself.
      void pieces.return(undefined);
    });
    // A log that cannot be read is an answer, as long as nothing has been sent.
    const first = await pieces.next();
    return reply
      .headers({
        'cache-control': 'no-store',
        'content-disposition': `attachment; filename="decisions.${format}"`,
        'content-type': TYPES[format],
      })
      .send(Readable.from(startWith<string | Uint8Array>(first, pieces)));
  };
}

function hasRoom(underWay: readonly ExportFormat[], format: ExportFormat): boolean {
  if (underWay.length >= EXPORTS_MAX) return false;
  return format !== 'parquet' || underWay.filter((one) => one === format).length < ENCODED_MAX;
}

async function* startWith<Piece>(
  first: IteratorResult<Piece, unknown>,
  rest: AsyncIterable<Piece>,
): AsyncGenerator<Piece> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}

/** Breaks off when the key is withdrawn: what was sent until then is no whole export. */
async function* whileAllowed(pages: AsyncIterable<string>, isAllowed: () => boolean): AsyncGenerator<string> {
  for await (const text of pages) {
    if (!isAllowed()) throw new RiskgateError('unauthenticated', 'The API key was withdrawn.');
    yield text;
  }
}

async function positionOf(log: Pick<DecisionReads['log'], 'find'>, id: string): Promise<LogPosition> {
  const found = await log.find(id);
  if (found === null) throw refused('after', 'is no decision that the log holds, or no longer');
  return found.position;
}

function refused(pointer: string, detail: string): RiskgateError {
  return new RiskgateError('invalid_request', 'An export that cannot be written.', {
    fields: [{ pointer, detail }],
  });
}

function tooMany(): RiskgateError {
  return new RiskgateError('overloaded', 'Too many exports are under way.', {
    publicDetail: 'Too many exports are under way.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
