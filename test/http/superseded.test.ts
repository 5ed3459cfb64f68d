import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { openSse } from '../support/sse-client.ts';
import { createDirectory, createTestApp, KEYS, portOf, startEmulators, until } from '../support/test-app.ts';

/** Decisions that are superseded: on the stream, and by signed webhooks. */
const emulators = await startEmulators(t);
const POLICY = `policy: p
description: d
otherwise: ALLOW
lists: [blocked]
rules:
  - {id: blocked, when: 'lists.blocked.account', verdict: BLOCK, reason: LISTED}
  - {id: revoked, when: 'prefactor.status == "revoked"', verdict: BLOCK, reason: REVOKED}
`;

interface Told {
  readonly cause: string;
  readonly part: string;
  readonly hash: string;
  readonly decisions: readonly { readonly decision_id: string; readonly decision: string }[];
}

async function open(t: Test) {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const received: Told[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const message = new Webhook(secret).verify(body, request.headers as Record<string, string>) as {
        data: Told;
      };
      received.push(message.data);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const directory = createDirectory(t);
  writeFileSync(join(directory, 'secret'), `${secret}\n`);
  const url = `http://127.0.0.1:${portOf(server.address())}/hook`;
  writeFileSync(
    join(directory, 'webhooks.yaml'),
    `targets: {soc: {url: '${url}', secret_file: ${join(directory, 'secret')}}}\n`,
  );
  const env = { WEBHOOKS_FILE: join(directory, 'webhooks.yaml'), WEBHOOKS_PRIVATE: 'on' };
  const app = await createTestApp(t, { emulators, policy: POLICY, env });
  const client = await openSse(t, await app.listen(), { path: '/v1/decisions/stream', key: KEYS.read });
  await client.until('ready', (events) => events.length > 0);
  const decide = async (account_id: string, device_id = 'active') => {
    const { json } = await app.decide({ telemetry_id: 'allow', device_id, account_id });
    return json.decision_id;
  };
  /** What both say of the next change. */
  const next = async (count: number) => {
    const told = () => client.events.filter(({ event }) => event === 'decision.superseded');
    await client.until(`${count} on the stream`, () => told().length >= count);
    await until(`${count} by webhook`, () => received.length >= count);
    const onStream = told().at(-1)?.data as unknown as Told;
    // Several of one change are sent at once, and arrive in any order.
    const byHook = received.findLast(({ cause, hash }) => cause === onStream.cause && hash === onStream.hash);
    if (byHook === undefined) throw new Error(`no webhook tells of ${onStream.cause}`);
    t.match(onStream, byHook, 'both say the same');
    return onStream;
  };
  return { app, decide, next };
}

t.test('a list, a purge, a label and a revoked device supersede what was decided', async (t) => {
  const { app, decide, next } = await open(t);
  const id = await decide('acct_superseded');
  const put = await app.app.server.inject({
    method: 'PUT',
    url: '/v1/lists/blocked/entries',
    headers: { authorization: `Bearer ${KEYS.all}`, 'content-type': 'application/json' },
    payload: JSON.stringify({ account_id: 'acct_superseded' }),
  });
  t.equal(put.statusCode, 200);
  const listed = await next(1);
  t.match(listed, { cause: 'list_changed', part: 'account', hash: /^[0-9a-f]{32}$/ });
  t.strictSame(listed.decisions, [{ decision_id: id, decision: 'ALLOW' }]);
  t.equal((await app.ask('DELETE', '/v1/evidence?device_id=active')).status, 200);
  t.match(await next(2), { cause: 'evidence_purged', part: 'device', decisions: [{ decision_id: id }] });
  const { status } = await app.decide({ label: 'fraud' }, { url: `/v1/decisions/${id}/outcome` });
  t.equal(status, 200);
  await next(5);
  t.equal((await app.ask('DELETE', '/v1/subjects?account_id=acct_superseded')).status, 200);
  t.match(await next(6), { cause: 'subject_forgotten', part: 'account' });
  await decide('acct_of_revoked', 'revoked');
  t.match(await next(7), { cause: 'device_revoked', part: 'device', decisions: [{ decision: 'BLOCK' }] });
  await decide('acct_of_revoked', 'revoked');
  t.equal((await app.ask('DELETE', '/v1/evidence?device_id=revoked')).status, 200);
  t.match(await next(8), { cause: 'evidence_purged' }, 'a revoked device is told once an hour');
  t.notMatch(app.logText(), /acct_superseded/);
  // The receiver has the last one before the service has its answer.
  await until('all are delivered', async () => {
    const { text } = await app.ask('GET', '/metrics');
    return (
      text.includes('riskgate_webhooks_total{target="soc",result="delivered"} 8') &&
      text.includes('riskgate_webhooks_waiting{target="soc"} 0')
    );
  });
});

t.test('a change that nobody was decided about supersedes nothing', async (t) => {
  const { app, decide, next } = await open(t);
  await app.ask('DELETE', '/v1/evidence?device_id=never-seen');
  await decide('acct_other');
  t.equal((await app.ask('DELETE', '/v1/evidence?telemetry_id=allow')).status, 200);
  t.match(await next(1), { cause: 'evidence_purged', part: 'telemetry' });
});
