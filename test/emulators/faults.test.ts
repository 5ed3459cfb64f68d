import t from 'tap';
import { SHARED_FAULT_IDS } from '../../src/providers/emulator-faults.ts';
import { createEmulators, EMULATED } from './emulated-providers.ts';

const WIRE_FAULT_IDS: readonly string[] = ['fault-hang', 'fault-stall', 'fault-drip', 'fault-reset'];

t.equal(EMULATED.length, 3);

for (const { id: provider, lookup } of EMULATED) {
  t.test(`${provider} knows every shared fault that is a whole message`, async (t) => {
    const { app } = createEmulators(t);
    const notFound = (await app.inject(lookup('no-such-fault'))).body;
    for (const id of SHARED_FAULT_IDS.filter((id) => !WIRE_FAULT_IDS.includes(id))) {
      const { body } = await app.inject(lookup(id));
      t.not(withoutRequestId(body), withoutRequestId(notFound), id);
    }
  });

  t.test(`${provider} answers status faults with bodies of the announced kind`, async (t) => {
    const { app } = createEmulators(t);
    const expected = {
      'fault-500': [500, /json/],
      'fault-401': [401, /json/],
      'fault-429': [429, /json/],
      'fault-503-html': [503, /text\/html/],
      'fault-wrong-type': [200, /text\/html/],
      'fault-empty-200': [200, /json/],
      'fault-route-not-found': [404, provider === 'stytch' ? /json/ : /text\//],
    } as const;
    for (const [id, [status, type]] of Object.entries(expected)) {
      const response = await app.inject(lookup(id));
      t.equal(response.statusCode, status, id);
      t.match(response.headers['content-type'], type, id);
    }
    const badGateway = await app.inject(lookup('fault-502-empty'));
    t.strictSame([badGateway.statusCode, badGateway.body], [502, '']);
  });

  t.test(`${provider} sends Retry-After only where it is asked for`, async (t) => {
    const { app } = createEmulators(t);
    const retryAfter = async (id: string) => (await app.inject(lookup(id))).headers['retry-after'];
    t.equal(await retryAfter('fault-429'), undefined);
    t.equal(await retryAfter('fault-429-retry-after'), '1');
    t.equal(await retryAfter('fault-429-retry-after-3600'), '3600');
    t.ok(Date.parse(String(await retryAfter('fault-429-retry-after-date'))) > Date.now());
  });

  t.test(`${provider} sends valid JSON under the wrong type and cut JSON under the right one`, async (t) => {
    const { app } = createEmulators(t);
    t.type((await app.inject(lookup('fault-wrong-type'))).json(), 'object');
    const { body, headers } = await app.inject(lookup('fault-truncated'));
    t.equal(Number(headers['content-length']), Buffer.byteLength(body));
    t.throws(() => JSON.parse(body), SyntaxError);
  });

  t.test(`${provider} sends more than 256 KiB of valid JSON, with and without a length`, async (t) => {
    const { app } = createEmulators(t);
    const known = await app.inject(lookup('fault-oversized'));
    t.ok(Number(known.headers['content-length']) > 256 * 1024);
    t.type(known.json().padding, 'string');
    const chunked = await app.inject(lookup('fault-oversized-chunked'));
    t.equal(chunked.headers['content-length'], undefined);
    t.ok(chunked.body.length > 256 * 1024);
  });

  t.test(`${provider} redirects to a good answer`, async (t) => {
    const { app } = createEmulators(t);
    for (const [id, status] of [
      ['fault-redirect', 302],
      ['fault-redirect-307', 307],
    ] as const) {
      const response = await app.inject(lookup(id));
      t.equal(response.statusCode, status);
      const followed = await app.inject({
        url: String(response.headers.location),
        headers: lookup('active').headers,
      });
      t.equal(followed.statusCode, 200);
    }
  });

  t.test(`${provider} fails as often as a flaky id says, succeeds, and starts over`, async (t) => {
    const { app } = createEmulators(t);
    const ask = async (id: string) => (await app.inject(lookup(id))).statusCode;
    const statuses = [];
    for (let call = 0; call < 6; call += 1) statuses.push(await ask('fault-flaky-2'));
    t.strictSame(statuses, [503, 503, 200, 503, 503, 200]);
    t.strictSame(
      [await ask('fault-flaky-1-a'), await ask('fault-flaky-1-b'), await ask('fault-flaky-1-a')],
      [503, 503, 200],
      'ids with different suffixes count apart',
    );
  });

  t.test(`${provider} answers a slow id well after all, whatever its suffix`, async (t) => {
    const { app } = createEmulators(t);
    for (const id of ['fault-slow-1', 'fault-slow-0-any-suffix']) {
      const response = await app.inject(lookup(id));
      t.equal(response.statusCode, 200);
    }
    t.equal(
      (await app.inject(lookup('fault-slow-123456'))).statusCode,
      404,
      'more than five digits are unknown',
    );
  });

  t.test(`${provider} adds fields and values that no reference lists`, async (t) => {
    const { app } = createEmulators(t);
    const response = await app.inject(lookup('fault-unknown-fields'));
    t.equal(response.statusCode, 200);
    t.match(response.body, /a_later_year|OfALaterYear/i);
  });
}

/** The answers of Stytch differ by their request id alone. */
function withoutRequestId(body: string): string {
  return body.replace(/request-id-test-[0-9a-f-]+/, '');
}
