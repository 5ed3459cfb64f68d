import { writeFileSync } from 'node:fs';
import t from 'tap';
import { parseScrape } from '../support/scrape.ts';
import { createTestApp, until } from '../support/test-app.ts';

interface Ready {
  readonly files_differing: string[];
  readonly policy_reload: {
    readonly successful: boolean;
    readonly last_success_at: string;
    readonly refused_at: string | null;
  };
}

t.test('tells of each followed file whether it is in force, and since when', async (t) => {
  const policy = (id: string) =>
    `policy: ${id}\notherwise: ALLOW\nrules:\n  - {id: r, when: '!stytch.found', verdict: BLOCK, reason: R}\n`;
  const app = await createTestApp(t, { policy: policy('first') });
  const read = async () => {
    const found = parseScrape((await app.ask('GET', '/metrics', { key: null })).text);
    const of = (name: string) =>
      (found.get(`riskgate_file_reload_${name}`) ?? []).map(({ labels, value }) => ({ ...labels, value }));
    const policy = ['reload_successful', 'reload_last_success_timestamp_seconds', 'differs_from_file'];
    return {
      successful: of('successful'),
      loadedAt: of('last_success_timestamp_seconds'),
      policy: policy.map((name) => found.get(`riskgate_policy_${name}`)?.map(({ value }) => value)),
    };
  };
  const ready = async () => (await app.ask<Ready>('GET', '/readyz', { key: null })).json;
  const differing = async () => (await ready()).files_differing;
  const before = await read();
  t.same(before.successful, [
    { file: 'policy', value: 1 },
    { file: 'api_keys', value: 1 },
  ]);
  t.ok(
    before.loadedAt.every(({ value }) => Math.abs(value - Date.now() / 1000) < 600),
    'in seconds',
  );
  t.same(await differing(), []);
  const loadedAt = before.loadedAt[0]?.value ?? 0;
  t.same(before.policy, [[1], [loadedAt], [0]]);
  t.same((await ready()).policy_reload, {
    successful: true,
    last_success_at: new Date(loadedAt * 1000).toISOString(),
    refused_at: null,
  });
  writeFileSync(app.policyFile, 'policy: !broken first\n');
  await until('the policy is refused', () => app.events().includes('policy.refused'));
  const refused = await read();
  t.same(refused.successful, [
    { file: 'policy', value: 0 },
    { file: 'api_keys', value: 1 },
  ]);
  t.same(refused.loadedAt, before.loadedAt);
  t.same(refused.policy, [[0], [loadedAt], [1]]);
  const { successful, last_success_at: lastAt, refused_at: refusedAt } = (await ready()).policy_reload;
  t.same([successful, lastAt], [false, new Date(loadedAt * 1000).toISOString()]);
  t.ok(Date.parse(refusedAt ?? '') > Date.parse(lastAt), 'refused after it was loaded');
  t.same(await differing(), ['policy']);
  writeFileSync(app.policyFile, policy('second'));
  await until('the policy is reloaded', () => app.events().includes('policy.reloaded'));
  const after = await read();
  t.same(after.successful, before.successful);
  t.same(after.policy, [[1], [after.loadedAt[0]?.value], [0]]);
  t.equal((await ready()).policy_reload.refused_at, null);
  t.ok((after.loadedAt[0]?.value ?? 0) > (before.loadedAt[0]?.value ?? 0));
  t.same(await differing(), []);
});
