import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { openBrowser, SCREENSHOTS } from '../support/browser.ts';
import { signIn, startDashboardService } from '../support/dashboard-service.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe calls so is what keeps somebody out. */
const GRAVE = ['serious', 'critical'];

const BODIES = [
  { telemetry_id: 'allow', device_id: 'active', action: 'login' },
  { telemetry_id: 'forged', device_id: 'active', action: 'payout' },
  { telemetry_id: 'challenge', device_id: 'active', action: 'signup' },
  { telemetry_id: 'fault-500', device_id: 'revoked', action: 'login' },
];

const { open, complaints } = await openBrowser(t);
const service = await startDashboardService(t);
for (let round = 0; round < 8; round += 1) for (const body of BODIES) await service.decide(body);

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

interface AxeResults {
  readonly passes: readonly unknown[];
  readonly violations: readonly Violation[];
}

/** As many rules apply to the sign-in, which is the smallest thing to look at. */
const RULES_MIN = 15;

/** What axe finds grave on the page as it is. */
async function findGrave(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { passes, violations } = (await page.evaluate('axe.run()')) as AxeResults;
  if (passes.length < RULES_MIN) throw new Error(`axe looked at next to nothing: ${passes.length} rules`);
  return violations
    .filter(({ impact }) => GRAVE.includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

/** Axe and the width of the views that are pages of their own, on a page that is signed in. */
async function lookAtViews(
  t: Test,
  page: Page,
  picture: (what: string, fullPage: boolean) => Promise<unknown>,
): Promise<void> {
  for (const view of ['groups', 'rules', 'policy']) {
    await page.goto(`${service.origin}/dashboard?view=${view}&window=15m`);
    if (view === 'policy') await page.getByText(/^Analysis: /).waitFor();
    else await page.getByRole('table').getByRole('row').nth(2).waitFor();
    t.strictSame(await findGrave(page), [], view);
    const width = page.viewportSize()?.width;
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `${view} fits`);
    await picture(view, false);
  }
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, width] of [
    ['wide', 1400],
    ['narrow', 400],
  ] as const) {
    t.test(`is accessible and fits the screen, ${name} and ${colorScheme}`, async (t) => {
      const page = await open(t, { width, colorScheme, bypassCSP: true });
      const picture = (what: string, fullPage = true) =>
        page.screenshot({ path: `${SCREENSHOTS}/${what}-${name}-${colorScheme}.png`, fullPage });
      await page.goto(`${service.origin}/dashboard`);
      await page.getByLabel('API key').waitFor();
      t.strictSame(await findGrave(page), [], 'the sign-in');
      await picture('sign-in');
      await signIn(page, service.origin, '?window=15m');
      await page.locator('.table-body .row').nth(5).waitFor();
      await page.locator('.provider').nth(2).waitFor();
      await page.getByRole('button', { name: 'More filters' }).click();
      t.strictSame(await findGrave(page), [], 'the page');
      await picture('page');
      t.equal(
        await page.evaluate('document.documentElement.scrollWidth'),
        width,
        'nothing is wider than the screen',
      );
      await page.getByRole('button', { name: 'Rules' }).click();
      await page.locator('.plain').waitFor();
      await page.locator('.table-body .verdict-block').first().click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('Without each provider').waitFor();
      for (const summary of await dialog.locator('summary').all()) await summary.click();
      t.strictSame(await findGrave(page), [], 'one decision');
      await picture('decision', false);
      await dialog.locator('.pairs .hash').nth(1).click();
      await page.getByRole('heading', { name: 'Seen with' }).waitFor();
      await page.getByText('On no list.').waitFor();
      t.strictSame(await findGrave(page), [], 'one subject');
      await picture('subject');
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'the subject fits too');
      await lookAtViews(t, page, picture);
    });
  }
}

t.test('the views are accessible and fit the screen of a small laptop', async (t) => {
  const page = await open(t, { width: 1024, bypassCSP: true });
  await signIn(page, service.origin, '?window=15m');
  await lookAtViews(t, page, (what, fullPage) =>
    page.screenshot({ path: `${SCREENSHOTS}/${what}-1024.png`, fullPage }),
  );
});

t.test('no page has complained', async (t) => {
  t.strictSame(complaints, []);
});
