import type { Page } from 'playwright-core';
import t from 'tap';
import { openBrowser, SCREENSHOTS } from '../support/browser.ts';
import { PAGE_KEYS, signIn, startDashboardService } from '../support/dashboard-service.ts';
import { until } from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active', action: 'login', account_id: 'acct_1' };
const FORGED = { telemetry_id: 'forged', device_id: 'active', action: 'payout' };
const DOUBTFUL = { telemetry_id: 'challenge', device_id: 'active', action: 'login' };

const { open, complaints } = await openBrowser(t);
const service = await startDashboardService(t);
const ids: string[] = [];
for (const body of [GOOD, FORGED, GOOD, DOUBTFUL, FORGED]) ids.push(await service.decide(body));
for (const [place, label] of [
  [1, 'fraud'],
  [3, 'legit'],
  [4, 'legit'],
] as const)
  await fetch(`${service.origin}/v1/decisions/${ids[place]}/outcome`, {
    method: 'POST',
    headers: { 'x-api-key': PAGE_KEYS.caller, 'content-type': 'application/json' },
    body: JSON.stringify({ label }),
  });

/** Resolves when the address has this parameter: a browser tells of its history by and by. */
const untilParameter = (page: Page, name: string, isSo: (value: string | null) => boolean) =>
  until(`the address has ${name}`, async () => isSo(new URL(page.url()).searchParams.get(name)));
const tile = (page: Page, name: string) => page.locator('.tile', { hasText: name });

t.test('compares with the window before, and shows a part of the window', async (t) => {
  const page = await open(t);
  await signIn(page, service.origin, '?window=15m');
  await tile(page, 'Decisions').getByText('5', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Compare' }).press('Enter');
  await untilParameter(page, 'compare', (value) => value === 'previous');
  await tile(page, 'Block rate').getByText('nothing before').waitFor();
  await page.locator('.legend').getByText('all, the window before').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/compare.png`, fullPage: true });

  await page.locator('.filters').getByRole('radio', { name: 'Block' }).check();
  await tile(page, 'Decisions').getByText('2', { exact: true }).waitFor();
  await tile(page, 'Block rate').getByText('100%').waitFor();
  await page.locator('.filters').getByRole('radio', { name: 'All', exact: true }).check();

  const chart = page.getByRole('slider', { name: /Verdicts over time/ });
  await chart.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  t.match(await chart.getAttribute('aria-valuetext'), /: 0 ALLOW, 0 CHALLENGE, 0 BLOCK$/);
  await page.keyboard.press('Enter');
  await tile(page, 'Decisions').getByText('0', { exact: true }).waitFor();
  await untilParameter(page, 'until', (value) => value !== null);
  const at = new URL(page.url()).searchParams;
  t.equal(Date.parse(at.get('until') ?? '') - Date.parse(at.get('since') ?? ''), 3 * 60_000);
  await page.getByRole('button', { name: 'Zoom out' }).press('Enter');
  await tile(page, 'Decisions').getByText('5', { exact: true }).waitFor();

  const box = await page.locator('.chart .u-over').boundingBox();
  if (box === null) throw new Error('there is no chart');
  await page.mouse.move(box.x + box.width * 0.6, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + 60, { steps: 5 });
  await page.mouse.up();
  await untilParameter(page, 'since', (value) => value !== null);
  await tile(page, 'Decisions').getByText('5', { exact: true }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Zoom out' }).waitFor();
});

t.test('counts by two groups, and leads to the decisions of a cell', async (t) => {
  const page = await open(t);
  await signIn(page, service.origin, '?view=groups&window=1h');
  await page.getByLabel('Rows').selectOption('Action');
  await untilParameter(page, 'groups', (value) => value === 'action,decision');
  const row = page.getByRole('row', { name: /^payout/ });
  await row.getByText('100%').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/groups.png`, fullPage: true });
  await row.getByRole('link').focus();
  await page.keyboard.press('Enter');
  await untilParameter(page, 'action', (value) => value === 'payout');
  await untilParameter(page, 'decision', (value) => value === 'BLOCK');
  await until('2 rows', async () => (await page.locator('.table-body .row').count()) === 2);
});

t.test('tells how right each rule is, and finds who was wronged', async (t) => {
  const page = await open(t);
  await signIn(page, service.origin, '?view=rules&window=1h');
  const row = page.locator('tr', { hasText: /^telemetry-not-found BLOCK/ });
  await row.waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/rules.png`, fullPage: true });
  await row.getByText('of 2').first().waitFor();
  t.equal(await row.locator('.estimate').first().textContent(), '50% of 29.4% to 91%');
  await row.locator('summary').press('Enter');
  await row.locator('.condition').waitFor();
  await page.getByRole('button', { name: 'Decisive' }).press('Enter');
  await page
    .getByRole('columnheader', { name: 'Decisive' })
    .and(page.locator('[aria-sort="descending"]'))
    .waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/rules.png`, fullPage: true });
  await row.getByRole('link', { name: '1 legit' }).press('Enter');
  await until('1 row', async () => (await page.locator('.table-body .row').count()) === 1);
  await page.waitForURL(/rule=telemetry-not-found&label=legit/);
});

t.test('no page has complained', async (t) => {
  t.strictSame(complaints, []);
});
