import type { Test } from 'tap';
import { valuesOf } from './application.ts';
import { GOOD_IDS, idsOf, sendText } from './browse.ts';
import { type Ask, checkLetIn, checkRefused, type RunningGateway, type Seen } from './checks.ts';

/**
 * Ways to have a header dropped between two hops, by what is said of the connection (RFC 9110, section
 * 7.6.1).
 */
function nominationsOf(...names: readonly string[]): readonly (readonly string[])[] {
  const list = names.join(', ');
  return [
    ['Connection', list],
    ['Connection', list.toLowerCase()],
    ['connection', ` close ,\t${names.join('\t ,,').toUpperCase()} `],
    ['Connection', `keep-alive, ${list}`],
    names.flatMap((name) => ['Connection', name]),
    ['Connection', 'keep-alive', 'Connection', list],
    ['Proxy-Connection', list],
    ['Keep-Alive', list],
    ['Connection', 'TE', 'TE', list],
    ['Connection', 'Keep-Alive', 'Keep-Alive', list, 'Proxy-Connection', list],
  ];
}

const OURS = ['X-Risk-Decision', 'X-Risk-Decision-Id', 'X-Risk-Reasons'];
const COOKIES = ['Cookie', 'telemetry_id=allow; device_id=active'];

/** Below the first prefix as they stand, and elsewhere as another hop may read them. */
const ACCOUNT_PATHS = [
  '/api/../account/pay',
  '/api/%2e%2e/account/pay',
  '/api/.%2E/account/pay',
  '/api/..%2faccount/pay',
  '/api/..%5caccount/pay',
  '/api/..\\account/pay',
  '/api\\..\\account/pay',
  '/api/..;/account/pay',
  '/api/..;x=y/account/pay',
  '/api/;/../account/pay',
  '/api//../account/pay',
  '/api/./../account/pay',
  '/api/x/../../account/pay',
  '/api/%252e%252e/account/pay',
  '/api/%2e%2e%2faccount/pay',
  '/api/..',
  '/api/x/..?../',
];
/** The other way round: elsewhere as they stand. */
const API_PATHS = [
  '/account/../api/pay',
  '/account/%2e%2e/api/pay',
  '/account/..%2fapi/pay',
  '/account/..;/api/pay',
  '/account//../api/pay',
  '/%61pi/pay',
  '//api/pay',
  '/./api/pay',
  '/account/pay/..\\..\\..\\api/pay',
];
const PUBLIC_PATHS = [
  '/catalogue/public/../private',
  '/catalogue/public/%2e%2e/private',
  '/catalogue/public/..%2fprivate',
  '/catalogue/public/..;/private',
  '/catalogue/public//../private',
  '/catalogue/public/%2e%2e%2f%2e%2e%2fapi/x',
  '/catalogue/private',
  '//catalogue/public/x',
];

/** What clients do to be judged as somebody or something else than the application sees. */
export async function testEvasions(t: Test, ask: Ask, gateway: RunningGateway): Promise<void> {
  await testConnectionTokens(t, ask);
  await testPaths(t, ask);
  await testSizes(t, ask, gateway);
  await testWebSockets(t, gateway);
}

async function testConnectionTokens(t: Test, ask: Ask): Promise<void> {
  await t.test('a client cannot have our headers dropped on the way', async (t) => {
    for (const nomination of nominationsOf(...OURS)) {
      const what = nomination.join(': ');
      const challenged = await ask({ path: '/api/cart', headers: [...idsOf('challenge'), ...nomination] });
      checkLetIn(t, challenged, what, 'CHALLENGE');
      checkLetIn(t, await ask({ headers: [...GOOD_IDS, ...nomination] }), what);
      const refused = await ask({ headers: [...idsOf('forged'), ...nomination] });
      checkRefused(t, refused, 403, 'BLOCK', what);
    }
  });

  await t.test('a client cannot hide from riskgate what the application sees', async (t) => {
    for (const nomination of nominationsOf('X-Telemetry-ID', 'X-Device-ID')) {
      const what = nomination.join(': ');
      const { seen } = await ask({ headers: [...idsOf('forged'), ...COOKIES, ...nomination] });
      if (seen !== null) t.strictSame(valuesOf(seen, 'x-telemetry-id'), [], `${what}: neither sees it`);
    }
    for (const nomination of nominationsOf('X-HTTP-Method-Override')) {
      const { seen } = await ask({
        path: '/catalogue/public/a.css',
        headers: ['X-HTTP-Method-Override', 'DELETE', ...nomination],
      });
      if (seen !== null) t.strictSame(valuesOf(seen, 'x-http-method-override'), [], nomination.join(': '));
    }
    for (const nomination of nominationsOf(
      'X-Riskgate-Key',
      'X-Original-URI',
      'X-Original-Method',
      'X-Forwarded-Uri',
      'X-Forwarded-Method',
      'X-Forwarded-Host',
    )) {
      const { seen, answer } = await ask({ headers: [...idsOf('forged'), ...nomination] });
      t.equal(seen, null, nomination.join(': '));
      t.ok([400, 403].includes(answer.status), `refused by riskgate or the gateway: ${answer.status}`);
    }
  });
}

