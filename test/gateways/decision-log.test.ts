import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  askGateway,
  createGatewayApp,
  GATEWAY_SECRET,
  GATEWAY_SECRET_SHA256,
  riskOf,
} from '../support/ask-gateway.ts';
import { createDirectory, KEYS, startEmulators, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);

async function openLogged(t: Test, delivery: 'lossy' | 'strict') {
  const file = join(createDirectory(t), 'decisions.ndjson');
  const env = { DECISION_LOG: 'file', DECISION_LOG_FILE: file, DECISION_LOG_DELIVERY: delivery };
  const app = await createGatewayApp(t, { open: { on_unavailable: 'allow' } }, { emulators, env });
  const records = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { app, records };
}

for (const delivery of ['lossy', 'strict'] as const) {
  t.test(`${delivery}: a question that a gateway repeats is one record, by its entry point`, async (t) => {
    const { app, records } = await openLogged(t, delivery);
    const first = await askGateway(app);
    const again = await askGateway(app);
    t.equal(again.headers['x-risk-decision-id'], first.headers['x-risk-decision-id']);
    const blocked = await askGateway(app, { dialect: 'forward-auth', telemetryId: 'forged' });
    await until('the records are written', () => records().length >= 2);
    t.match(records(), [
      {
        decision_id: first.headers['x-risk-decision-id'],
        decision: 'ALLOW',
        entry_point: 'nginx',
        caller: 'decide',
      },
      { decision_id: blocked.headers['x-risk-decision-id'], decision: 'BLOCK', entry_point: 'forward-auth' },
    ]);
    t.equal(records().length, 2);
  });
}

for (const delivery of ['lossy', 'strict'] as const) {
  t.test(`${delivery}: a question that is repeated before its answer is one record too`, async (t) => {
    const { app, records } = await openLogged(t, delivery);
    const ask = { telemetryId: 'allow', target: `/${delivery}` };
    const replies = await Promise.all(Array.from({ length: 4 }, () => askGateway(app, ask)));
    const ids = new Set(replies.map(({ headers }) => headers['x-risk-decision-id']));
    await until('the record is written', () => records().length > 0);
    t.same(
      [...ids],
      records().map(({ decision_id: id }) => id),
      'each of them was told the id of the record',
    );
    t.equal(app.logs.filter(({ event }) => event === 'decision.made').length, 1);
  });
}

t.test('an ambiguous subject is recorded too, without any reading of it', async (t) => {
  const { app, records } = await openLogged(t, 'strict');
  const reply = await askGateway(app, { telemetryId: 'oneid,twoid' });
  t.match(records(), [
    { decision_id: reply.headers['x-risk-decision-id'], decision: 'BLOCK', entry_point: 'nginx' },
  ]);
  t.notMatch(JSON.stringify(records()), /oneid|twoid/);
});

t.test('what cannot be recorded in strict delivery is not answered with a decision', async (t) => {
  const env = { DECISION_LOG: 'redis', DECISION_LOG_DELIVERY: 'strict', REDIS_URL: 'redis://127.0.0.1:1' };
  const app = await createGatewayApp(t, { open: { on_unavailable: 'allow' } }, { emulators, env });
  const refused = await askGateway(app);
  t.same([refused.status, riskOf(refused)], [503, 'UNAVAILABLE none UNRECORDED']);
  const again = await askGateway(app);
  t.equal(again.status, 503, 'the first was not remembered as told');
  const open = await askGateway(app, { profile: 'open' });
  t.same([open.status, riskOf(open)], [200, 'UNAVAILABLE none UNRECORDED'], 'the profile wants it so');
});

t.test('what a gateway without an API key asked is found by its caller and entry point', async (t) => {
  const profiles = { edge: { caller: { sha256: GATEWAY_SECRET_SHA256 } } };
  const app = await createGatewayApp(t, profiles, { emulators });
  const asked = await askGateway(app, { profile: 'edge', key: GATEWAY_SECRET });
  const id = asked.headers['x-risk-decision-id'];
  const headers = { authorization: `Bearer ${KEYS.read}` };
  const search = (query: string) => app.app.server.inject({ url: `/v1/decisions?${query}`, headers });
  for (const query of ['caller=gateway:edge', 'caller=gateway:edge&entry_point=nginx'])
    t.match(
      (await search(query)).json(),
      { decisions: [{ decision_id: id, caller: 'gateway:edge', entry_point: 'nginx' }] },
      query,
    );
  t.same((await search('caller=gateway:other')).json().decisions, []);
  for (const caller of ['gateway:', 'gateway:A', 'gateway:a:b', 'a:b'])
    t.equal((await search(`caller=${caller}`)).statusCode, 400, caller);
});
