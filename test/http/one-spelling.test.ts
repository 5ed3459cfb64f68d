/**
 * Whoever has an answer finds the same under the same names in everything that tells of the decision later.
 */
import t from 'tap';
import { decisionFields } from '../../src/domain/decision-fields.ts';
import { createTestApp, KEYS } from '../support/test-app.ts';

const app = await createTestApp(t, { env: { DECISION_LOG: 'memory' } });
const key = KEYS.read;
const { json: answer } = await app.decide({
  telemetry_id: 'challenge',
  device_id: 'active',
  action: 'login',
});
const read = async (url: string) => app.ask<Record<string, unknown>>('GET', url, { key });

/** What only the answer has: when to ask again, what would satisfy it, and what was asked for or in doubt. */
const OF_ANSWERS = ['challenge', 'expires_at', 'explanation', 'provider_suspect'];

/** The fields of the answer, with the time of each provider left out: a record has one digit more. */
function shared(decision: object): Record<string, unknown> {
  const names = Object.keys(answer).filter((name) => !OF_ANSWERS.includes(name));
  const told = Object.fromEntries(names.map((name) => [name, Reflect.get(decision, name)]));
  const providers = Object.entries(told['providers'] as Record<string, Record<string, unknown>>);
  const uses = providers.map(([id, { outcome, cache, age_ms }]) => [id, { outcome, cache, age_ms }]);
  return { ...told, providers: Object.fromEntries(uses) };
}

t.test('a list, a record and an export spell a decision as its answer did', async (t) => {
  const { json: list } = await read('/v1/decisions?decision=CHALLENGE&entry_point=decide');
  const [row] = list['decisions'] as [object];
  const { json: record } = await read(`/v1/decisions/${answer.decision_id}`);
  const url = '/v1/decisions/export';
  const headers = { authorization: `Bearer ${key}` };
  const line: object = (await app.app.server.inject({ url, headers })).json();
  t.equal(Object.keys(shared(answer)).length, 8);
  for (const [name, told] of Object.entries({ row, record, line }))
    t.strictSame(shared(told), shared(answer), name);
});

t.test('a CSV has a column for each field that is no list and no object', async (t) => {
  const url = '/v1/decisions/export?format=csv';
  const { payload } = await app.app.server.inject({ url, headers: { authorization: `Bearer ${key}` } });
  const columns = payload.split('\r\n', 1)[0]?.replaceAll('"', '').split(',') ?? [];
  const plain = Object.keys(decisionFields).filter((name) => typeof Reflect.get(answer, name) === 'string');
  t.strictSame(plain, ['decision_id', 'decision', 'decided_at']);
  for (const name of plain) t.ok(columns.includes(name), name);
});

t.test('a field of the log line that has the name of a field of the record holds the same', async (t) => {
  const line = app.logs.find(({ event }) => event === 'decision.made') ?? {};
  const { json: record } = await read(`/v1/decisions/${answer.decision_id}`);
  const names = Object.keys(line).filter((name) => Object.hasOwn(record, name));
  const expected = ['decision_id', 'request_id', 'caller', 'action', 'decision', 'degraded', 'latency_ms'];
  t.strictSame(names.toSorted(), expected.toSorted());
  for (const name of names) t.strictSame(line[name], record[name], name);
});

t.test('counts are grouped by the names that filters have', async (t) => {
  for (const [group, counts] of Object.entries({
    decision: { CHALLENGE: 1 },
    entry_point: { decide: 1 },
    provider_cache: { 'stytch/miss': 1, 'mobilerun/miss': 1, 'prefactor/miss': 1 },
  })) {
    const { json } = await read(`/v1/stats?group_by=${group}`);
    t.match(json, { group_by: group, totals: { counts } }, group);
  }
});