/**
 * Every path that servers may make of one: escapes resolved once or more, parameters cut off, slashes merged,
 * dots resolved, in any order.
 */
function readingsOf(url: string): ReadonlySet<string> {
  const [path = ''] = url.split(/[?#]/, 1);
  const found = new Set([path]);
  for (const one of found)
    for (const read of READERS) {
      const other = read(one);
      if (found.size < 1_000) found.add(other);
    }
  return found;
}

const READERS: readonly ((path: string) => string)[] = [
  (path) =>
    path.replaceAll(/%([0-7][0-9a-f])/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    ),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replaceAll(/\/{2,}/g, '/'),
  (path) => path.replaceAll(/\/\.(?=\/|$)/g, ''),
  (path) => path.replace(/\/[^/]*\/\.\.(?=\/|$)/, ''),
];

async function testPaths(t: Test, ask: Ask): Promise<void> {
  const checkBelow = ({ seen }: Seen, prefix: string, what: string): void => {
    if (seen === null) return;
    const elsewhere = [...readingsOf(seen.url)].filter((path) => !path.startsWith(prefix));
    t.strictSame(elsewhere, [], `${what} is let in as ${seen.url}`);
  };

  await t.test('a profile that passes is only for paths that nobody reads otherwise', async (t) => {
    t.ok(readingsOf('/api/..;/account/pay').has('/account/pay'));
    t.strictSame([...readingsOf('/api/cart')], ['/api/cart']);
    for (const path of [...ACCOUNT_PATHS, ...API_PATHS]) {
      const one = await ask({ path, headers: idsOf('challenge') });
      checkBelow(one, '/api/', path);
      if (one.seen === null) t.ok(one.answer.status >= 300, `${path}: ${one.answer.status}`);
    }
    const plain = await ask({
      path: '/api/a-b_c.d~e/caf%C3%A9%20?next=/../account',
      headers: idsOf('challenge'),
    });
    checkLetIn(t, plain, 'one with escapes that everybody reads alike', 'CHALLENGE');
  });

  await t.test('an exempt path, and the ways round it', async (t) => {
    checkLetIn(t, await ask({ path: '/catalogue/public/a.css', headers: [] }), 'exempt');
    for (const path of PUBLIC_PATHS) {
      const one = await ask({ path, headers: [] });
      checkBelow(one, '/catalogue/public/', path);
      if (one.seen === null) t.ok(one.answer.status >= 400, `${path}: ${one.answer.status}`);
    }
  });
}

/** Some gateways refuse a head without an answer. */
function hungUp(error: NodeJS.ErrnoException): null {
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return null;
  throw error;
}

async function testSizes(t: Test, ask: Ask, { application }: RunningGateway): Promise<void> {
  await t.test(
    'a large head is judged as a small one, or refused by the gateway, and never a BLOCK',
    async (t) => {
      const fields = (count: number, bytes: number) =>
        Array.from({ length: count }, (_, n) => [`X-Filler-${n}`, 'x'.repeat(bytes)]).flat();
      for (const [what, headers] of [
        ['a cookie of 20 kB', ['Cookie', `session=${'x'.repeat(20_000)}`]],
        ['24 kB', fields(24, 1_000)],
        ['55 kB', fields(55, 1_000)],
        ['75 kB', fields(75, 1_000)],
      ] as const) {
        const one = await ask({ headers: [...GOOD_IDS, ...headers] }).catch(hungUp);
        if (one?.seen) checkLetIn(t, one, what);
        else t.not(one?.answer.headers['x-risk-decision'], 'BLOCK', `${what}: ${one?.answer.status}`);
        const before = application.seen.length;
        await ask({ headers: [...headers, ...idsOf('forged')] }).catch(hungUp);
        t.equal(application.seen.length, before, `${what}, forged, is not let in`);
      }
    },
  );
}

async function testWebSockets(
  t: Test,
  { port, application, opensWebSockets }: RunningGateway,
): Promise<void> {
  await t.test('a WebSocket is opened after an ALLOW only', async (t) => {
    const open = (telemetryId: string) =>
      sendText(
        port,
        [
          'GET /shop/chat HTTP/1.1',
          'Host: shop.example',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          `X-Telemetry-ID: ${telemetryId}`,
          'X-Device-ID: active',
          '\r\n',
        ].join('\r\n'),
      );
    const before = application.seen.length;
    t.equal(await open('forged'), 403);
    t.equal(application.seen.length, before);
    t.equal(await open('allow'), opensWebSockets ? 101 : 200);
    const seen = application.seen.at(-1);
    t.equal(seen?.url, '/shop/chat');
    t.strictSame(seen && valuesOf(seen, 'x-risk-decision'), ['ALLOW']);
  });
}
