import fc from 'fast-check';
import t from 'tap';
import type { GatewayHeaders } from '../../src/gateways/definition.ts';
import { isExempt } from '../../src/gateways/exemption.ts';
import { DEFAULT_PROFILE, type GatewayProfile } from '../../src/gateways/profile.ts';

const PROFILE: GatewayProfile = {
  ...DEFAULT_PROFILE,
  exemptMethods: new Set(['HEAD']),
  exemptPaths: [
    { path: '/health', isPrefix: false },
    { path: '/assets/', isPrefix: true },
  ],
};

const exempt = (target: string, method = 'GET', headers: GatewayHeaders = {}, profile = PROFILE) =>
  isExempt({ method, target, host: null, headers }, profile);

t.test('lets exempt methods and paths in', async (t) => {
  for (const target of ['/health', '/health?x=%zz', '/assets/app.js', '/assets/', '/assets/.well-known/a'])
    t.ok(exempt(target), target);
  t.ok(exempt('/anything', 'HEAD'));
  t.notOk(exempt('/anything', 'head'), 'methods are case-sensitive');
  t.notOk(exempt('/health', 'GET', {}, DEFAULT_PROFILE), 'nothing is exempt by default');
});

/** Each is read as something below /assets/ by one hop and as something else by another. */
const TRAPS = [
  '/assets',
  '/healthz',
  '/health/',
  '/Health',
  '//health',
  '/assets/../admin',
  '/assets/..',
  '/assets/./x',
  '/assets//admin',
  '//assets/x',
  '/assets/%2e%2e/admin',
  '/assets/..%2fadmin',
  '/assets/%2e%2e%2fadmin',
  '/assets/..%252fadmin',
  '/assets/..;/admin',
  '/assets;x/../admin',
  '/assets/..\\admin',
  '/assets/..%5cadmin',
  '/assets/.../admin',
  '/assets/x%00.js',
  '/assets/x\u0000',
  '/assets/x y',
  '/assets/\u00e9',
  '/assets/x#/../admin',
  '/%61ssets/x',
  'assets/x',
  '\\assets\\x',
  'http://shop.example/assets/x',
  '*',
  '',
];

for (const target of TRAPS)
  t.test(`asks about ${JSON.stringify(target)}`, async (t) => t.notOk(exempt(target)));

t.test('asks about a request that frameworks take for another one', async (t) => {
  const fields = {
    'x-http-method-override': 'POST',
    'x-http-method': 'POST',
    'x-method-override': 'POST',
    'x-original-url': '/admin',
    'x-rewrite-url': '/admin',
  };
  const preflight = { origin: ['https://a.example'], 'access-control-request-method': ['PUT'] };
  for (const [field, value] of Object.entries(fields)) {
    // Behind CGI and its heirs all of them are one variable, and several gateways let them pass.
    for (const name of [
      field,
      field.replaceAll('-', '_'),
      field.replace('-', '_'),
      field.replaceAll('-', '.'),
    ]) {
      t.notOk(exempt('/health', 'GET', { [name]: [value] }), name);
      t.notOk(exempt('/x', 'HEAD', { [name]: [value] }), name);
      t.notOk(exempt('/x', 'OPTIONS', { ...preflight, [name]: [value] }), name);
    }
  }
  t.ok(exempt('/health', 'GET', { x_request_id: ['1'] }), 'and nothing else is');
});

t.test('fact 8: lets a preflight in, and nothing that only looks like one', async (t) => {
  const preflight = { origin: ['https://a.example'], 'access-control-request-method': ['PUT'] };
  t.ok(exempt('/x', 'OPTIONS', preflight, DEFAULT_PROFILE));
  t.notOk(exempt('/x', 'GET', preflight, DEFAULT_PROFILE));
  t.notOk(exempt('/x', 'OPTIONS', {}, DEFAULT_PROFILE));
  t.notOk(exempt('/x', 'OPTIONS', { origin: ['https://a.example'] }, DEFAULT_PROFILE));
  t.notOk(exempt('/x', 'OPTIONS', { 'access-control-request-method': ['PUT'] }, DEFAULT_PROFILE));
});

/** The ways in which hops are known to change a path. */
const READINGS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => new URL(path, 'http://h').pathname,
  (path) => new URL(decodeSafely(path), 'http://h').pathname,
  (path) => new URL(decodeSafely(decodeSafely(path)), 'http://h').pathname,
  (path) => new URL(path.replaceAll(/;[^/]*/g, ''), 'http://h').pathname,
  (path) => new URL(path.replaceAll('\\', '/'), 'http://h').pathname,
  (path) => new URL(path.replaceAll(/\/{2,}/g, '/'), 'http://h').pathname,
  (path) => new URL(path.replaceAll(/\.+(?=\/|$)/g, ''), 'http://h').pathname,
];

function decodeSafely(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A URIError: such a hop refuses the path.
    return path;
  }
}

t.test('an exempt path is read alike by every hop, or as another file below the same prefix', async (t) => {
  const piece = fc.constantFrom(
    '..',
    '.',
    '/',
    '//',
    '%2e',
    '%2E%2e',
    '%2f',
    '%252f',
    '%5c',
    ';',
    ';a=b',
    '\\',
    'a',
    'admin',
    'assets',
    '...',
    '\u0000',
    ' ',
    '%',
    '#',
    '?',
    '@',
    ':',
    '%00',
    'é',
  );
  const path = fc
    .tuple(fc.constantFrom('/assets/', '/', '', '/assets'), fc.array(piece, { maxLength: 6 }))
    .map(([start, pieces]) => start + pieces.join(''));
  let exempted = 0;
  fc.assert(
    fc.property(path, (target) => {
      if (!exempt(target)) return true;
      exempted += 1;
      const [raw = ''] = target.split('?', 1);
      return READINGS.every((read) => {
        const seen = read(raw);
        return seen.startsWith('/assets/') || seen === '/health';
      });
    }),
    { numRuns: 3000, seed: 1 },
  );
  t.ok(exempted > 20, `${exempted} were exempt`);
});
