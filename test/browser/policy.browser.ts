import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Policies } from '../../src/dashboard/page/wire-policies.ts';
import { openBrowser, SCREENSHOTS } from '../support/browser.ts';
import { PAGE_KEYS, signIn, startDashboardService } from '../support/dashboard-service.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createDirectory, until } from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active', action: 'login' };
const AUTHOR = 'page-key-author';
const RULE = "  - {id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: UNKNOWN_ID}\n";
const DEAD = "  - {id: dead, when: 'stytch.found && !stytch.found', verdict: BLOCK, reason: DEAD}\n";
const textOf = (id: string, otherwise: string, rules = RULE) =>
  `policy: ${id}\notherwise: ${otherwise}\nrules:\n${rules}`;

const { open, complaints } = await openBrowser(t);
const redis = await startRedisServer(t);
const file = join(createDirectory(t), 'policy.yaml');
writeFileSync(file, textOf('shop', 'ALLOW', RULE + DEAD));
const service = await startDashboardService(t, { POLICY_FILE: file, REDIS_URL: redis.url });
const key = (id: string, text: string, ...scopes: readonly string[]) => ({
  id,
  sha256: hash('sha256', text),
  scopes,
});
writeFileSync(
  service.env['API_KEYS_FILE'] ?? '',
  JSON.stringify({
    keys: [
      key('author', AUTHOR, 'read', 'review', 'admin'),
      key('caller', PAGE_KEYS.caller, 'decide'),
      key('reader', PAGE_KEYS.reader, 'read'),
    ],
  }),
);
const send = (method: string, path: string, body?: object) =>
  fetch(service.origin + path, {
    method,
    headers: { 'x-api-key': AUTHOR, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });

t.test('shows the policy in force and what a candidate changes, and goes back to a former one', async (t) => {
  const candidate = { policy: textOf('next', 'CHALLENGE') };
  await until(
    'a candidate is taken',
    async () => (await send('PUT', '/v1/policies/next/candidate', candidate)).ok,
  );
  await service.decide(GOOD);
  await service.decide(GOOD);
  const page = await open(t);
  await signIn(page, service.origin, '?view=policy&window=15m', AUTHOR);
  await page.getByText('dead rule: dead: no evidence makes it true').waitFor();
  const next = page.getByRole('region', { name: 'Candidate next' });
  await next.locator('summary', { hasText: 'Difference' }).press('Enter');
  await next.locator('ins', { hasText: 'policy: next' }).waitFor();
  await next.locator('del', { hasText: 'id: dead' }).waitFor();
  const changed = next.getByRole('row', { name: /^ALLOW/ }).getByRole('link');
  await changed.getByText('2', { exact: false }).waitFor();
  await next.getByText('hours: ', { exact: false }).waitFor();
  t.ok(await next.getByRole('button', { name: 'Promote…' }).isDisabled(), 'it has not shown enough');
  await page.screenshot({ path: `${SCREENSHOTS}/policy.png`, fullPage: true });

  writeFileSync(file, textOf('shop', 'CHALLENGE'));
  const past = page.locator('.policy-history > li');
  await until('two policies are remembered', async () => (await past.count()) === 2);
  await past.nth(1).getByRole('button', { name: 'Restore…' }).press('Enter');
  await past.nth(1).getByRole('button', { name: 'Restore', exact: true }).press('Enter');
  await page.getByText('put in force for all replicas, over their files').waitFor();
  await past.first().getByText('restored by author').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/policy-restored.png`, fullPage: true });

  await changed.press('Enter');
  await until('2 rows', async () => (await page.locator('.table-body .row').count()) === 2);
  await page.locator('.chart-changes').getByText('restored by author').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/policy-markers.png` });
});

t.test('shows a promotion under way, to readers without a button, and takes it back', async (t) => {
  const shown = 'promotion: {min_decisions: 1, min_hours: 1, tests: optional, max_new_blocks: 100%, ';
  const lenient = `${shown}max_new_challenges: 100%, max_new_allows: 100%}\n`;
  await send('DELETE', '/v1/policies/in-force');
  writeFileSync(file, textOf('shop', 'ALLOW') + lenient);
  const policies = async () => (await (await send('GET', '/v1/policies')).json()) as Policies;
  await until('its file is in force', async () => (await policies()).in_force.state === 'file');
  const page = await open(t);
  await signIn(page, service.origin, '?view=policy', AUTHOR);
  for (const [share, told] of [
    [0.25, 'answers 25% of accounts'],
    [1, 'It is watched since'],
  ] as const) {
    // What was taken back has to show again what it had shown: each is a candidate of its own.
    const next = { policy: `# For ${share}.\n${textOf('later', 'ALLOW')}${DEAD}` };
    const registered = await send('PUT', '/v1/policies/later/candidate', next);
    const { candidate } = (await registered.json()) as { candidate: { hash: string } };
    await until('it is promoted', async () => {
      await service.decide(GOOD);
      return (await send('POST', '/v1/policies/later/promote', { hash: candidate.hash, share })).ok;
    });
    await page.reload();
    const panel = page.getByRole('region', { name: 'In force' });
    await panel.getByText(told).waitFor();
    await page.screenshot({ path: `${SCREENSHOTS}/policy-promoted-${share}.png` });
    if (share === 1) await offersNothingToReaders(t, told);
    await panel.getByRole('button', { name: 'Take back…' }).press('Enter');
    t.not((await policies()).promotion, null, 'it asks once more');
    await panel.getByRole('button', { name: 'Take back', exact: true }).press('Enter');
    await panel.getByText('Done.').waitFor();
    t.match(await policies(), { in_force: { id: 'shop' }, promotion: null });
  }
});

async function offersNothingToReaders(t: Test, told: string): Promise<void> {
  const page = await open(t);
  await signIn(page, service.origin, '?view=policy');
  await page.getByText(told).waitFor();
  await page.locator('.policy-history > li').nth(2).waitFor();
  t.equal(await page.getByRole('button', { name: /Restore|Promote|Take back/ }).count(), 0);
}

t.test('no page has complained', async (t) => {
  t.strictSame(complaints, []);
});
