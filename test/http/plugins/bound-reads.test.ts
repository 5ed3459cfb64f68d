import { once } from 'node:events';
import { request } from 'node:http';
import Fastify from 'fastify';
import plugin from 'fastify-plugin';
import t from 'tap';
import { boundReads } from '../../../src/http/plugins/bound-reads.ts';
import { portOf, until } from '../../support/test-app.ts';

t.test('gives the place back of a client that left before it had one', async (t) => {
  const arrival = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let isFirst = true;
  let closed = 0;
  const app = Fastify();
  t.teardown(() => app.close());
  const limit = plugin(
    async (inner) => {
      inner.addHook('onRequest', async (_request, reply) => {
        reply.raw.once('close', () => {
          closed += 1;
        });
        if (!isFirst) return;
        isFirst = false;
        arrival.resolve();
        await release.promise;
      });
    },
    { name: 'authenticate' },
  );
  await app.register(limit);
  await app.register(boundReads, { traffic: { onRefused: () => {} } as never, readsConcurrent: 1 });
  app.get('/', { config: { readsLog: 'briefly' } }, async () => 'read');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const port = portOf(app.server.address());
  const left = request({ host: '127.0.0.1', port }).end();
  left.on('error', () => {});
  await arrival.promise;
  left.destroy();
  await until('the server knows that it left', async () => closed === 1);
  release.resolve();
  const next = request({ host: '127.0.0.1', port }).end();
  const [answer] = await once(next, 'response');
  answer.resume();
  t.equal(answer.statusCode, 200);
});
