import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RiskgateError } from '../../domain/errors.ts';
import { handlerFor, type RouteGroupOptions } from '../route-group.ts';
import { problemResponses, REQUEST_ID_HEADER } from '../schemas/responses.ts';
import type { ReceiveSet, SharedSignalStream } from '../shared-signals/receive-set.ts';
import { SET_ERRORS } from '../shared-signals/set-errors.ts';

/** What the requests of this group use. */
export interface SharedSignalDependencies {
  /** The streams by their names. */
  readonly streams: ReadonlyMap<string, SharedSignalStream>;
  readonly receive: ReceiveSet;
}

interface PushRoute {
  Params: { stream: string };
  Body: string;
}

const MEDIA_TYPE = 'application/secevent+jwt';

const SCHEMA = {
  summary: 'A transmitter of shared signals delivers one',
  description:
    'Push delivery of a security event token (RFC 8935). It is verified by the keys, the issuer and the audience of its stream in `SHARED_SIGNALS_FILE`. One that was taken before, or tells of nothing that is read here, is accepted and changes nothing.',
  operationId: 'pushSharedSignal',
  tags: ['subjects'],
  params: {
    type: 'object',
    required: ['stream'],
    properties: { stream: { type: 'string', description: 'The name of the stream.' } },
  },
  response: {
    202: { description: 'It is kept on all replicas.', headers: REQUEST_ID_HEADER, type: 'null' },
    400: {
      description: 'It is refused, and must not be sent again as it is. The body is that of RFC 8935.',
      headers: REQUEST_ID_HEADER,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['err', 'description'],
            properties: { err: { type: 'string', enum: [...SET_ERRORS] }, description: { type: 'string' } },
          },
        },
      },
    },
    ...problemResponses(401, 403, 404, 413, 415, 429, 500, 503),
  },
};

/** POST /v1/shared-signals/{stream}. Not wrapped by fastify-plugin: only here tokens are bodies. */
export async function sharedSignalRoutes(
  app: FastifyInstance,
  { serve }: RouteGroupOptions<SharedSignalDependencies>,
): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(MEDIA_TYPE, { parseAs: 'string' }, (_request, text, done) =>
    done(null, text),
  );
  app.post<PushRoute>(
    '/v1/shared-signals/:stream',
    { schema: SCHEMA, config: { scope: 'signal' as const } },
    handlerFor(serve, (dependencies) => (request, reply) => push(dependencies, request, reply)),
  );
}

async function push(
  { streams, receive }: SharedSignalDependencies,
  request: FastifyRequest<PushRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const stream = streams.get(request.params.stream);
  if (stream === undefined)
    throw new RiskgateError('not_found', 'A stream that is not configured.', {
      publicDetail: 'There is no stream of this name in SHARED_SIGNALS_FILE.',
    });
  const token = typeof request.body === 'string' ? request.body.trim() : '';
  const caller = request.caller?.id ?? null;
  const reception = await receive(stream, { token, caller, requestId: request.id });
  void reply.header('cache-control', 'no-store');
  if (reception.kind === 'refused') {
    const { err, description } = reception;
    return reply.code(400).type('application/json').send({ err, description });
  }
  if (reception.kind === 'later')
    throw new RiskgateError('store_unavailable', 'A shared signal was not taken.', {
      publicDetail: 'The token could not be taken for now. Send it again.',
    });
  return reply.code(202).send();
}
