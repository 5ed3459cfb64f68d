import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeApiKeys } from '../support/api-key-file.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { AUDIENCE, CAEP, ISSUER, startTransmitter } from '../support/set-transmitter.ts';
import { createDirectory, createTestApp, startEmulators, until } from '../support/test-app.ts';

/** Shared signals on several replicas. */
const POLICY = `policy: p
description: d
otherwise: ALLOW
lists: [blocked]
rules:
  - {id: revoked, when: 'shared.account.session_revoked_seconds < 3600', verdict: BLOCK, reason: REVOKED}
  - {id: blocked, when: 'lists.blocked.account', verdict: BLOCK, reason: LISTED}
`;

t.test('a signal that one replica takes counts on all, and outlives them', async (t) => {
  const redis = await startRedisServer(t);
  const emulators = await startEmulators(t);
  const transmitter = await startTransmitter(t);
  const directory = createDirectory(t);
  const file = join(directory, 'streams.yaml');
  writeFileSync(
    file,
    `streams: {idp: {issuer: ${ISSUER}, audience: ${AUDIENCE}, jwks_uri: ${transmitter.origin}/jwks}}\n`,
  );
  const keys = [{ id: 'all', key: 'key-of-all', scopes: ['signal', 'decide', 'read', 'review'] }] as const;
  const env = {
    SHARED_SIGNALS_FILE: file,
    API_KEYS_FILE: writeApiKeys(directory, keys),
    REDIS_URL: redis.url,
  };
  const start = () => createTestApp(t, { emulators, policy: POLICY, env });
  type Replica = Awaited<ReturnType<typeof start>>;
  const reasonsOf = async (replica: Replica) => {
    const subject = { telemetry_id: 'allow', device_id: 'active', account_id: 'acct_shared' };
    const { json } = await replica.decide(subject, { key: 'key-of-all' });
    return json.reasons.map(({ code, certain }) => `${code}${certain ? '' : ' unknown'}`);
  };
  const untilReasons = (what: string, replica: Replica, reasons: readonly string[]) =>
    until(what, async () => (await reasonsOf(replica)).join() === reasons.join());
  const [first, second] = await Promise.all([start(), start()]);
  await untilReasons('the first knows that nothing was told', first, []);
  await untilReasons('the second too', second, []);
  const token = await transmitter.sign(`${CAEP}session-revoked`, {}, { format: 'opaque', id: 'acct_shared' });
  const { statusCode } = await first.app.server.inject({
    method: 'POST',
    url: '/v1/shared-signals/idp',
    headers: { authorization: 'Bearer key-of-all', 'content-type': 'application/secevent+jwt' },
    payload: token,
  });
  t.equal(statusCode, 202);
  t.same(await reasonsOf(first), ['REVOKED']);
  await untilReasons('the second has heard it', second, ['REVOKED']);
  const { json } = await first.ask<{ lists: readonly { entries: number }[] }>('GET', '/v1/lists', {
    key: 'key-of-all',
  });
  t.match(json, { lists: [{ entries: 0 }] }, 'it is on no list');
  await Promise.all([first.close(), second.close()]);
  const third = await start();
  await untilReasons('one that starts knows it', third, ['REVOKED']);
});
