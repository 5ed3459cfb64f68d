import { randomUUIDv7 } from 'node:crypto';
import t from 'tap';
import type { DecisionLogReader } from '../../src/application/decision-log/decision-log.ts';
import { RiskgateError } from '../../src/domain/errors.ts';
import { createPeople } from '../../src/http/callers/people.ts';
import { createDecisionRecord, createGapRecord } from '../support/decision-records.ts';
import { createReadApi, type ReadApi } from '../support/read-api.ts';
import { KEYS } from '../support/test-app.ts';

const NOW_MS = Date.now();

let batches = 0;

function append(
  api: ReadApi,
  count: number,
  changes: Parameters<typeof createDecisionRecord>[2] = {},
): string[] {
  batches += 1;
  const base = batches * 100_000;
  const records = Array.from({ length: count }, (_, place) =>
    createDecisionRecord(NOW_MS, base + place, changes),
  );
  void api.log.append({ number: batches, records });
  return records.map(({ decision_id: id }) => id);
}

const idsOf = (json: { decisions: { decision_id: string }[] }) =>
  json.decisions.map(({ decision_id: id }) => id);

t.test('answers decisions newest first, as a summary', async (t) => {
  const api = await createReadApi(t);
  const none = await api.get('/v1/decisions');
  t.strictSame([none.status, none.json], [200, { decisions: [], next_cursor: null }]);
  const ids = append(api, 3);
  const { status, headers, json } = await api.get('/v1/decisions');
  t.equal(status, 200);
  t.equal(headers['cache-control'], 'private, max-age=1');
  t.same(idsOf(json), ids.toReversed());
  t.equal(json.next_cursor, null);
  t.match(json.decisions[0], {
    decision: 'CHALLENGE',
    degraded: true,
    reasons: [{ code: 'STYTCH_UNKNOWN', rule: 'one', certain: false }],
    caller: 'shop',
    entry_point: 'decide',
    providers: { stytch: { outcome: 'timeout', cache: 'miss', cache_level: null, latency_ms: 250.5 } },
    policy: { id: 'default' },
    label: null,
  });
  t.notOk('rules' in json.decisions[0], 'the trace is in the detail');
  t.notMatch(JSON.stringify(json), /signals/);
});

t.test('walks every older decision exactly once while ten thousand arrive', async (t) => {
  const api = await createReadApi(t);
  const old = append(api, 1000);
  const seen: string[] = [];
  let cursor: string | null = '';
  let arrived = 0;
  while (cursor !== null) {
    const page = await api.get(`/v1/decisions?limit=20${cursor && `&cursor=${cursor}`}`);
    seen.push(...idsOf(page.json));
    cursor = page.json.next_cursor;
    arrived += append(api, 200).length;
  }
  t.equal(arrived, 10_000);
  t.same(seen, old.toReversed());
});

