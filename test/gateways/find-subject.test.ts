import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import type { GatewayHeaders } from '../../src/gateways/definition.ts';
import { findSubject } from '../../src/gateways/find-subject.ts';
import { DEFAULT_PROFILE, type GatewayProfile } from '../../src/gateways/profile.ts';

const find = (headers: GatewayHeaders, target = '/', profile: GatewayProfile = DEFAULT_PROFILE) =>
  findSubject({ method: 'GET', target, host: null, headers }, profile);
const telemetryOf = (headers: GatewayHeaders, target?: string) => {
  const subject = find(headers, target);
  return subject === null ? 'ambiguous' : subject.telemetryId;
};

t.test('finds ids in header, query and cookie, in this order', async (t) => {
  const all = { 'x-telemetry-id': ['header'], cookie: ['a=b; telemetry_id=cookie; device_id=dev'] };
  t.match(find(all, '/p?telemetry_id=query'), {
    telemetryId: 'header',
    device: { kind: 'shared', id: 'dev' },
  });
  t.equal(telemetryOf({ cookie: all.cookie }, '/p?x=1&telemetry_id=query'), 'query');
  t.equal(telemetryOf({ cookie: all.cookie }, '/p?x=1'), 'cookie');
  t.equal(telemetryOf({}, '/p'), null);
});

t.test('follows the order of a profile', async (t) => {
  const profile: GatewayProfile = {
    ...DEFAULT_PROFILE,
    telemetryId: [
      { kind: 'cookie', name: 'tid' },
      { kind: 'header', name: 'x-tid' },
    ],
  };
  t.equal(find({ cookie: ['tid=c'], 'x-tid': ['h'] }, '/', profile)?.telemetryId, 'c');
  t.equal(find({ 'x-tid': ['h'], 'x-telemetry-id': ['other'] }, '/', profile)?.telemetryId, 'h');
});

t.test('finds an account where a profile says so, and nowhere otherwise', async (t) => {
  const headers = { 'x-account-id': ['header'], cookie: ['account_id=cookie'] };
  const profile: GatewayProfile = {
    ...DEFAULT_PROFILE,
    accountId: [
      { kind: 'header', name: 'x-account-id' },
      { kind: 'cookie', name: 'account_id' },
    ],
  };
  t.equal(find(headers, '/', profile)?.accountId, 'header');
  t.equal(find({ cookie: headers.cookie }, '/', profile)?.accountId, 'cookie');
  t.notOk(Object.hasOwn(find({}, '/', profile) ?? {}, 'accountId'), 'one that is nowhere is absent');
  t.equal(find({ 'x-account-id': ['a', 'b'] }, '/', profile), null, 'a repeated one is ambiguous');
  t.equal(find(headers, '/?account_id=query')?.accountId, undefined);
});

