import t, { type Test } from 'tap';
import { createTestApp, KEYS, startEmulators } from '../support/test-app.ts';

const emulators = await startEmulators(t);
const ID = '01a1f965-b26f-7696-8202-c426ccf51e1b';
const OTHER = '01a1f965-b26f-7696-8202-c426ccf51e1c';
const QUEUES = '/v1/review/queues';
const CLAIMS = '/v1/review/claims';

interface Claims {
  readonly claims: readonly { readonly decision_id: string; readonly is_mine: boolean }[];
}

interface Asked {
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

async function open(t: Test) {
  const { app } = await createTestApp(t, { emulators });
  const ask = async <Body>(method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, asked: Asked = {}) => {
    const { key = KEYS.all, headers = {}, body } = asked;
    const authorization = key === null ? {} : { authorization: `Bearer ${key}` };
    const answer = await app.server.inject({
      method,
      url,
      headers: { ...headers, ...authorization },
      ...(body && { payload: body }),
    });
    return { status: answer.statusCode, headers: answer.headers, json: answer.json<Body>() };
  };
  return { ask };
}

t.test('keeps queues under the name of the key that saved them', async (t) => {
  const app = await open(t);
  t.same((await app.ask('GET', QUEUES)).json, { queues: [], kept_in: 'process' });
  const filters = { decision: 'CHALLENGE', label: 'none', device: `#${'a'.repeat(32)}` };
  const put = await app.ask('PUT', QUEUES, { key: KEYS.review, body: { name: 'To do', filters } });
  t.equal(put.status, 200);
  t.match(put.json, { queue: { name: 'To do', filters, saved_by: 'review' } });
  t.match((await app.ask('GET', QUEUES, { key: KEYS.read })).json, { queues: [{ name: 'To do', filters }] });
  const remove = () => app.ask('DELETE', `${QUEUES}?name=To+do`, { key: KEYS.review });
  t.same((await remove()).json, { removed: 'To do' });
  t.equal((await remove()).status, 404);
});

t.test('refuses identifiers, and what is no filter', async (t) => {
  const app = await open(t);
  const bodies = [
    { name: 'a', filters: { device_id: 'raw' } },
    { name: 'a', filters: { ip: '203.0.113.9' } },
    { name: 'a', filters: { subject: 'raw' } },
    { name: 'a', filters: { device: 'raw' } },
    { name: 'a', filters: { decision: 'MAYBE' } },
    { name: 'a', filters: { limit: '1' } },
    { name: '', filters: {} },
    { name: 'x'.repeat(61), filters: {} },
    { name: 'of me@example.com', filters: {} },
    { name: 'a\u0000', filters: {} },
  ];
  for (const body of bodies) {
    const { status, json } = await app.ask('PUT', QUEUES, { key: KEYS.review, body });
    t.equal(status, 400, JSON.stringify(body));
    t.notMatch(JSON.stringify(json), 'me@example.com');
  }
});

t.test('gives a decision to one of two who ask at once', async (t) => {
  const app = await open(t);
  const claim = (key: string, ids: readonly string[]) =>
    app.ask<Claims>('POST', CLAIMS, { key, body: { decision_ids: ids } });
  const [one, two] = await Promise.all([claim(KEYS.review, [ID]), claim(KEYS.admin, [ID])]);
  t.same([one.status, two.status], [200, 200]);
  const owners = [one, two].filter(({ json }) => json.claims[0]?.is_mine === true);
  t.equal(owners.length, 1);
  t.match((await claim(KEYS.review, [OTHER])).json, { claims: [{ decision_id: OTHER, name: 'review' }] });
  const seen = (await app.ask<Claims>('GET', CLAIMS, { key: KEYS.read })).json.claims;
  t.same(seen.map(({ decision_id: id }) => id).sort(), [ID, OTHER]);
  t.notOk(seen.some(({ is_mine: isMine }) => isMine));
  t.equal((await app.ask('DELETE', `${CLAIMS}/${OTHER}`, { key: KEYS.admin })).status, 200);
  t.match((await claim(KEYS.admin, [OTHER])).json, { claims: [{ is_mine: false }] }, 'it was not theirs');
  t.equal((await app.ask('DELETE', `${CLAIMS}/${OTHER}`, { key: KEYS.review })).status, 200);
  t.match((await claim(KEYS.admin, [OTHER])).json, { claims: [{ is_mine: true }] });
  for (const ids of [[], ['raw'], Array.from({ length: 51 }, () => ID)])
    t.equal((await claim(KEYS.review, ids)).status, 400);
});

t.test('tells two who signed in with one key apart', async (t) => {
  const app = await open(t);
  const claimants: { readonly is_mine?: boolean }[] = [];
  for (let browser = 0; browser < 2; browser += 1) {
    const opened = await app.ask('POST', '/v1/session', { key: KEYS.review });
    const cookie = String(opened.headers['set-cookie']).split(';')[0] ?? '';
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    const body = { decision_ids: [ID] };
    const { json } = await app.ask<Claims>('POST', CLAIMS, { key: null, headers, body });
    claimants.push(json.claims[0] ?? {});
  }
  t.same(
    claimants.map(({ is_mine: isMine }) => isMine),
    [true, false],
  );
});

t.test('lets nobody act who may read alone', async (t) => {
  const app = await open(t);
  const asked = [
    app.ask('PUT', QUEUES, { key: KEYS.read, body: { name: 'a', filters: {} } }),
    app.ask('DELETE', `${QUEUES}?name=a`, { key: KEYS.read }),
    app.ask('POST', CLAIMS, { key: KEYS.read, body: { decision_ids: [ID] } }),
    app.ask('DELETE', `${CLAIMS}/${ID}`, { key: KEYS.read }),
    app.ask('GET', QUEUES, { key: KEYS.decide }),
  ];
  for (const { status } of await Promise.all(asked)) t.equal(status, 403);
});
