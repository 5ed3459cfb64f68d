import t from 'tap';
import { createTestApp } from '../support/test-app.ts';

const app = await createTestApp(t);

const GOOD = { telemetry_id: 'allow', device_id: 'active' };

/** Bodies that are refused, each with the JSON pointers of all its mistakes. */
const REFUSED: readonly (readonly [string, unknown, readonly string[]])[] = [
  ['an unknown field', { ...GOOD, nonsense: 1 }, ['/nonsense']],
  ['several unknown fields', { a: 1, b: 2, telemetry_id: 'allow' }, ['/a', '/b']],
  ['a field in camel case', { telemetryId: 'allow' }, ['/telemetryId']],
  ['a name that a pointer must escape', { 'a/b~c': 1 }, ['/a~1b~0c']],
  ['an unknown field with an empty name', { '': 1 }, ['/']],
  ['the name of an object method', { toString: 'x', hasOwnProperty: 1 }, ['/hasOwnProperty', '/toString']],
  ['an unknown device API', { device_ids: { stytch: 'x' } }, ['/device_ids/stytch']],
  ['a telemetry id of another type', { telemetry_id: 7 }, ['/telemetry_id']],
  ['a telemetry id in a list', { telemetry_id: ['allow'] }, ['/telemetry_id']],
  ['a telemetry id in an object', { telemetry_id: { id: 'allow' } }, ['/telemetry_id']],
  ['a device id of another type', { device_id: true }, ['/device_id']],
  ['a device id of another type in device_ids', { device_ids: { mobilerun: 1 } }, ['/device_ids/mobilerun']],
  ['device_ids that are no object', { device_ids: 'active' }, ['/device_ids']],
  ['device_ids that are a list', { device_ids: ['active'] }, ['/device_ids']],
  ['device_ids that are null', { device_ids: null }, ['/device_ids']],
  ['an account that is null', { account_id: null }, ['/account_id']],
  ['an account of another type', { account_id: 42 }, ['/account_id']],
  ['an action of another type', { action: 1 }, ['/action']],
  ['an empty action', { action: '' }, ['/action']],
  ['an action of 65 characters', { action: 'a'.repeat(65) }, ['/action']],
  ['an action with a space', { action: 'log in' }, ['/action']],
  ['an action with a newline at its end', { action: 'login\n' }, ['/action']],
  ['an action with an umlaut', { action: 'lögin' }, ['/action']],
  ['an IP address that is none', { ip: 'nowhere' }, ['/ip']],
  ['two IP addresses', { ip: '192.0.2.1, 192.0.2.2' }, ['/ip']],
  ['an IP network', { ip: '192.0.2.0/24' }, ['/ip']],
  ['an IP address with an octet too large', { ip: '192.0.2.256' }, ['/ip']],
  ['an empty IP address', { ip: '' }, ['/ip']],
  ['an IP address of another type', { ip: 3221225985 }, ['/ip']],
  ['a user agent of 1025 characters', { user_agent: 'x'.repeat(1025) }, ['/user_agent']],
  ['a user agent of another type', { user_agent: [] }, ['/user_agent']],
  ['a telemetry id of 257 characters', { telemetry_id: 'x'.repeat(257) }, ['/telemetry_id']],
  ['a telemetry id of 257 emoji', { telemetry_id: '😀'.repeat(257) }, ['/telemetry_id']],
  ['a device id of 257 characters', { device_id: 'x'.repeat(257) }, ['/device_id']],
  [
    'a named device id of 257 characters',
    { device_ids: { prefactor: 'x'.repeat(257) } },
    ['/device_ids/prefactor'],
  ],
  ['an account of 257 characters', { account_id: 'x'.repeat(257) }, ['/account_id']],
  ['a negative age', { max_age_ms: -1 }, ['/max_age_ms']],
  ['an age that is not whole', { max_age_ms: 0.5 }, ['/max_age_ms']],
  ['an age in quotes', { max_age_ms: '5' }, ['/max_age_ms']],
  ['an age that is null', { max_age_ms: null }, ['/max_age_ms']],
  ['a deadline of 49 ms', { deadline_ms: 49 }, ['/deadline_ms']],
  ['a deadline of 10001 ms', { deadline_ms: 10_001 }, ['/deadline_ms']],
  ['a deadline that is not whole', { deadline_ms: 50.5 }, ['/deadline_ms']],
  ['a deadline in quotes', { deadline_ms: '100' }, ['/deadline_ms']],
  [
    'both ways to name a device',
    { device_id: 'active', device_ids: { prefactor: 'active' } },
    ['/device_ids'],
  ],
  ['both ways to name a device, one empty', { device_id: 'active', device_ids: {} }, ['/device_ids']],
  [
    'everything wrong at once',
    {
      telemetry_id: 1,
      device_id: 2,
      action: '!',
      account_id: 3,
      user_agent: 4,
      max_age_ms: -1,
      deadline_ms: 1,
      x: 0,
    },
    [
      '/account_id',
      '/action',
      '/deadline_ms',
      '/device_id',
      '/max_age_ms',
      '/telemetry_id',
      '/user_agent',
      '/x',
    ],
  ],
  [
    'mistakes of form and of meaning at once',
    { device_id: 'active', device_ids: {}, ip: 'nowhere', x: 0 },
    ['/device_ids', '/ip', '/x'],
  ],
  [
    'two mistakes of meaning at once',
    { device_id: 'a', device_ids: {}, ip: 'nowhere' },
    ['/device_ids', '/ip'],
  ],
];

