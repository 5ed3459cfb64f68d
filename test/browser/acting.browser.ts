import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import t from 'tap';
import { openBrowser, SCREENSHOTS } from '../support/browser.ts';
import { PAGE_KEYS, signIn, startDashboardService } from '../support/dashboard-service.ts';
import { until } from '../support/test-app.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const DOUBTFUL = { telemetry_id: 'challenge', device_id: 'active', account_id: 'acct_1', action: 'login' };
const FORGED = { telemetry_id: 'forged', device_id: 'active', action: 'payout' };

const { open, complaints } = await openBrowser(t);
const service = await startDashboardService(t);
const ids: string[] = [];
for (let number = 0; number < 5; number += 1) ids.push(await service.decide(DOUBTFUL));
await service.decide(FORGED);

interface Detail {
  readonly label: string | null;
  readonly labels: readonly { readonly label: string; readonly caller: string }[];
}

async function read<Answer>(path: string): Promise<Answer> {
  const response = await fetch(service.origin + path, { headers: { 'x-api-key': PAGE_KEYS.reader } });
  return (await response.json()) as Answer;
}

const labelOf = async (id = '') => (await read<Detail>(`/v1/decisions/${id}`)).label;

/** Resolves when the service has these labels. */
async function untilLabelled(labels: Readonly<Record<string, string | null>>): Promise<void> {
  for (const [id, label] of Object.entries(labels))
    await until(`${id} has the label ${label}`, async () => (await labelOf(id)) === label);
}

async function findGrave(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate('axe.run()')) as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

t.test('labels from a row and takes it back, by keyboard alone', async (t) => {
  const page = await open(t, { width: 1440, height: 900, bypassCSP: true });
  await signIn(page, service.origin, '?decision=CHALLENGE', PAGE_KEYS.anna);
  const rows = page.locator('.table-body .row');
  await rows.nth(4).waitFor();
  await rows.first().focus();
  await page.keyboard.press('f');
  const notice = page.locator('.act-notice');
  await notice.getByText('Labelled fraud').waitFor();
  await rows.first().locator('.tag-fraud').waitFor();
  await untilLabelled({ [ids[4] ?? '']: 'fraud' });
  t.strictSame(await findGrave(page), []);
  await page.screenshot({ path: `${SCREENSHOTS}/act-row.png` });
  await page.keyboard.press('u');
  await notice.getByText('Taken back').waitFor();
  await untilLabelled({ [ids[4] ?? '']: null });
  await page.keyboard.press('j');
  await page.keyboard.press('l');
  await untilLabelled({ [ids[3] ?? '']: 'legit' });
  await page.keyboard.press('f');
  await untilLabelled({ [ids[3] ?? '']: 'fraud' });
  await page.keyboard.press('u');
  await untilLabelled({ [ids[3] ?? '']: 'legit' });
  const { labels } = await read<Detail>(`/v1/decisions/${ids[3]}`);
  t.same(
    labels.map(({ label, caller }) => `${label} by ${caller}`),
    ['legit by anna', 'fraud by anna', 'withdrawn by anna', 'legit by anna'],
  );
});

