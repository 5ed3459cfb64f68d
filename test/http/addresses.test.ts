import t from 'tap';
import type { ProblemBody } from '../support/answer.ts';
import { createTestApp, KEYS } from '../support/test-app.ts';

const app = await createTestApp(t);

for (const url of [
  '/v1',
  '/v1/',
  '/v1/decide/',
  '/v1/Decide',
  '/v1/decide/x',
  '/v2/decide',
  '/v1/decision',
  '/metrics2',
  '/.env',
  '/v1/%2e%2e/policy',
  '/v1//decide',
  '/package.json',
  '/docs/../package.json',
  '/docs/static/../../../../package.json',
  '/docs/static/%2e%2e%2f%2e%2e%2fpackage.json',
]) {
  t.test(`knows nothing at ${url}`, async (t) => {
    const { status, headers, json, text } = await app.ask<ProblemBody>('GET', url);
    t.equal(status, 404);
    t.match(headers['content-type'], /^application\/problem\+json/);
    t.match(json, { status: 404, code: 'not_found', title: String, request_id: headers['x-request-id'] });
    t.notMatch(text, /riskgate.*dependencies/);
  });
}

/** Address, a method it does not take, and those it does. */
const METHODS = [
  ['/v1/decide', 'GET', ['POST']],
  ['/v1/decide', 'PUT', ['POST']],
  ['/v1/decide', 'PATCH', ['POST']],
  ['/v1/decide', 'DELETE', ['POST']],
  ['/v1/decide', 'OPTIONS', ['POST']],
  ['/v1/decide?explain=full', 'GET', ['POST']],
  ['/v1/policy', 'POST', ['GET', 'HEAD']],
  ['/v1/policy', 'DELETE', ['GET', 'HEAD']],
  ['/v1/evidence', 'GET', ['DELETE']],
  ['/v1/evidence', 'POST', ['DELETE']],
  ['/livez', 'POST', ['GET', 'HEAD']],
  ['/readyz', 'PUT', ['GET', 'HEAD']],
  ['/openapi.json', 'DELETE', ['GET', 'HEAD']],
] as const;

for (const [url, method, allowed] of METHODS) {
  t.test(`refuses ${method} ${url}, and says what is allowed`, async (t) => {
    for (const key of [KEYS.all, null]) {
      const { status, headers, json } = await app.ask<ProblemBody>(method, url, { key });
      t.equal(status, 405);
      t.same(String(headers['allow']).split(', ').sort(), [...allowed].sort());
      t.match(headers['content-type'], /^application\/problem\+json/);
      t.match(json, { status: 405, code: 'method_not_allowed', request_id: headers['x-request-id'] });
    }
  });
}

t.test('lets nobody store a refusal', async (t) => {
  for (const url of ['/nowhere', '/v1/decide', '/v1/policy', '/v1/evidence']) {
    const { headers } = await app.ask('GET', url, { key: null });
    t.equal(headers['cache-control'], 'no-store', url);
  }
});
