import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ListEntryRecord } from '../../src/domain/decision-log/event-record.ts';
import { startRedisServer } from '../support/redis-server.ts';
import {
  type AskOptions,
  createDirectory,
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  type TestAppOptions,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const redis = await startRedisServer(t);
const BODY = { telemetry_id: 'allow', device_id: 'active', account_id: 'canary-account', ip: '203.0.113.77' };

interface PutBody {
  readonly entry: ListEntryRecord;
  readonly replaced: boolean;
}

interface ImportBody {
  readonly lines: number;
  readonly put: number;
  readonly replaced: number;
  readonly refused: readonly { readonly line: number; readonly detail: string }[];
}

async function send<Body>(app: TestApp, options: AskOptions & { body?: unknown }) {
  const { method = 'PUT', url = '', key = KEYS.all, headers = {}, body } = options;
  const response = await app.app.server.inject({
    method,
    url,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.statusCode, json: response.json<Body>(), text: response.body };
}

const put = (app: TestApp, list: string, body: object, key?: string) =>
  send<PutBody>(app, { url: `/v1/lists/${list}/entries`, body, ...(key === undefined ? {} : { key }) });

const importText = (app: TestApp, list: string, body: string, type = 'text/csv') =>
  send<ImportBody>(app, {
    method: 'POST',
    url: `/v1/lists/${list}/import`,
    body,
    headers: { 'content-type': type },
  });

async function reasonsOf(app: TestApp, body: object = BODY): Promise<readonly string[]> {
  const { json } = await app.decide(body);
  return json.reasons.map(({ code, verdict, certain }) => `${code} ${verdict} ${certain}`);
}

/** The replicas of one service. */
async function openReplicas(t: Test, options: TestAppOptions = {}): Promise<readonly [TestApp, TestApp]> {
  await redis.restart();
  const emulators = await startEmulators(t);
  const env = {
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '2000',
    DECISION_DEADLINE_MS: '5000',
    ...options.env,
  };
  const here = await createTestApp(t, { emulators, ...options, env });
  const there = await createTestApp(t, { emulators, ...options, env });
  await Promise.all([untilRedisIsUp(here), untilRedisIsUp(there)]);
  return [here, there];
}

const VALUES: readonly (readonly [field: string, value: string | number])[] = [
  ['device_id', 'active'],
  ['account_id', 'canary-account'],
  ['telemetry_id', 'allow'],
  ['ip', '203.0.113.77'],
  ['ip', '203.0.113.0/24'],
  ['asn', 64_496],
  ['country', 'AU'],
];

for (const [field, value] of VALUES) {
  t.test(`blocks by ${field} ${String(value)}, until the entry is removed`, async (t) => {
    const app = await createTestApp(t);
    t.same(await reasonsOf(app), []);
    const { status, json } = await put(app, 'blocked', { [field]: value });
    t.equal(status, 200);
    t.match(json, {
      list: 'blocked',
      replaced: false,
      entry: { added_by: 'all', expires_at: null, note: null },
    });
    t.same(await reasonsOf(app), ['LISTED_BLOCKED BLOCK true']);
    const removed = await app.ask('DELETE', `/v1/lists/blocked/entries/${json.entry.id}`);
    t.match(removed, { status: 200, json: { removed: json.entry.id } });
    t.same(await reasonsOf(app), []);
    t.equal((await app.ask('DELETE', `/v1/lists/blocked/entries/${json.entry.id}`)).status, 404);
  });
}

t.test('blocks the visitor of a decision by its hash, as the record shows it', async (t) => {
  const app = await createTestApp(t);
  const { json } = await app.decide(BODY);
  const record = await app.ask<{ subject: { visitor: string } }>('GET', `/v1/decisions/${json.decision_id}`);
  t.match(record.json.subject.visitor, /^[0-9a-f]{32}$/);
  t.equal((await put(app, 'blocked', { visitor: `#${record.json.subject.visitor}` })).status, 200);
  t.same(await reasonsOf(app), ['LISTED_BLOCKED BLOCK true']);
  await app.ask('DELETE', `/v1/lists/blocked/entries/visitor-${record.json.subject.visitor}`);
  const raw = 'visitor-fingerprint-6ecf5792-1157-41ad-9ad6-052d31160cee';
  t.match((await put(app, 'blocked', { visitor: raw })).json, {
    entry: { value: record.json.subject.visitor },
  });
});

t.test('blocks an id in every spelling that a provider may take for the same', async (t) => {
  const app = await createTestApp(t);
  await put(app, 'blocked', { device_id: 'ACTIVE' });
  t.same(await reasonsOf(app), ['LISTED_BLOCKED BLOCK true']);
  const { json } = await app.ask<{ entries: ListEntryRecord[] }>('GET', '/v1/lists/blocked/entries');
  const decided = await app.decide(BODY);
  const record = await app.ask<{ subject: { devices: string[] } }>(
    'GET',
    `/v1/decisions/${decided.json.decision_id}`,
  );
  t.same(record.json.subject.devices, [json.entries[0]?.value], 'so is the hash of its record');
  await put(app, 'watched', { account_id: 'CANARY-account' });
  t.same(await reasonsOf(app), ['LISTED_BLOCKED BLOCK true'], 'accounts of another spelling are others');
});

t.test('shows a watched subject as a reason without effect, and trusts nobody by itself', async (t) => {
  const app = await createTestApp(t);
  await put(app, 'watched', { device_id: 'active', note: 'look at it' });
  await put(app, 'trusted', { device_id: 'active' });
  const { json } = await app.decide(BODY);
  t.equal(json.decision, 'ALLOW');
  t.match(json.reasons, [{ code: 'LISTED_WATCHED', verdict: 'ALLOW', certain: true }]);
  t.equal(json.reasons.length, 1);
  t.same(json.waivers, []);
  const record = await app.ask<{ lists: unknown }>('GET', `/v1/decisions/${json.decision_id}`);
  t.match(record.json.lists, { watched: { device: true }, blocked: { device: false } });
  const { json: explained } = await app.decide(BODY, { url: '/v1/decide?explain=full' });
  t.match(Object(explained).explanation.signals.lists, { entries: [/^watched\/device-[0-9a-f]{32}$/] });
});

t.test('is obeyed by all replicas, survives their restart, and forgets with the subject', async (t) => {
  const [here, there] = await openReplicas(t);
  await put(here, 'blocked', { device_id: 'active' });
  await until('the other replica obeys', async () =>
    (await reasonsOf(there)).includes('LISTED_BLOCKED BLOCK true'),
  );
  const [again] = [
    await createTestApp(t, {
      env: { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '2000' },
      emulators: here.emulators,
    }),
  ];
  await until('a new one too', async () => (await reasonsOf(again)).includes('LISTED_BLOCKED BLOCK true'));
  const forget = (query: string) =>
    there.ask<{ forgotten: object }>('DELETE', `/v1/subjects?device_id=active${query}`, { key: KEYS.admin });
  t.notOk('lists' in (await forget('')).json.forgotten, 'lists are left alone unless it is asked for');
  t.match((await forget('&lists=true')).json, { forgotten: { lists: 1 } });
  await until('nobody blocks it', async () => !(await reasonsOf(here)).includes('LISTED_BLOCKED BLOCK true'));
});

t.test('keeps blocking when Redis comes back empty, and writes the lists back', async (t) => {
  const [here] = await openReplicas(t);
  await put(here, 'blocked', { device_id: 'active' });
  await redis.restart();
  await until('it is told', () => here.events().includes('lists.restored'));
  t.ok(here.events().includes('lists.lost'));
  t.ok((await reasonsOf(here)).includes('LISTED_BLOCKED BLOCK true'));
  t.match(await redis.command(['HLEN', 'riskgate:v1:{lists}:entries']), ':1');
  t.notMatch(here.logText(), /canary/);
});

t.test('keeps lists in a file over a restart, and names nobody in it', async (t) => {
  const file = join(createDirectory(t), 'lists.journal');
  const emulators = await startEmulators(t);
  const open = () => createTestApp(t, { emulators, env: { LISTS_FILE: file } });
  const first = await open();
  await put(first, 'blocked', { account_id: 'canary-account', note: 'one of them' });
  await first.close();
  const second = await open();
  t.same(await reasonsOf(second), ['LISTED_BLOCKED BLOCK true']);
  t.notMatch(readFileSync(file, 'utf8') + second.logText(), /canary/);
  t.notOk(second.events().includes('lists.not_kept'));
  const memory = await createTestApp(t, { emulators });
  t.ok(memory.events().includes('lists.not_kept'), 'memory alone is told');
  const directory = createDirectory(t);
  const third = await createTestApp(t, { emulators, env: { DATA_DIR: directory } });
  await put(third, 'blocked', { asn: 1 });
  t.match(readFileSync(join(directory, 'lists.journal'), 'utf8'), /^riskgate lists 1\n/);
});

t.test('records every change with who made it, and tells it in the log', async (t) => {
  const app = await createTestApp(t);
  const { json } = await put(app, 'blocked', { device_id: 'canary-device', note: 'case 7' }, KEYS.admin);
  await app.ask('DELETE', `/v1/lists/blocked/entries/${json.entry.id}`);
  const exported = async () => (await app.ask('GET', '/v1/decisions/export')).text.trim().split('\n');
  await until('both are recorded', async () => (await exported()).length === 2);
  const [removed, added] = (await exported()).map((line) => JSON.parse(line));
  t.match(added, {
    event: 'list_changed',
    change: 'put',
    list: 'blocked',
    caller: 'admin',
    entries: [json.entry],
  });
  t.match(removed, {
    event: 'list_changed',
    change: 'removed',
    caller: 'all',
    entries: [{ note: 'case 7' }],
  });
  t.notMatch(`${(await exported()).join('')}${app.logText()}`, /canary-device/);
  const changes = app.logs.filter(({ event }) => event === 'lists.changed');
  t.match(changes, [{ list: 'blocked', change: 'put', entries: 1, caller: 'admin' }, { change: 'removed' }]);
});

t.test('lets keys read and change lists by their scopes', async (t) => {
  const app = await createTestApp(t);
  const ask = async (key: string) => [
    (await app.ask('GET', '/v1/lists', { key })).status,
    (await app.ask('GET', '/v1/lists/blocked/entries', { key })).status,
    (await app.ask('GET', '/v1/lists/blocked/export', { key })).status,
    (await put(app, 'blocked', { asn: 1 }, key)).status,
    (await app.ask('DELETE', '/v1/lists/blocked/entries/asn-1', { key })).status,
  ];
  t.same(await ask(KEYS.review), [200, 200, 200, 200, 200]);
  t.same(await ask(KEYS.admin), [200, 200, 200, 200, 200], 'admin includes review');
  t.same(await ask(KEYS.read), [200, 200, 200, 403, 403]);
  t.same(await ask(KEYS.decide), [403, 403, 403, 403, 403]);
  const { json } = await app.decide(BODY);
  const label = (key: string) =>
    send(app, {
      method: 'POST',
      url: `/v1/decisions/${json.decision_id}/outcome`,
      key,
      body: { label: 'fraud' },
    });
  t.same(
    [(await label(KEYS.review)).status, (await label(KEYS.decide)).status],
    [200, 200],
    'both may label',
  );
  t.equal((await label(KEYS.read)).status, 403);
});

t.test('refuses what can be on no list, and says why', async (t) => {
  const app = await createTestApp(t);
  const refusals: readonly (readonly [body: object, expected: object])[] = [
    [{}, { detail: /exactly one of device_id/ }],
    [{ device_id: 'a', account_id: 'b' }, { detail: /exactly one of/ }],
    [
      { device_id: '#nonsense' },
      { errors: [{ pointer: '/device_id', detail: 'is no hash of 32 hex digits' }] },
    ],
    [{ ip: '203.0.113.5/24' }, { errors: [{ pointer: '/ip' }] }],
    [{ ip: '2001:db8::/80' }, { errors: [{ pointer: '/ip', detail: /prefix above 64/ }] }],
    [{ ip: 'nowhere' }, { errors: [{ pointer: '/ip', detail: 'is no address' }] }],
    [{ country: 'D1' }, { errors: [{ pointer: '/country' }] }],
    [{ asn: 0 }, { errors: [{ pointer: '/asn' }] }],
    [{ asn: 1, expires_at: '2020-01-01T00:00:00Z' }, { errors: [{ pointer: '/expires_at' }] }],
    [
      { asn: 1, note: 'mail a@example.com' },
      { errors: [{ pointer: '/note', detail: 'must hold no identifier' }] },
    ],
    [{ device_id: 'dev-1', note: 'it is dev-1' }, { errors: [{ pointer: '/note' }] }],
    [{ device_id: `#${'0'.repeat(32)}`, hash_key: 'ffff0000' }, { errors: [{ pointer: '/hash_key' }] }],
    [{ asn: 1, more: 2 }, { errors: [{}] }],
  ];
  for (const [body, expected] of refusals)
    t.match(await put(app, 'blocked', body), { status: 400, json: expected }, JSON.stringify(body));
  t.match(await put(app, 'blokced', { asn: 1 }), {
    status: 404,
    json: { detail: /Did you mean "blocked"\?/ },
  });
  t.match(await put(app, 'vip', { asn: 1 }), {
    status: 404,
    json: { detail: /names blocked, trusted, watched/ },
  });
  for (const id of ['nonsense', 'device-xyz', 'asn-2', 'network-1-2-3-0-24'])
    t.equal((await app.ask('DELETE', `/v1/lists/blocked/entries/${id}`)).status, 404, id);
  t.equal((await app.ask('GET', '/v1/lists/nothing/entries')).status, 404);
  t.equal((await app.ask('GET', '/v1/lists/nothing/export')).status, 404);
});

t.test('bounds how many entries there are', async (t) => {
  const app = await createTestApp(t, { env: { LISTS_ENTRIES_MAX: '2' } });
  for (const asn of [1, 2]) t.equal((await put(app, 'blocked', { asn })).status, 200);
  t.match(await put(app, 'blocked', { asn: 3 }), { status: 409, json: { detail: /LISTS_ENTRIES_MAX is 2/ } });
});

t.test('imports a file a piece at a time, and tells each bad line', async (t) => {
  const app = await createTestApp(t);
  const good = Array.from({ length: 2_500 }, (_, serial) => `dev-${serial},"fleet ""A"", moved",`);
  const text = [
    'device_id,note,ip',
    ...good,
    ',"two\nlines",203.0.113.0/24',
    'one,,1.2.3.4',
    'short',
    ',,',
    '',
  ].join('\r\n');
  const { status, json } = await importText(app, 'blocked', `\uFEFF${text}`);
  t.equal(status, 200);
  t.match(json, { lines: 2_504, put: 2_501, replaced: 0 });
  t.match(json.refused, [
    { line: 2_504, detail: /Give exactly one of/ },
    { line: 2_505, detail: 'has other cells than the first line' },
    { line: 2_506, detail: /Give exactly one of/ },
  ]);
  t.same(await reasonsOf(app), ['LISTED_BLOCKED BLOCK true']);
  t.match((await importText(app, 'blocked', text)).json, { put: 2_501, replaced: 2_501 }, 'repeatable');
  const events = (await app.ask('GET', '/v1/decisions/export')).text
    .split('\n')
    .filter((line) => line.includes('list_changed'));
  t.equal(events.length, 2 * 13, 'recorded 200 at a time, of each piece of a thousand');
});

t.test('exports what an import takes again', async (t) => {
  const [from, to] = [await createTestApp(t), await createTestApp(t)];
  for (const [field, value] of VALUES) await put(from, 'blocked', { [field]: value, note: '=1+1, "x"' });
  for (const [format, type] of [
    ['csv', 'text/csv'],
    ['ndjson', 'application/x-ndjson'],
  ] as const) {
    const exported = await from.ask('GET', `/v1/lists/blocked/export?format=${format}`);
    t.match(exported.headers['content-type'], type);
    t.equal(exported.text.trim().split('\n').length, VALUES.length + (format === 'csv' ? 1 : 0));
    const { json } = await importText(to, 'blocked', exported.text, type);
    t.match(json, { put: VALUES.length, refused: [] }, format);
  }
  const entries = async (app: TestApp) => {
    const { json } = await app.ask<{ entries: ListEntryRecord[] }>('GET', '/v1/lists/blocked/entries');
    return json.entries.map(({ id }) => id).sort();
  };
  t.same(await entries(to), await entries(from));
  t.match((await from.ask<object>('GET', '/v1/lists')).json, {
    knowledge: 'current',
    lists: [
      { list: 'blocked', entries: VALUES.length, in_policy: true },
      { list: 'trusted', entries: 0 },
      {},
    ],
  });
});

t.test('pages through a list', async (t) => {
  const app = await createTestApp(t);
  await importText(
    app,
    'blocked',
    ['asn', ...Array.from({ length: 250 }, (_, place) => place + 1)].join('\n'),
  );
  await importText(app, 'watched', 'country\nde\nFR\n');
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { json }: { json: { entries: ListEntryRecord[]; next_cursor: string | null } } = await app.ask(
      'GET',
      `/v1/lists/blocked/entries?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    seen.push(...json.entries.map(({ value }) => value));
    cursor = json.next_cursor;
  }
  t.same(
    seen,
    Array.from({ length: 250 }, (_, place) => String(place + 1)),
  );
  t.equal((await app.ask('GET', '/v1/lists/blocked/entries?cursor=nonsense')).status, 400);
  const { json } = await app.ask<{ entries: ListEntryRecord[] }>('GET', '/v1/lists/watched/entries');
  t.same(
    json.entries.map(({ value }) => value),
    ['DE', 'FR'],
  );
});

t.test('refuses imports that are too large, of another type or coded, or without a key', async (t) => {
  const app = await createTestApp(t);
  const lines = ['asn', ...Array.from({ length: 100_001 }, (_, place) => place + 1)].join('\n');
  t.match(await importText(app, 'blocked', lines), { status: 413, json: { detail: /100000 lines/ } });
  t.match((await app.ask<object>('GET', '/v1/lists')).json, { lists: [{ entries: 100_000 }, {}, {}] });
  t.equal((await importText(app, 'blocked', '{}', 'application/json')).status, 415);
  t.equal((await importText(app, 'nothing', 'asn\n1\n')).status, 404);
  const coded = { 'content-type': 'text/csv', 'content-encoding': 'gzip' };
  const options = { method: 'POST', url: '/v1/lists/blocked/import', body: 'asn\n1\n' } as const;
  t.equal((await send(app, { ...options, headers: coded })).status, 415);
  t.equal(
    (await send(app, { ...options, key: 'wrong', headers: { 'content-type': 'text/csv' } })).status,
    401,
  );
  const long = `asn,note\n1,${'x'.repeat(5_000)}\n2,\n`;
  t.match((await importText(app, 'watched', long)).json, {
    put: 1,
    refused: [{ line: 2, detail: 'is too long' }],
  });
  t.match((await importText(app, 'watched', 'asn,nope\n1,2\n')).json, { refused: [{ line: 1 }] });
  t.match((await importText(app, 'watched', 'asn,asn\n7,8\n')).json, {
    put: 0,
    refused: [{ line: 1, detail: 'names a column twice' }, { line: 2 }],
  });
  t.match((await importText(app, 'watched', 'device_id\nM\uFFFDller\n')).json, {
    put: 0,
    refused: [{ line: 2, detail: 'is not UTF-8' }],
  });
});

t.test(
  'says that lists are loading while Redis cannot be reached, and blocks nobody it does not know',
  async (t) => {
    const app = await createTestApp(t, { env: { REDIS_URL: 'redis://127.0.0.1:1' } });
    t.match((await app.ask<object>('GET', '/readyz')).json, { lists: 'loading' });
    t.ok((await reasonsOf(app)).includes('LISTED_BLOCKED CHALLENGE false'), 'unknown is never clean');
    t.equal((await put(app, 'blocked', { asn: 1 })).status, 503);
    const { status, json } = await app.decide(BODY, { url: '/v1/decide?explain=full' });
    t.equal(status, 200);
    t.equal(Object(json).explanation.signals.lists, null, 'explained as what is not known');
  },
);
