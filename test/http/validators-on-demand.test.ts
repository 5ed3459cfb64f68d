import Fastify from 'fastify';
import t from 'tap';
import { ROUTE_COMPILERS } from '../../src/http/server.ts';

/** No validator can be made of it. */
const BROKEN = { type: 'object', properties: { place: { $ref: 'nowhere#' } } };
const PLACE = {
  type: 'object',
  properties: { place: { type: 'integer' } },
  required: ['place'],
  additionalProperties: false,
};

function serverWith(path: string, body: object) {
  const app = Fastify(ROUTE_COMPILERS);
  app.post(path, { schema: { body } }, () => 'taken');
  return app;
}

t.test('compiles what decisions are validated with before the service is ready', async (t) => {
  for (const path of ['/v1/decide', '/v1/decide/batch', '/access/v1/evaluation', '/v1/gateway/x/y'])
    await t.rejects(async () => serverWith(path, BROKEN).ready(), path);
});

t.test('compiles what others are validated with for the first request', async (t) => {
  for (const path of ['/v1/decisions', '/accessible']) {
    const app = serverWith(path, BROKEN);
    await app.ready();
    t.equal((await app.inject({ method: 'POST', url: path, payload: {} })).statusCode, 500);
    await app.close();
  }
});

t.test('says of each request what is wrong with it, and nothing of the one before', async (t) => {
  const app = serverWith('/v1/lists', PLACE);
  const ask = async (payload: object) => {
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/v1/lists', payload });
    return [statusCode, body];
  };
  const refused = await ask({ place: 'x', other: 1 });
  t.match(refused, [400, /other|additional/]);
  t.match(refused, [400, /integer/]);
  t.same(await ask({ place: 1 }), [200, 'taken']);
  t.match(await ask({}), [400, /required/]);
  await app.close();
});