for (const [what, body, pointers] of REFUSED) {
  t.test(`refuses ${what}, and points to it`, async (t) => {
    const { status, headers, json } = await app.refused(body);
    t.equal(status, 400);
    t.match(headers['content-type'], /^application\/problem\+json/);
    t.match(json, { status: 400, code: 'invalid_request', title: String, type: String });
    t.equal(json.request_id, headers['x-request-id']);
    t.same(json.errors?.map(({ pointer }) => pointer).sort(), pointers);
    for (const { detail } of json.errors ?? []) t.match(detail, /^\S.*\S$/);
  });
}

/** Bodies that are not objects, or not JSON at all. */
const MALFORMED = [
  '',
  ' ',
  '{',
  '{"telemetry_id": "allow"',
  '{"telemetry_id": "allow",}',
  "{'telemetry_id': 'allow'}",
  '{telemetry_id: "allow"}',
  '{"telemetry_id": "allow"} {}',
  'telemetry_id=allow',
  '[]',
  '[{"telemetry_id": "allow"}]',
  'null',
  '0',
  '"allow"',
  'true',
  'NaN',
  '{"__proto__": {"telemetry_id": "allow"}}',
  '{"telemetry_id": "allow", "__proto__": null}',
  '{"\\u005f_proto__": 1}',
  '{"device_ids": {"__proto__": {"mobilerun": "active"}}}',
  '{"constructor": {"prototype": {"x": 1}}}',
  `${'['.repeat(8_000)}${']'.repeat(8_000)}`,
  `${'{"a":'.repeat(2_500)}1${'}'.repeat(2_500)}`,
  `${'{"a":'.repeat(2_000)}{"__proto__":1}${'}'.repeat(2_000)}`,
  `{"deadline_ms": 1${'0'.repeat(5_000)}}`,
  '{"deadline_ms": 1e999}',
] as const;

for (const body of MALFORMED) {
  t.test(`refuses the body ${JSON.stringify(body.slice(0, 60))} with 400`, async (t) => {
    const { status, headers, json } = await app.refused(body);
    t.equal(status, 400);
    t.match(headers['content-type'], /^application\/problem\+json/);
    t.match(json.code, /^(invalid_request|malformed_body)$/);
    t.equal(json.request_id, headers['x-request-id']);
  });
}

t.test('refuses a request without a body', async (t) => {
  const { status, json } = await app.ask<{ code: string }>('POST', '/v1/decide');
  t.equal(status, 400);
  t.match(json.code, /^(invalid_request|malformed_body)$/);
});

/** Bodies that are taken: what stands at a bound, and what other systems write into JSON. */
const TAKEN: readonly (readonly [string, unknown])[] = [
  ['no field at all', {}],
  ['ids that are null', { telemetry_id: null, device_id: null }],
  ['ids in device_ids that are null', { device_ids: { mobilerun: null, prefactor: null } }],
  ['ids of 256 characters', { telemetry_id: 'x'.repeat(256), device_id: 'y'.repeat(256) }],
  ['ids of 256 emoji', { telemetry_id: '😀'.repeat(256), device_id: '😀'.repeat(256) }],
  ['an account of 256 characters', { ...GOOD, account_id: 'ü'.repeat(256) }],
  ['an action of 64 characters', { ...GOOD, action: 'A9_.-'.padEnd(64, 'z') }],
  ['a user agent of 1024 characters', { ...GOOD, user_agent: 'x'.repeat(1024) }],
  ['an IPv4 address', { ...GOOD, ip: '192.0.2.1' }],
  ['an IPv6 address', { ...GOOD, ip: '2001:db8::1' }],
  ['an IPv4 address with a port', { ...GOOD, ip: '192.0.2.1:80' }],
  ['an IPv4 address in IPv6', { ...GOOD, ip: '::ffff:192.0.2.1' }],
  ['the longest IPv6 address', { ...GOOD, ip: '2001:0db8:0000:0000:0000:ffff:192.168.100.228' }],
  ['a deadline of 50 ms', { ...GOOD, deadline_ms: 50 }],
  ['a deadline of 10000 ms', { ...GOOD, deadline_ms: 10_000 }],
  [
    'a whole deadline in another spelling',
    '{"telemetry_id": "allow", "device_id": "active", "deadline_ms": 1e2}',
  ],
  ['an age of 0', { ...GOOD, max_age_ms: 0 }],
  ['the largest age', { ...GOOD, max_age_ms: Number.MAX_SAFE_INTEGER }],
  ['a body after a byte order mark', `\ufeff${JSON.stringify(GOOD)}`],
  [
    'names inside of texts',
    { ...GOOD, account_id: '"device_id": "x", "device_id":', user_agent: '\\":\\\\' },
  ],
  ['space around the body', `\r\n\t ${JSON.stringify(GOOD)} \n`],
];

