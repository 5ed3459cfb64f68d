import Fastify from 'fastify';
import t from 'tap';
import type { GatewayDialect } from '../../src/gateways/definition.ts';
import { refusedResult } from '../../src/gateways/gateway-result.ts';
import { gatewayRoutes } from '../../src/gateways/routes.ts';

const result = refusedResult('CALLER_UNKNOWN');
const broken: GatewayDialect = {
  id: 'broken',
  originalHeaders: null,
  toOriginal: () => null,
  toAnswer: () => {
    throw new TypeError('a defect');
  },
};

for (const [when, check] of [
  ['in place', () => result],
  ['later', async () => result],
  ['before there is a result', async () => Promise.reject(new TypeError('a defect'))],
] as const) {
  t.test(`a defect in giving an answer is a 503, ${when}`, async (t) => {
    const app = Fastify();
    t.teardown(() => app.close());
    await app.register(gatewayRoutes, {
      serve: {
        dialects: new Map([['broken', broken]]),
        check,
        noteRefusal: () => {},
        isDraining: () => false,
        headerBytesMax: 65_536,
      },
    });
    const reply = await app.inject({ url: '/v1/gateway/broken/default' });
    t.equal(reply.statusCode, 503);
    t.match(reply.headers, { 'x-risk-decision': 'UNAVAILABLE', 'x-risk-reasons': 'INTERNAL' });
    t.notMatch(reply.body, /defect/);
  });
}