/** What stands where an id should, and what it comes to. */
const CASES: readonly (readonly [string, GatewayHeaders, string, string | null])[] = [
  ['two headers', { 'x-telemetry-id': ['a', 'b'] }, '/', 'ambiguous'],
  ['two equal headers', { 'x-telemetry-id': ['a', 'a'] }, '/', 'ambiguous'],
  ['joined headers', { 'x-telemetry-id': ['a, b'] }, '/', 'ambiguous'],
  ['an empty header beside one', { 'x-telemetry-id': ['', 'b'] }, '/', 'ambiguous'],
  ['an empty header', { 'x-telemetry-id': [''] }, '/', null],
  ['an empty header, and a query', { 'x-telemetry-id': [''] }, '/?telemetry_id=q', 'q'],
  ['a malformed header, and a good query', { 'x-telemetry-id': ['a b'] }, '/?telemetry_id=q', 'ambiguous'],
  ['256 characters', { 'x-telemetry-id': ['a'.repeat(256)] }, '/', 'a'.repeat(256)],
  ['257 characters', { 'x-telemetry-id': ['a'.repeat(257)] }, '/', 'ambiguous'],
  ['no ASCII', { 'x-telemetry-id': ['é'] }, '/', 'ambiguous'],
  ['a semicolon', { 'x-telemetry-id': ['a;b'] }, '/', 'ambiguous'],
  ['a quote', { 'x-telemetry-id': ['"a"'] }, '/', 'ambiguous'],
  ['a name with an underscore', { x_telemetry_id: ['a'] }, '/', null],
  ['two in the query', {}, '/?telemetry_id=a&telemetry_id=b', 'ambiguous'],
  ['two in the query, one in disguise', {}, '/?telemetry_id=a&telemetry%5Fid=b', 'ambiguous'],
  ['one in disguise', {}, '/?%74elemetry_id=b', 'b'],
  ['an escape', {}, '/?telemetry_id=%61b', 'ab'],
  ['a bad escape', {}, '/?telemetry_id=%zz', 'ambiguous'],
  ['a cut escape', {}, '/?telemetry_id=a%4', 'ambiguous'],
  ['bytes that are no UTF-8', {}, '/?telemetry_id=%ff', 'ambiguous'],
  ['CRLF in a decoded id', {}, '/?telemetry_id=a%0d%0aX-Risk-Decision:%20ALLOW', 'ambiguous'],
  ['a zero byte', {}, '/?telemetry_id=a%00', 'ambiguous'],
  ['a plus', {}, '/?telemetry_id=a+b', 'ambiguous'],
  ['an escaped plus', {}, '/?telemetry_id=a%2Bb', 'a+b'],
  ['a separator of old', {}, '/?telemetry_id=a;telemetry_id=b', 'ambiguous'],
  ['a bare name', {}, '/?telemetry_id', null],
  ['an empty value', {}, '/?telemetry_id=', null],
  ['a second question mark', {}, '/?x=?telemetry_id=a', null],
  ['another name', {}, '/?telemetry_ids=a&Telemetry_id=b&telemetry_id[]=c', null],
  ['two cookies', { cookie: ['telemetry_id=a; telemetry_id=b'] }, '/', 'ambiguous'],
  ['cookies in two fields', { cookie: ['x=1', 'telemetry_id=a'] }, '/', 'a'],
  ['one cookie in each of two fields', { cookie: ['telemetry_id=a', 'telemetry_id=b'] }, '/', 'ambiguous'],
  ['a cookie without a value', { cookie: ['telemetry_id'] }, '/', null],
  ['a cookie without spaces', { cookie: ['x=1;telemetry_id=a;y=2'] }, '/', 'a'],
];

for (const [what, headers, target, expected] of CASES)
  t.test(`reads ${what}`, async (t) => t.equal(telemetryOf(headers, target), expected));

t.test('an ambiguous device id makes the subject ambiguous too', async (t) => {
  t.equal(find({ 'x-telemetry-id': ['a'], 'x-device-id': ['b', 'c'] }), null);
});

t.test('never finds an id of which there are two, wherever they stand in one place', async (t) => {
  const id = fc.stringMatching(/^[A-Za-z0-9._~-]{1,20}$/);
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(id, id, fc.constantFrom('header', 'query', 'cookie'), (first, second, place) => {
        const query = `/?telemetry_id=${first}&x=y&telemetry_id=${second}`;
        const headers: GatewayHeaders =
          place === 'header'
            ? { 'x-telemetry-id': [first, second] }
            : place === 'cookie'
              ? { cookie: [`telemetry_id=${first}; x=y; telemetry_id=${second}`] }
              : {};
        return telemetryOf(headers, place === 'query' ? query : '/') === 'ambiguous';
      }),
      { seed: 1 },
    ),
  );
});

t.test('whatever is found is an id that header, query and cookie would spell alike', async (t) => {
  const headers = fc.record({
    'x-telemetry-id': fc.array(fc.string({ unit: 'binary' }), { maxLength: 2 }),
    cookie: fc.array(fc.string({ unit: 'binary' }), { maxLength: 2 }),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(headers, fc.string({ unit: 'binary' }), (fields, query) => {
        const found = telemetryOf(fields, `/?telemetry_id=${query}`);
        return found === null || found === 'ambiguous' || /^[!-~]{1,256}$/.test(found);
      }),
      { seed: 2 },
    ),
  );
});