t.test('finds by every filter, and by identifiers only through their hashes', async (t) => {
  const api = await createReadApi(t);
  append(api, 3);
  const subject = {
    telemetry: api.hashes.telemetry('secret-telemetry'),
    devices: [api.hashes.device('secret-device')],
    account: api.hashes.account('secret account'),
    ip: api.hashes.ip('203.0.113.9'),
    network: 'e'.repeat(32),
    visitor: 'f'.repeat(32),
  };
  const signals = { found: true, country: 'NZ', asn: 64_496 };
  const other = {
    decision: 'BLOCK',
    degraded: false,
    caller: 'bank',
    entry_point: 'nginx',
    action: 'payout',
  } as const;
  const providers = createDecisionRecord(0, 0).providers;
  const stytch = {
    ...providers['stytch'],
    outcome: 'not_found' as const,
    cache: 'miss' as const,
    cache_level: null,
  };
  const [id] = append(api, 1, {
    ...other,
    subject,
    reasons: [{ code: 'RARE', rule: 'r', verdict: 'BLOCK', providers: [], certain: true }],
    providers: {
      stytch: { latency_ms: 1, age_ms: 0, request_id: null, suspect: false, ...stytch, signals },
    },
    rules: [{ rule: 'r', result: 'true' }],
    waivers: [{ code: 'W', rule: 'w', providers: [] }],
    policy: { id: 'strict', hash: `sha256:${'2'.repeat(64)}` },
    decided_at: '2026-01-15T09:30:00.000Z',
  });
  const queries = [
    'decision=BLOCK',
    'reason=RARE',
    'provider_outcome=not_found',
    'provider_outcome=stytch/not_found',
    'caller=bank',
    'entry_point=nginx',
    'action=payout',
    'degraded=false',
    'policy=strict',
    `policy=sha256:${'2'.repeat(64)}`,
    'device_id=secret-device',
    'telemetry_id=secret-telemetry',
    'account_id=secret%20account',
    'rule=RARE',
    'rule=RARE:true',
    'rule=r',
    'rule=W:waived',
    'country=NZ',
    'asn=64496',
    'ip=203.0.113.9',
    `ip=%23${'e'.repeat(32)}`,
    `visitor=%23${'f'.repeat(32)}`,
    `subject=%23${'f'.repeat(32)}`,
    'subject=secret%20account',
    'subject=203.0.113.9',
    'until=2026-01-15T09:30:00.001Z',
    'since=2026-01-15T10:30:00%2B01:00&until=2026-01-15T10:00:00Z',
  ];
  const hashes = [
    `device=%23${subject.devices[0]}`,
    `telemetry=%23${subject.telemetry}`,
    `account=%23${subject.account}`,
  ];
  for (const query of [
    ...queries,
    ...hashes,
    // One of each name.
    [...new Map(queries.slice(0, -1).map((query) => [query.split('=')[0], query])).values()].join('&'),
  ]) {
    const { status, json } = await api.get(`/v1/decisions?${query}`);
    t.same([status, json?.decisions && idsOf(json)], [200, [id]], query);
  }
  t.same(idsOf((await api.get('/v1/decisions?device_id=nobody')).json), []);
  t.equal((await api.post(`/v1/decisions/${id}/outcome`, { label: 'fraud' })).status, 200);
  t.same(idsOf((await api.get('/v1/decisions?label=fraud')).json), [id]);
  t.equal(idsOf((await api.get('/v1/decisions?label=none')).json).length, 3);
  t.notMatch(api.logText(), /secret/);
});

t.test('finds by the name of a person, as people are called in records', async (t) => {
  const api = await createReadApi(t);
  append(api, 2);
  const people = createPeople({
    source: 'https://issuer.example',
    groups: new Map([['analysts', ['decide', 'read']]]),
    groupsClaim: 'groups',
    nameClaim: 'name',
  });
  // 𝒜 is one character in two units of UTF-16.
  for (const name of ['Zoë O’Neill-Łuk, 2nd', '𝒜'.repeat(60), '']) {
    const caller = people.personOf({ sub: 'one', groups: 'analysts', name })?.name ?? '';
    const ids = append(api, 1, { caller });
    const { status, json } = await api.get(`/v1/decisions?caller=${encodeURIComponent(caller)}`);
    t.same([status, json?.decisions && idsOf(json)], [200, ids], caller);
  }
});

