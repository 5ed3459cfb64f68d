/**
 * The yardstick: plain Fastify. Its own JSON parser, no schema, no logger, no hook; answers the body of a
 * decision through JSON.stringify.
 */
import Fastify from 'fastify';
import { announce } from '../child.ts';
import { portOf } from './port-of.ts';

const sample: unknown = JSON.parse(process.env['BENCH_ANSWER'] ?? '{}');

const app = Fastify();
app.post('/v1/decide', (_request, reply) => reply.send(sample));
await app.listen({ host: '127.0.0.1', port: 0 });
announce(portOf(app.server));
