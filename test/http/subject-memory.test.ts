import t from 'tap';
import { createManualClock, createTestApp, KEYS, type TestApp } from '../support/test-app.ts';

const IDS = { telemetry_id: 'challenge', device_id: 'active', account_id: 'acct_memory', ip: '203.0.113.9' };

interface Memory {
  readonly lists: readonly { readonly list: string; readonly entry: Readonly<Record<string, unknown>> }[];
  readonly step_ups: readonly Readonly<Record<string, unknown>>[] | null;
}

async function memoryOf(app: TestApp, field: keyof typeof IDS): Promise<Memory> {
  const found = await app.refused({ [field]: IDS[field] }, { url: '/v1/subjects/find', key: KEYS.read });
  const { part, hashes } = found.json as unknown as { part: string; hashes: { hash: string }[] };
  const url = `/v1/subjects/${part}/${hashes[0]?.hash}/memory`;
  const { status, json, text } = await app.ask<Memory>('GET', url, { key: KEYS.read });
  t.equal(status, 200, field);
  t.notMatch(text, /acct_memory|203\.0\.113/, 'no identifier');
  return json;
}

t.test('tells the lists that a subject is on, and the challenges that it completed', async (t) => {
  const clock = createManualClock();
  const app = await createTestApp(t, { clock });
  t.strictSame((await memoryOf(app, 'device_id')).lists, []);
  t.strictSame((await memoryOf(app, 'device_id')).step_ups, []);
  const put = (body: object) =>
    app.refused(body, { method: 'PUT', url: '/v1/lists/watched/entries', key: KEYS.review });
  const expires = new Date(clock.nowMs() + 60_000).toISOString();
  t.equal((await put({ device_id: IDS.device_id, note: 'sold on', expires_at: expires })).status, 200);
  t.equal((await put({ ip: IDS.ip })).status, 200);
  const { telemetry_id, device_id, account_id } = IDS;
  const stepUp = { telemetry_id, device_id, account_id, method: 'otp' };
  t.equal((await app.refused(stepUp, { url: '/v1/step-ups', key: KEYS.decide })).status, 200);

  const device = await memoryOf(app, 'device_id');
  t.match(device.lists, [{ list: 'watched', entry: { note: 'sold on', expires_at: expires } }]);
  t.match(device.step_ups, [{ method: 'otp', acr: null, devices: [/^[0-9a-f]{32}$/] }]);
  t.match((await memoryOf(app, 'account_id')).step_ups, device.step_ups);
  t.match((await memoryOf(app, 'telemetry_id')).step_ups, device.step_ups);
  t.match(await memoryOf(app, 'ip'), { lists: [{ list: 'watched' }], step_ups: [] });
  clock.advance(60_000);
  t.strictSame((await memoryOf(app, 'device_id')).lists, [], 'an entry that has expired is not told');
});

t.test('refuses what is no part or no hash, and who may not read', async (t) => {
  const app = await createTestApp(t);
  const hash = 'a'.repeat(32);
  t.equal((await app.ask('GET', '/v1/subjects/device/short/memory', { key: KEYS.read })).status, 400);
  t.equal((await app.ask('GET', `/v1/subjects/person/${hash}/memory`, { key: KEYS.read })).status, 400);
  t.equal((await app.ask('GET', `/v1/subjects/device/${hash}/memory`, { key: KEYS.decide })).status, 403);
});