t.test('refuses hostile queries with a problem that points at the mistake', async (t) => {
  const api = await createReadApi(t);
  append(api, 3);
  const { json: page } = await api.get('/v1/decisions?limit=1');
  const long = 'x'.repeat(257);
  const hostile: readonly (readonly [string, string])[] = [
    ['decision=ALLOW&decision=BLOCK', 'decision'],
    ['decision=', 'decision'],
    ['decision=allow', 'decision'],
    ['decision[]=ALLOW', 'decision[]'],
    ['nonsense=1', 'nonsense'],
    ['__proto__=1', '__proto__'],
    ['constructor=1', 'constructor'],
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=%00', 'limit'],
    ['degraded=1', 'degraded'],
    ['reason=%27%3B--', 'reason'],
    ['provider_outcome=stytch/nonsense', 'provider_outcome'],
    ['provider_outcome=a/b/timeout', 'provider_outcome'],
    ['policy=../../etc', 'policy'],
    ['rule=One', 'rule'],
    ['rule=one:false', 'rule'],
    ['label=maybe', 'label'],
    ['country=de', 'country'],
    ['asn=AS1', 'asn'],
    ['device=%23short', 'device'],
    [`device=${'a'.repeat(32)}`, 'device'],
    [`device=%23${'a'.repeat(32)}&device_id=x`, 'device'],
    ['ip=nowhere', 'ip'],
    [`ip=%23${'A'.repeat(32)}`, 'ip'],
    ['subject=', 'subject'],
    ['caller=Ann%20Lee', 'caller'],
    ['caller=Ann%20Lee%20%230A1B2C3D', 'caller'],
    [`caller=${'n'.repeat(49)}%20%230a1b2c3d`, 'caller'],
    ['since=yesterday', 'since'],
    ['since=2026-02-31T00:00:00Z', 'since'],
    ['until=2026-12-31T23:59:60Z', 'until'],
    [`device_id=${long}`, 'device_id'],
    ['device_id=', 'device_id'],
    ['device_id=a&device_id=b', 'device_id'],
    ['cursor=x', 'cursor'],
    ['cursor=%2e%2e', 'cursor'],
    [`cursor=${'A'.repeat(600)}`, 'cursor'],
    [`cursor=${Buffer.from('1 x y').toString('base64url')}`, 'cursor'],
    [`cursor=${page.next_cursor}&decision=BLOCK`, 'cursor'],
  ];
  for (const [query, pointer] of hostile) {
    const { status, json } = await api.get(`/v1/decisions?${query}`);
    t.equal(status, 400, query);
    t.match(json, { code: 'invalid_request', errors: [{ pointer }] }, query);
    t.notMatch(JSON.stringify(json), long);
  }
  const odd = await api.get('/v1/decisions?device_id=%ff%fe');
  t.ok([200, 400].includes(odd.status), 'what is not UTF-8 finds nothing or is refused');
  t.equal((await api.get(`/v1/decisions?limit=1&cursor=${page.next_cursor}`)).status, 200);
  t.notMatch(api.logText(), /request\.failed/);
});

t.test('needs the scope read', async (t) => {
  const api = await createReadApi(t);
  for (const path of ['', '/x', '/stream', '/export']) {
    const decide = { authorization: `Bearer ${KEYS.decide}` };
    t.equal((await api.get(`/v1/decisions${path}`, decide)).status, 403, path);
    t.equal((await api.get(`/v1/decisions${path}`, { authorization: '' })).status, 401, path);
  }
  t.equal((await api.get('/v1/stats', { authorization: `Bearer ${KEYS.decide}` })).status, 403);
  t.equal(
    (await api.post(`/v1/decisions/${randomUUIDv7()}/outcome`, { label: 'legit' }, KEYS.read)).status,
    403,
  );
});

t.test('answers 404 for a decision that is not there', async (t) => {
  const api = await createReadApi(t);
  append(api, 1);
  const gap = createGapRecord(NOW_MS, 99);
  await api.log.append({ number: 9, records: [gap] });
  for (const id of [randomUUIDv7(), gap.gap_id, 'x', '..%2F..', '%00', `${randomUUIDv7()}%20`]) {
    const { status, json, headers } = await api.get(`/v1/decisions/${id}`);
    t.equal(status, 404, id);
    t.match(headers['content-type'], /^application\/problem\+json/);
    t.match(json, { status: 404, code: 'not_found' });
  }
});

