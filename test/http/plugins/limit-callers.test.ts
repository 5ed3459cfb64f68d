import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import fastify from 'fastify';
import plugin from 'fastify-plugin';
import t from 'tap';
import type { Permit } from '../../../src/application/callers/hold-to-limits.ts';
import { limitCallers } from '../../../src/http/plugins/limit-callers.ts';

const CALLER = {
  id: 'a',
  scopes: new Set<never>(),
  notAfterMs: null,
  use: { caller: 'x', key: '', lastMs: 0 },
  limits: { rate: { requests: 9, windowSeconds: 60 }, concurrent: 1 },
};

t.test('gives a place back when the client leaves before its requests are counted', async (t) => {
  const counted = Promise.withResolvers<Permit>();
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const app = fastify();
  await app.register(
    plugin(
      async (scope) => {
        scope.decorateRequest('caller', null);
        scope.addHook('onRequest', async (request, reply) => {
          request.caller = CALLER;
          reply.raw.once('close', left.resolve);
        });
      },
      { name: 'authenticate' },
    ),
  );
  await app.register(limitCallers, {
    holdToLimits: () => {
      asked.resolve();
      return counted.promise;
    },
    traffic: { onRefused: () => {}, onIdempotentRequest: () => {} },
  });
  app.get('/', async () => 'done');
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => app.close());
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await asked.promise;
  socket.destroy();
  await left.promise;
  counted.resolve({ isGranted: true, rate: null, release: released.resolve });
  await released.promise;
  t.pass('the place is free');
});
