/**
 * The Lambda authorizer of the recipe, word for word, with events of payload format 2.0 as AWS documents
 * them. API Gateway itself is not run.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { z } from 'zod';
import { createGatewayApp } from '../support/ask-gateway.ts';
import { ROOT } from '../support/start-program.ts';
import { createDirectory, KEYS, startEmulators } from '../support/test-app.ts';
import { startStubServer } from './real/stub-server.ts';

type Event = Readonly<Record<string, unknown>>;
interface Verdict {
  readonly isAuthorized: boolean;
  readonly context: Readonly<Record<string, string>>;
}

const handlerSchema = z.object({
  handler: z.custom<(event: Event) => Promise<Verdict>>((value) => typeof value === 'function'),
});

const recipe = readFileSync(join(ROOT, 'docs/gateways/aws-http-api.md'), 'utf8');
const file = join(createDirectory(t), 'authorizer.mjs');
writeFileSync(file, /```js\n(.*?)```/s.exec(recipe)?.[1] ?? '');
const { handler } = handlerSchema.parse(await import(pathToFileURL(file).href));

const app = await createGatewayApp(
  t,
  { default: { exempt_paths: ['/public/*'], ip_header: 'X-Real-IP' }, open: { exempt_paths: ['/open/*'] } },
  { emulators: await startEmulators(t) },
);
process.env['RISKGATE_URL'] = `http://127.0.0.1:${await app.listen()}`;
process.env['RISKGATE_KEY'] = KEYS.decide;

const ids = (telemetryId: string, deviceId = 'active') => ({
  'x-telemetry-id': telemetryId,
  'x-device-id': deviceId,
});

interface Client {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly cookies?: readonly string[];
}

/** The members of the example in "Control access to HTTP APIs with AWS Lambda authorizers". */
function createEvent(
  headers: Readonly<Record<string, string>>,
  { method = 'GET', path = '/shop', query = '', cookies }: Client = {},
): Event {
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn: `arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/${method}${path}`,
    identitySource: [],
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    ...(cookies && { cookies }),
    headers: {
      host: 'id.execute-api.us-east-1.amazonaws.com',
      'content-length': '11',
      'content-type': 'application/json',
      'user-agent': 'agent',
      'x-forwarded-for': '192.0.2.1',
      ...headers,
    },
    requestContext: {
      accountId: '123456789012',
      apiId: 'api-id',
      domainName: 'id.execute-api.us-east-1.amazonaws.com',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: 1583348638390,
    },
    stageVariables: {},
  };
}

async function judge(headers: Readonly<Record<string, string>>, client?: Client): Promise<string> {
  const { isAuthorized, context } = await handler(createEvent(headers, client));
  return `${isAuthorized} ${context['riskDecision']} ${context['riskReasons']}`;
}

t.test('three verdicts, for every method', async (t) => {
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']) {
    t.match(await judge(ids('allow'), { method }), /^true ALLOW /, method);
    t.equal(await judge(ids('challenge'), { method }), 'false CHALLENGE STYTCH_CHALLENGE', method);
    t.equal(await judge(ids('forged'), { method }), 'false BLOCK TELEMETRY_NOT_FOUND', method);
  }
  const { context } = await handler(createEvent(ids('allow')));
  t.match(context['riskDecisionId'], /^[0-9a-f-]{36}$/);
});

t.test('ids that are missing, or there twice', async (t) => {
  t.match(await judge({}), /^false BLOCK /);
  t.match(await judge({ 'x-telemetry-id': 'allow' }), /^false BLOCK /);
  // API Gateway joins what is repeated.
  t.equal(await judge(ids('allow,forged')), 'false BLOCK SUBJECT_AMBIGUOUS');
  t.equal(await judge(ids('allow', 'active,minimal')), 'false BLOCK SUBJECT_AMBIGUOUS');
});

t.test('ids in cookies and in the query', async (t) => {
  const cookies = ['theme=dark', 'telemetry_id=allow', 'device_id=active'];
  t.match(await judge({}, { cookies }), /^true ALLOW /);
  t.equal(await judge({}, { cookies: [...cookies, 'telemetry_id=forged'] }), 'false BLOCK SUBJECT_AMBIGUOUS');
  const query = 'telemetry_id=allow&device_id=active';
  t.match(await judge({}, { query }), /^true ALLOW /);
  t.equal(await judge({}, { query: `${query}&device_id=x` }), 'false BLOCK SUBJECT_AMBIGUOUS');
});