/** Counts what is asked of a log beyond its version. */
function counted(log: DecisionLogReader) {
  const asked: string[] = [];
  const count = <Method extends 'query' | 'find' | 'counts' | 'labelsOf'>(
    name: Method,
  ): DecisionLogReader[Method] =>
    ((...given: Parameters<DecisionLogReader[Method]>) => {
      asked.push(name);
      return (log[name] as (...all: unknown[]) => unknown)(...given);
    }) as DecisionLogReader[Method];
  const reader = {
    ...log,
    query: count('query'),
    find: count('find'),
    counts: count('counts'),
    labelsOf: count('labelsOf'),
  };
  return { reader, asked };
}

t.test('answers 304 without reading the log while nothing has changed', async (t) => {
  const { log } = await createReadApi(t);
  const { reader, asked } = counted(log);
  const api = await createReadApi(t, { reader });
  const record = createDecisionRecord(NOW_MS, 1);
  await log.append({ number: 1, records: [record] });
  for (const url of [
    '/v1/decisions',
    '/v1/decisions?decision=CHALLENGE',
    '/v1/stats?window=1d&step=1d',
    `/v1/decisions/${record.decision_id}`,
  ]) {
    const first = await api.get(url);
    const etag = String(first.headers['etag']);
    t.match(etag, /^W\/"[A-Za-z0-9_-]{22}"$/, 'a weak tag: the same in every content coding');
    asked.length = 0;
    for (const held of [etag, `"other", ${etag}`, etag.replace('W/', '')]) {
      const again = await api.get(url, { 'if-none-match': held });
      t.equal(again.status, 304, `${url} ${held}`);
      t.equal(again.text, '');
      t.match(again.headers, { etag, 'cache-control': 'private, max-age=1' });
    }
    t.same(asked, [], 'nothing was read');
    t.equal((await api.get(url, { 'if-none-match': '"other"' })).status, 200);
    await log.append({ number: 2, records: [createDecisionRecord(NOW_MS, 2 + asked.length)] });
    const changed = await api.get(url, { 'if-none-match': etag });
    t.equal(changed.status, 200, 'something was appended');
    t.not(changed.headers['etag'], etag);
  }
  const tags = new Set<unknown>();
  for (const url of ['?limit=1', '?limit=2', '?decision=ALLOW', ''])
    tags.add((await api.get(`/v1/decisions${url}`)).headers['etag']);
  t.equal(tags.size, 4, 'each question has a tag of its own');
  const before = await api.get('/v1/decisions');
  await api.post(`/v1/decisions/${record.decision_id}/outcome`, { label: 'fraud' });
  t.equal(
    (await api.get('/v1/decisions', { 'if-none-match': String(before.headers['etag']) })).status,
    200,
    'a label is a change',
  );
});

t.test('gives an answer that was read while the log changed a tag that nothing else has', async (t) => {
  const { log } = await createReadApi(t);
  let version = 0;
  const next = () => {
    version += 1;
    return String(version);
  };
  const api = await createReadApi(t, { reader: { ...log, version: async () => next() } });
  const first = await api.get('/v1/decisions');
  version = 0;
  const second = await api.get('/v1/decisions');
  t.not(first.headers['etag'], second.headers['etag']);
});

t.test('answers 503 while the log cannot be read', async (t) => {
  const { log } = await createReadApi(t);
  const lost = () => Promise.reject(new RiskgateError('store_unavailable', 'lost'));
  const reader = {
    ...log,
    query: lost,
    find: lost,
    counts: lost,
    label: lost,
    version: lost,
    readAfter: lost,
    newest: lost,
  };
  const api = await createReadApi(t, { reader });
  const id = randomUUIDv7();
  for (const url of [
    '/v1/decisions',
    `/v1/decisions/${id}`,
    '/v1/stats',
    '/v1/decisions/stream',
    '/v1/decisions/export',
    '/v1/decisions/export?format=csv',
  ]) {
    const { status, json, headers } = await api.get(url);
    t.equal(status, 503, url);
    t.equal(json?.code, 'store_unavailable', url);
    t.equal(headers['retry-after'], '1');
  }
  t.equal((await api.post(`/v1/decisions/${id}/outcome`, { label: 'legit' })).status, 503);
});
