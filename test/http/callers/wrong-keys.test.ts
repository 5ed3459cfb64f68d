import t from 'tap';
import { createWrongKeys } from '../../../src/http/callers/wrong-keys.ts';
import { createManualClock, createTestApp, KEYS, startEmulators } from '../../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active' };
const MAX = 3;
const emulators = await startEmulators(t);
const clock = createManualClock();
const app = await createTestApp(t, { emulators, clock, env: { WRONG_KEYS_PER_MINUTE: String(MAX) } });
const guess = (address: string) => app.refused(GOOD, { key: 'wrong', address });

t.test('slows whoever tries wrong keys, and takes right ones from the same address', async (t) => {
  const address = '192.0.2.7';
  for (let count = 0; count < MAX; count += 1) t.equal((await guess(address)).status, 401);
  const { status, headers, json } = await guess(address);
  t.equal(status, 429);
  t.equal(json.code, 'rate_limited');
  t.equal(headers['retry-after'], '60');
  t.equal((await app.refused(GOOD, { key: null, address })).status, 429, 'no key is a wrong key');
  t.equal((await app.decide(GOOD, { key: KEYS.decide, address })).status, 200);
  t.equal((await guess('192.0.2.8')).status, 401, 'another address');
  t.match(
    app.logs.find(({ event }) => event === 'request.refused'),
    { reason: 'wrong_keys', caller: null },
  );
  t.notMatch(app.logText(), address);
  clock.advance(60_000);
  t.equal((await guess(address)).status, 401, 'the next minute');
});

t.test('believes no header about the address', async (t) => {
  const address = '192.0.2.9';
  const headers = { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=198.51.100.1' };
  for (let count = 0; count < MAX; count += 1) await app.refused(GOOD, { key: 'wrong', address, headers });
  const other = { 'x-forwarded-for': '198.51.100.2' };
  t.equal((await app.refused(GOOD, { key: 'wrong', address, headers: other })).status, 429);
});

/** Addresses of one network, and one that is outside of it. */
const NETWORKS = [
  ['2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:2::1'],
  ['192.0.2.20', '::ffff:192.0.2.20', '192.0.2.21'],
] as const;

for (const [first, same, other] of NETWORKS) {
  t.test(`takes ${first} and ${same} for one`, async (t) => {
    for (let count = 0; count < MAX; count += 1) await guess(first);
    t.equal((await guess(same)).status, 429);
    t.equal((await guess(other)).status, 401);
  });
}

t.test('remembers a bounded number of addresses', async (t) => {
  const wrongKeys = createWrongKeys({ clock, max: 1 });
  wrongKeys.note('first');
  for (let count = 0; count < 10_000; count += 1) wrongKeys.note(`10.${count >> 8}.${count & 255}.1`);
  t.equal(wrongKeys.note('first'), null, 'the oldest is forgotten');
});
