import t from 'tap';
import { createTestApp, startEmulators } from '../support/test-app.ts';

const POLICY = `
policy: addresses
otherwise: ALLOW
rules:
  - { id: four, when: 'request.ip == "203.0.113.9"', verdict: BLOCK, reason: FOUR, on_unknown: IGNORE }
  - { id: six, when: 'request.ip == "2001:db8::1"', verdict: BLOCK, reason: SIX, on_unknown: IGNORE }
`;
const emulators = await startEmulators(t);
const app = await createTestApp(t, { emulators, policy: POLICY });
const GOOD = { telemetry_id: 'allow', device_id: 'active' };

for (const ip of ['203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109', '203.0.113.9:5431'])
  t.test(`a rule about 203.0.113.9 is about ${ip}`, async (t) => {
    t.match((await app.decide({ ...GOOD, ip })).json, { decision: 'BLOCK', reasons: [{ code: 'FOUR' }] });
  });

for (const ip of ['2001:DB8::1', '2001:0db8::0001', '[2001:db8::1]:443', '2001:db8::1%eth0'])
  t.test(`a rule about 2001:db8::1 is about ${ip}`, async (t) => {
    t.match((await app.decide({ ...GOOD, ip })).json, { decision: 'BLOCK', reasons: [{ code: 'SIX' }] });
  });

t.test('another address is another one', async (t) => {
  t.match((await app.decide({ ...GOOD, ip: '203.0.113.8' })).json, { decision: 'ALLOW' });
});

t.test('an address that cannot be read is a mistake of the caller', async (t) => {
  for (const ip of ['010.0.0.1', '203.0.113.9, 198.51.100.1', 'unknown', '203.0.113.0/24', ''])
    t.match((await app.refused({ ...GOOD, ip })).json, { status: 400, errors: [{ pointer: '/ip' }] }, ip);
});
