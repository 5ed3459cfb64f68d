import t from 'tap';
import { fillLists } from '../../src/emulators/demo-lists.ts';
import { deviceOf } from '../../src/emulators/traffic-subjects.ts';
import { createTestApp, KEYS } from '../support/test-app.ts';

t.test('puts on lists what the traffic of the demo meets', async (t) => {
  const app = await createTestApp(t);
  await fillLists(`http://127.0.0.1:${await app.listen()}`, KEYS.admin);
  const reasonsOf = async (body: object) =>
    (await app.decide({ telemetry_id: 'allow', ...body })).json.reasons.map(({ code }) => code);
  t.ok((await reasonsOf({ device_id: deviceOf(8), account_id: 'acct_8' })).includes('LISTED_BLOCKED'));
  t.ok((await reasonsOf({ device_id: deviceOf(7), account_id: 'acct_7' })).includes('LISTED_WATCHED'));
  t.ok((await reasonsOf({ device_id: 'active', ip: '198.51.100.9' })).includes('LISTED_BLOCKED'));
});
