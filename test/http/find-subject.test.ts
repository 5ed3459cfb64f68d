import t from 'tap';
import { createTestApp, KEYS, type TestApp } from '../support/test-app.ts';

interface Found {
  readonly part: string;
  readonly hashes: readonly { readonly hash_key: string; readonly hash: string }[];
}

const IDS = {
  telemetry_id: 'canary-telemetry',
  device_id: 'canary-device',
  account_id: 'canary-account',
  ip: '2001:db8::7',
};

async function find(app: TestApp, body: object, key: string = KEYS.read) {
  const { status, text, json } = await app.refused(body, { url: '/v1/subjects/find', key });
  return { status, text, json: json as unknown as Found };
}

t.test('an identifier leads to the subject of the decisions that named it', async (t) => {
  const app = await createTestApp(t, {
    env: { ID_HASH_KEY: '', ID_HASH_KEYS: `${'n'.repeat(32)},${'o'.repeat(32)}` },
  });
  await app.decide(IDS);
  for (const [field, id] of Object.entries({ ...IDS, ip: '2001:DB8:0::7' })) {
    const { status, json, text } = await find(app, { [field]: id });
    t.equal(status, 200, field);
    t.notMatch(text, /canary|2001/, 'it is not said again');
    const [inForce, older] = json.hashes;
    t.not(inForce?.hash, older?.hash, 'under each hash key');
    const url = `/v1/subjects/${json.part}/${inForce?.hash}`;
    t.match((await app.ask('GET', url, { key: KEYS.read })).json, { total: 1 }, field);
  }
});

t.test('refuses none, several, what is no address, and who may not read', async (t) => {
  const app = await createTestApp(t);
  const { device_id, account_id } = IDS;
  for (const body of [{}, { device_id, account_id }, { ip: 'canary' }, { device_id: '' }, { visitor: 'x' }]) {
    const { status, text } = await find(app, body);
    t.equal(status, 400, JSON.stringify(body));
    t.notMatch(text, /canary/);
  }
  const { status } = await find(app, { device_id }, KEYS.decide);
  t.equal(status, 403);
});