t.test("takes the address that the gateway itself saw, and the user's agent", async (t) => {
  const profile: GatewayProfile = { ...DEFAULT_PROFILE, ipHeader: 'x-forwarded-for', action: 'login' };
  const ipOf = (...values: string[]) => find({ 'x-forwarded-for': values }, '/', profile)?.ip;
  t.equal(ipOf('203.0.113.7'), '203.0.113.7');
  t.equal(ipOf('10.0.0.1, 203.0.113.7'), '203.0.113.7');
  t.equal(ipOf('2001:db8::1'), '2001:db8::1');
  t.equal(ipOf('198.51.100.1, [2001:DB8::1%1]:443'), '2001:db8::1');
  t.equal(ipOf('unknown'), undefined);
  t.equal(find({ 'x-forwarded-for': ['203.0.113.7'] })?.ip, undefined, 'none is believed by default');
  t.match(find({ 'user-agent': ['agent'] }, '/', profile), { userAgent: 'agent', action: 'login' });
  t.equal(find({ 'user-agent': ['a'.repeat(1025)] })?.userAgent, undefined);
});

t.test('says why an address that was promised cannot be read', async (t) => {
  const profile: GatewayProfile = { ...DEFAULT_PROFILE, ipHeader: 'x-real-ip' };
  const whyOf = (headers: GatewayHeaders, of = profile) => find(headers, '/', of)?.ipUnreadable;
  t.equal(whyOf({}), 'missing');
  t.equal(whyOf({ 'x-real-ip': [' '] }), 'missing');
  t.equal(whyOf({ 'x-real-ip': ['203.0.113.7', '203.0.113.7'] }), 'repeated');
  t.equal(whyOf({ 'x-real-ip': ['203.0.113.7,'] }), 'malformed');
  t.equal(whyOf({ 'x-real-ip': ['203.0.113.7'] }), undefined);
  t.equal(whyOf({}, DEFAULT_PROFILE), undefined, 'nobody promised one');
  const connection = (address: string | null) =>
    findSubject({ method: 'GET', target: '/', host: null, headers: {}, address }, DEFAULT_PROFILE);
  t.match(connection('::ffff:203.0.113.7'), { ip: '203.0.113.7', ipUnreadable: undefined });
  t.match(connection('@abstract'), { ip: undefined, ipUnreadable: 'malformed' });
  t.match(connection(''), { ip: undefined, ipUnreadable: undefined });
  t.match(connection(null), { ip: undefined, ipUnreadable: undefined });
});

t.test('keeps nothing of the fields that it cut an id or an address from', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const rest = 'x'.repeat(60_000);
  const profile: GatewayProfile = { ...DEFAULT_PROFILE, ipHeader: 'x-forwarded-for' };
  /** As it comes from a socket: a text that nothing else holds. */
  const received = (text: string) => [Buffer.from(text).toString('latin1')];
  const kept: unknown[] = [];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let turn = 0; turn < 300; turn += 1) {
    const number = String(turn).padStart(3, '0');
    const cookie = received(`a=${rest}; telemetry_id=an-id-of-a-cookie-${number}; b=c`);
    const [target = ''] = received(`/?a=${rest}&device_id=an-id-of-a-query-${number}`);
    const forwarded = received(`${rest},203.0.113.${100 + (turn % 100)}`);
    const subject = find({ cookie, 'x-forwarded-for': forwarded }, target, profile);
    kept.push(subject?.telemetryId, subject?.device, subject?.ip);
  }
  collect();
  const grownMb = (process.memoryUsage().heapUsed - before) / 1e6;
  t.equal(kept.length, 900);
  // Each of the three fields is 18 MB in all.
  t.ok(grownMb < 9, `${grownMb.toFixed(1)} MB for what was found`);
});
