import { writeFileSync } from 'node:fs';
import t from 'tap';
import { parseScrape } from '../support/scrape.ts';
import { createTestApp, until } from '../support/test-app.ts';

t.test('tells of each followed file whether it is in force, and since when', async (t) => {
  const policy = (id: string) =>
    `policy: ${id}\notherwise: ALLOW\nrules:\n  - {id: r, when: '!stytch.found', verdict: BLOCK, reason: R}\n`;
  const app = await createTestApp(t, { policy: policy('first') });
  const read = async () => {
    const found = parseScrape((await app.ask('GET', '/metrics', { key: null })).text);
    const of = (name: string) =>
      (found.get(`riskgate_file_reload_${name}`) ?? []).map(({ labels, value }) => ({ ...labels, value }));
    return { successful: of('successful'), loadedAt: of('last_success_timestamp_seconds') };
  };
  const differing = async () =>
    (await app.ask<{ files_differing: string[] }>('GET', '/readyz', { key: null })).json.files_differing;
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
  writeFileSync(app.policyFile, 'policy: !broken first\n');
  await until('the policy is refused', () => app.events().includes('policy.refused'));
  const refused = await read();
  t.same(refused.successful, [
    { file: 'policy', value: 0 },
    { file: 'api_keys', value: 1 },
  ]);
  t.same(refused.loadedAt, before.loadedAt);
  t.same(await differing(), ['policy']);
  writeFileSync(app.policyFile, policy('second'));
  await until('the policy is reloaded', () => app.events().includes('policy.reloaded'));
  const after = await read();
  t.same(after.successful, before.successful);
  t.ok((after.loadedAt[0]?.value ?? 0) > (before.loadedAt[0]?.value ?? 0));
  t.same(await differing(), []);
});