t.test('puts a subject on a list from a decision, and takes it off', async (t) => {
  const page = await open(t, { width: 1440, height: 900, bypassCSP: true });
  await signIn(page, service.origin, `?decision_id=${ids[0]}`, PAGE_KEYS.anna);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('On no list.').waitFor();
  const form = dialog.locator('.list-form');
  await form.locator('[name=list]').selectOption('watched');
  await form.getByLabel('Note').fill('of 0301234567890');
  await form.getByRole('button', { name: 'Add to the list' }).press('Enter');
  await dialog.getByText('note must hold no identifier').waitFor();
  await form.getByLabel('Note').fill('seen with three others');
  await form.getByRole('button', { name: 'Add to the list' }).press('Enter');
  await dialog.locator('.listed').getByText('seen with three others').waitFor();
  t.strictSame(await findGrave(page), []);
  await dialog.locator('.list-form').scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${SCREENSHOTS}/act-lists.png` });
  await dialog.locator('.listed').getByRole('button', { name: 'Remove' }).click();
  await dialog.getByText('On no list.').waitFor();
  await dialog.getByRole('button', { name: 'Undo' }).click();
  await dialog.locator('.listed').getByText('seen with three others').waitFor();
  const { entries } = await read<{ entries: { added_by: string; expires_at: string | null }[] }>(
    '/v1/lists/watched/entries',
  );
  t.match(entries, [{ added_by: 'anna', expires_at: /^20/ }]);
  await dialog.locator('.cell-account, .hash').first().click();
  await page.locator('.subject-lists').getByText('seen with three others').waitFor();
  t.strictSame(await findGrave(page), []);
  await page.screenshot({ path: `${SCREENSHOTS}/act-subject.png`, fullPage: true });
});

t.test('two go through one queue, and get no decision twice', async (t) => {
  const [anna, ben] = [
    await open(t, { width: 1440, height: 900, bypassCSP: true }),
    await open(t, { width: 1024 }),
  ];
  /** The decision that is open, and none of `others`: a browser tells of its history by and by. */
  const shown = async (page: Page, ...others: readonly string[]) => {
    const id = () => new URL(page.url()).searchParams.get('decision_id') ?? '';
    await until('a decision is open', () => id() !== '' && !others.includes(id()));
    return id();
  };
  const started = async (page: Page, key: string) => {
    await page.goto(`${service.origin}/dashboard?view=review`);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.review-row').first().waitFor();
    await page.getByRole('button', { name: 'Review the next one' }).click();
    await page.getByRole('dialog').getByText('Facts').waitFor();
    return shown(page);
  };
  const first = await started(anna, PAGE_KEYS.anna);
  const second = await started(ben, PAGE_KEYS.ben);
  t.not(first, second);
  await ben.keyboard.press('k');
  await ben.keyboard.press('j');
  const third = await shown(ben, second);
  t.not(third, first);
  await ben.getByRole('dialog').getByText('Facts').waitFor();
  await anna.keyboard.press('f');
  await untilLabelled({ [first]: 'fraud' });
  await anna.keyboard.press('u');
  await untilLabelled({ [first]: null });
  t.strictSame(await findGrave(anna), []);
  await anna.screenshot({ path: `${SCREENSHOTS}/review-decision.png` });
  await anna.keyboard.press('Escape');
  await anna.locator('.review-row').getByText('ben', { exact: true }).first().waitFor();
  await anna.screenshot({ path: `${SCREENSHOTS}/review.png` });
  const there = await open(t, { width: 400, colorScheme: 'dark', bypassCSP: true });
  await there.goto(
    `${service.origin}/dashboard?view=review&decision=CHALLENGE&label=none&decision_id=${third}`,
  );
  await there.getByLabel('API key').fill(PAGE_KEYS.anna);
  await there.getByRole('button', { name: 'Sign in' }).click();
  await there.getByRole('dialog').getByText('ben is reviewing this decision').waitFor();
  await there.keyboard.press('Escape');
  await there.locator('.review-row').first().waitFor();
  t.strictSame(await findGrave(there), []);
  t.equal(await there.evaluate('document.documentElement.scrollWidth'), 400);
  await there.screenshot({ path: `${SCREENSHOTS}/review-narrow.png`, fullPage: true });
});

t.test('saves a queue for colleagues, and labels a selection', async (t) => {
  const page = await open(t, { width: 1024, bypassCSP: true });
  await page.goto(`${service.origin}/dashboard?view=review&decision=CHALLENGE&action=login`);
  await page.getByLabel('API key').fill(PAGE_KEYS.anna);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Name of the queue').fill('Doubtful logins');
  await page.keyboard.press('Enter');
  await page.getByText('Queue Doubtful logins saved').waitFor();
  const colleague = await open(t);
  await colleague.goto(`${service.origin}/dashboard?view=review`);
  await colleague.getByLabel('API key').fill(PAGE_KEYS.ben);
  await colleague.getByRole('button', { name: 'Sign in' }).click();
  await colleague.getByRole('combobox', { name: 'Queue' }).selectOption('Doubtful logins');
  await until('the filters are in the address', () => colleague.url().includes('action=login'));
  await page.locator('.review-open').first().focus();
  for (const key of ['x', 'j', 'j', 'x']) await page.keyboard.press(key);
  const bulk = page.locator('.bulk');
  await bulk.getByText('2 selected').waitFor();
  t.strictSame(await findGrave(page), []);
  await page.screenshot({ path: `${SCREENSHOTS}/review-bulk.png` });
  await page.route(
    `**/${ids[2]}/outcome`,
    (route) => route.fulfill({ status: 503, json: { detail: 'The log is away.' } }),
    { times: 1 },
  );
  await bulk.getByRole('button', { name: 'legit' }).press('Enter');
  await page.getByText('Labelled legit: 1 decision. Not done: The log is away.').waitFor();
  await page.locator(`[data-id="${ids[2]}"]`).getByText('not labelled').waitFor();
  await untilLabelled({ [ids[4] ?? '']: 'legit', [ids[2] ?? '']: null });
  await bulk.getByRole('button', { name: 'legit' }).press('Enter');
  await page.getByText('Labelled legit: 2 decisions').waitFor();
  await untilLabelled({ [ids[4] ?? '']: 'legit', [ids[2] ?? '']: 'legit' });
  await page.keyboard.press('u');
  await untilLabelled({ [ids[4] ?? '']: 'legit', [ids[2] ?? '']: null });
  await page.locator(`[data-id="${ids[4]}"] .review-open`).focus();
});

t.test('offers nothing to a key that may read alone', async (t) => {
  const page = await open(t);
  await signIn(page, service.origin, `?decision=CHALLENGE`);
  await page.locator('.table-body .row').first().focus();
  await page.keyboard.press('f');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText('On no list.').or(dialog.locator('.listed')).waitFor();
  const acts = page.locator('.label-buttons, .list-form, .listed button');
  t.equal(await acts.count(), 0);
  await page.keyboard.press('Escape');
  await page.goto(`${service.origin}/dashboard?view=review`);
  await page.locator('.review-row').first().waitFor();
  t.equal(await page.locator('.label-buttons, .review-row input, .review-bar form').count(), 0);
  t.equal(await page.getByRole('button', { name: 'Review the next one' }).count(), 0);
  t.not(await labelOf(ids[4]), 'fraud');
});

t.test('labels what is shown, however quickly keys and decisions follow each other', async (t) => {
  const [older, newer] = [await service.decide(DOUBTFUL), await service.decide(DOUBTFUL)];
  const page = await open(t);
  await signIn(page, service.origin, '?decision=CHALLENGE', PAGE_KEYS.anna);
  await page.locator('.table-body .row').nth(1).waitFor();
  await page.locator('.table-body .row').first().focus();
  await page.keyboard.press('Enter');
  const facts = page.getByRole('dialog').getByText('Facts');
  await facts.waitFor();
  // The second key before the page is painted again.
  await page.evaluate(`{
    const press = (key) => document.activeElement.dispatchEvent(
      new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    press('j');
    setTimeout(() => press('f'));
  }`);
  await until('the next one is open', () => page.url().includes(older));
  await facts.waitFor();
  await page.keyboard.press('l');
  await untilLabelled({ [older]: 'legit' });
  t.equal(await labelOf(newer), null);

  await page.keyboard.press('Escape');
  await page.locator('[data-place="0"]:focus').waitFor();
  // No frame is drawn from now on.
  await page.evaluate(
    'held = []; drawn = requestAnimationFrame; requestAnimationFrame = (run) => held.push(run)',
  );
  const latest = await service.decide(DOUBTFUL);
  await until('it has arrived', async () => ((await page.evaluate('held.length')) as number) > 0);
  await page.keyboard.press('f');
  await untilLabelled({ [newer]: 'fraud', [latest]: null });
  await page.evaluate('requestAnimationFrame = drawn; held.forEach((run) => drawn(run))');
});

t.test('takes the next key after a button was used', async (t) => {
  const [older, newer] = [await service.decide(DOUBTFUL), await service.decide(DOUBTFUL)];
  const page = await open(t);
  await signIn(page, service.origin, '?decision=CHALLENGE', PAGE_KEYS.anna);
  const row = page.locator('[data-place="0"]');
  // Shown where the focus is, too.
  await row.focus();
  await row.getByRole('button', { name: 'label fraud' }).press('Enter');
  const notice = page.locator('.act-notice');
  await notice.getByText('Labelled fraud').waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await until('the next one is open', () => page.url().includes(older));
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Facts').waitFor();
  await dialog.getByRole('button', { name: 'legit' }).first().click();
  await notice.getByText('Labelled legit').waitFor();
  await page.keyboard.press('k');
  await until('the one before is open', () => page.url().includes(newer));
  await untilLabelled({ [older]: 'legit', [newer]: 'fraud' });
});

t.test('no page has complained', async (t) => {
  t.strictSame(complaints, []);
});