for (const [what, body] of TAKEN) {
  t.test(`takes ${what}`, async (t) => {
    const { status, json } = await app.decide(body);
    t.equal(status, 200);
    t.match(json.decision, /^(ALLOW|CHALLENGE|BLOCK)$/);
  });
}

/** Bodies of which another parser, that of a gateway for example, would take the other value. */
const AMBIGUOUS = [
  '{"telemetry_id": "allow", "telemetry_id": "block", "device_id": "active"}',
  '{"telemetry_id": "block", "device_id": "active", "telemetry_id": "allow"}',
  '{"telemetry_id": "allow", "device_id": "active", "device_id": "active"}',
  '{"telemetry_id": "allow", "device_id": "revoked", "device\\u005fid": "active"}',
  '{"telemetry_id": "allow", "device_ids": {"mobilerun": "unknown", "mobilerun": "active"}}',
  '{"telemetry_id": "allow", "device_ids": {"mobilerun": "unknown"}, "device_ids": {"mobilerun": "active"}}',
  '{"telemetry_id": "allow", "device_id": "active", "deadline_ms": 10000, "deadline_ms" : 50}',
];

for (const body of AMBIGUOUS) {
  t.test(`refuses ${body}, in which a name stands twice`, async (t) => {
    app.emulators.resetCallCounts();
    const { status, json } = await app.refused(body);
    t.equal(status, 400);
    t.match(json, { code: 'malformed_body', detail: 'A name stands twice in one object.' });
    t.same(Object.values(app.emulators.callCounts()), [0, 0, 0], 'nobody was asked');
  });
}

t.test('takes 16 KiB and refuses one byte more', async (t) => {
  const fits = JSON.stringify(GOOD).padEnd(16 * 1024, ' ');
  t.equal((await app.decide(fits)).status, 200);
  const { status, headers, json } = await app.refused(`${fits} `);
  t.equal(status, 413);
  t.equal(json.code, 'payload_too_large');
  t.match(headers['content-type'], /^application\/problem\+json/);
  t.equal(json.request_id, headers['x-request-id']);
});

t.test('counts bytes and not characters', async (t) => {
  const { status } = await app.refused({ user_agent: '😀'.repeat(1_024), account_id: '😀'.repeat(3_500) });
  t.equal(status, 413);
});

for (const type of [
  'text/plain',
  'text/plain; charset=utf-8',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
  'application/jsonp',
  'text/json',
  'nonsense',
]) {
  t.test(`refuses the content type ${type} with 415`, async (t) => {
    const { status, headers, json } = await app.refused(GOOD, { headers: { 'content-type': type } });
    t.equal(status, 415);
    t.equal(json.code, 'unsupported_media_type');
    t.match(headers['content-type'], /^application\/problem\+json/);
  });
}

for (const type of [
  'application/json',
  'application/json; charset=utf-8',
  'Application/JSON;charset="UTF-8"',
]) {
  t.test(`takes the content type ${type}`, async (t) => {
    t.equal((await app.decide(GOOD, { headers: { 'content-type': type } })).status, 200);
  });
}

for (const [query, name] of [
  ['explain=all', 'explain'],
  ['explain=', 'explain'],
  ['explain=full&explain=full', 'explain'],
  ['explian=full', 'explian'],
  ['explain=full&verbose=1', 'verbose'],
  ['__proto__=1', '__proto__'],
] as const) {
  t.test(`refuses the query ${query}`, async (t) => {
    const { status, json } = await app.refused(GOOD, { url: `/v1/decide?${query}` });
    t.equal(status, 400);
    t.equal(json.code, 'invalid_request');
    t.ok(
      json.errors?.every(({ pointer }) => pointer === name),
      'names the parameter',
    );
    t.ok((json.errors?.length ?? 0) > 0);
  });
}