t.test('a preflight is let in, and what only looks like one is not', async (t) => {
  const preflight = { origin: 'https://a.example', 'access-control-request-method': 'PUT' };
  t.match(await judge(preflight, { method: 'OPTIONS' }), /^true /);
  t.match(await judge(preflight, { method: 'GET' }), /^false BLOCK /);
  for (const name of ['x-http-method', 'x-http-method-override', 'x-method-override', 'x-rewrite-url'])
    t.match(await judge({ ...preflight, [name]: 'DELETE' }, { method: 'OPTIONS' }), /^false BLOCK /, name);
});

t.test('a path chooses neither the profile nor an exemption, decoded or not', async (t) => {
  t.match(await judge({}, { path: '/public/a.css' }), /^true /);
  for (const path of [
    '/../open/open/x',
    '/../../nginx/open',
    '/%2e%2e/open/open/x',
    '/public/../account',
    '/public/%2e%2e/account',
    '/shop?telemetry_id=allow&device_id=active',
    '/shop#x',
    '/public/\r\nx-telemetry-id: allow',
    '/public/\u00e9',
    '/public/\ud800',
  ])
    t.match(await judge({}, { path }), /^false (BLOCK|UNAVAILABLE) /, path);
});

t.test("a client's words about itself are not believed", async (t) => {
  const said = {
    'x-original-uri': '/public/x',
    'x-original-method': 'OPTIONS',
    'X-Riskgate-Key': 'wrong',
    'x-risk-decision': 'ALLOW',
  };
  t.match(await judge(said), /^false BLOCK /);
  t.match(await judge({ ...said, ...ids('allow') }), /^true ALLOW /);
  t.match(await judge({ ...ids('allow'), 'x-other': '\u0436' }), /^false UNAVAILABLE /);
});

t.test('the question as it is on the wire', async (t) => {
  const stub = await startStubServer(t, (_, response) => response.writeHead(403).end());
  const before = process.env['RISKGATE_URL'];
  process.env['RISKGATE_URL'] = `http://127.0.0.1:${stub.port}`;
  t.teardown(() => (process.env['RISKGATE_URL'] = before));
  await judge({ ...ids('allow'), x_risk_decision: 'ALLOW', 'x-real-ip': '198.51.100.1' }, { method: 'POST' });
  const [question] = stub.seen;
  t.same([question?.method, question?.url], ['GET', '/v1/gateway/nginx/default']);
  const { headersDistinct = {} } = question ?? {};
  t.match(headersDistinct, { 'x-real-ip': ['192.0.2.1'], 'x-original-method': ['POST'] });
  for (const name of ['content-length', 'content-type', 'x_risk_decision'])
    t.notOk(headersDistinct[name], name);
});

t.test('an answer that is not a whole ALLOW lets nobody in', async (t) => {
  const risk = { 'x-risk-decision': 'ALLOW', 'x-risk-decision-id': 'none', 'x-risk-reasons': 'none' };
  const stub = await startStubServer(t, (_, response) => response.end());
  const before = process.env['RISKGATE_URL'];
  process.env['RISKGATE_URL'] = `http://127.0.0.1:${stub.port}`;
  t.teardown(() => (process.env['RISKGATE_URL'] = before));
  t.equal(await judge(ids('allow')), 'false UNAVAILABLE none', 'a 200 of somebody else');
  for (const status of [201, 204, 302, 404, 500, 503]) {
    stub.answerWith(({ url }, response) =>
      response.writeHead(url === '/ok' ? 200 : status, { ...risk, location: '/ok' }).end(),
    );
    t.match(await judge(ids('allow')), /^false /, String(status));
  }
  stub.answerWith((_, response) => response.writeHead(200, { ...risk, 'x-risk-decision': '' }).end());
  t.match(await judge(ids('allow')), /^false UNAVAILABLE /, 'no decision');
  stub.answerWith(() => {});
  t.equal(await judge(ids('allow')), 'false UNAVAILABLE none', 'no answer in time');
  stub.answerWith(({ socket }) => socket.destroy());
  t.equal(await judge(ids('allow')), 'false UNAVAILABLE none', 'a hang-up');
  process.env['RISKGATE_URL'] = 'http://127.0.0.1:1';
  t.equal(await judge(ids('allow')), 'false UNAVAILABLE none', 'nobody there');
});
