import t from 'tap';
import { createEmulators, mobilerunLookup } from './emulated-providers.ts';

const SAMPLE = '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1';

t.test('answers the known device ids with every required member', async (t) => {
  const { app } = createEmulators(t);
  for (const id of ['active', 'revoked', 'never-seen', 'minimal', SAMPLE]) {
    const response = await app.inject(mobilerunLookup(id));
    t.equal(response.statusCode, 200, id);
    const { model, display, identifiers, carrier } = response.json();
    t.type(model, 'object');
    t.type(display, 'object');
    t.equal(Object.keys(identifiers).length, 15);
    t.equal(Object.keys(carrier).length, 6);
    t.type(carrier.GsmOperatorNumeric, 'number');
  }
});

t.test('answers minimal with empty identifiers and neither model nor display members', async (t) => {
  const { app } = createEmulators(t);
  const { model, display, identifiers } = (await app.inject(mobilerunLookup('minimal'))).json();
  t.strictSame([model, display], [{}, {}]);
  t.ok(Object.values(identifiers).every((value) => value === ''));
});

t.test('answers a problem for an unknown device, with the status that was chosen', async (t) => {
  for (const unknownDeviceStatus of [404, 500] as const) {
    const { app } = createEmulators(t, { mobilerun: { unknownDeviceStatus } });
    const ids = ['unknown', 'constructor', 'a/b', 'x'.repeat(1_000), 'ü'];
    for (const id of ids) {
      const response = await app.inject(mobilerunLookup(id));
      t.match(response.headers['content-type'], /^application\/problem\+json/);
      t.match(response.json(), { status: unknownDeviceStatus, title: String, detail: 'device not found' });
      t.equal(response.statusCode, unknownDeviceStatus);
    }
  }
});

t.test('names the unsupported feature, with the status that was chosen', async (t) => {
  for (const unsupportedStatus of [undefined, 422, 501]) {
    const options = unsupportedStatus === undefined ? {} : { unsupportedStatus };
    const { app } = createEmulators(t, { mobilerun: options });
    const response = await app.inject(mobilerunLookup('unsupported'));
    t.equal(response.statusCode, unsupportedStatus ?? 404);
    t.match(response.json().detail, /unsupported feature/);
  }
});

t.test('answers like a bare Go server on wrong paths', async (t) => {
  const { app } = createEmulators(t);
  const paths = [
    '/devices/active/fingerprint',
    '/v1/devices',
    '/v1/devices/active',
    '/v1/devices//fingerprint',
    '/v1/devices/active/fingerprint/more',
  ];
  for (const url of paths) {
    const response = await app.inject({ ...mobilerunLookup('active'), url });
    t.equal(response.statusCode, 404, url);
    t.match(response.headers['content-type'], /^text\/plain/);
    t.equal(response.body, '404 page not found\n');
  }
  const post = await app.inject({ ...mobilerunLookup('active'), method: 'POST' });
  t.equal(post.statusCode, 405);
});

t.test('answers 401 without a bearer token and with a wrong one', async (t) => {
  const { app } = createEmulators(t, { mobilerun: { credentials: { apiKey: 'dr_sk_1' } } });
  const ask = async (headers: Record<string, string>) =>
    (await app.inject({ ...mobilerunLookup('active'), headers })).statusCode;
  t.equal(await ask({ authorization: 'Bearer dr_sk_1' }), 200);
  t.equal(await ask({ authorization: 'Bearer dr_sk_2' }), 401);
  t.equal(await ask({ authorization: 'Basic eDp5' }), 401);
  t.equal(await ask({}), 401);
});

t.test('answers 422 to a display id that is no integer of at least 0', async (t) => {
  const { app } = createEmulators(t);
  const ask = async (displayId: string) => {
    const lookup = mobilerunLookup('active');
    return app.inject({ ...lookup, headers: { ...lookup.headers, 'x-device-display-id': displayId } });
  };
  t.equal((await ask('0')).statusCode, 200);
  t.equal((await ask('12')).statusCode, 200);
  for (const displayId of ['-1', '1.5', 'abc', '', '9223372036854775808']) {
    const response = await ask(displayId);
    t.equal(response.statusCode, 422, displayId);
    t.match(response.json().errors, [{ location: 'header.X-Device-Display-ID', message: String }]);
  }
});

t.test('answers error-<status> with a problem of that status', async (t) => {
  const { app } = createEmulators(t);
  for (const status of [402, 403, 409, 422, 503]) {
    const response = await app.inject(mobilerunLookup(`error-${status}`));
    t.equal(response.statusCode, status);
    t.match(response.json(), { status, title: String, detail: String });
  }
  t.equal((await app.inject(mobilerunLookup('error-200'))).statusCode, 404);
});
