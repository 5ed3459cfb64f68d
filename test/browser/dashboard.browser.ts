import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t from 'tap';
import { openBrowser, SCREENSHOTS } from '../support/browser.ts';
import { PAGE_KEYS, signIn, startDashboardService } from '../support/dashboard-service.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { findFreePort } from '../support/start-program.ts';
import { startService } from '../support/start-service.ts';
import { until } from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active', action: 'login', account_id: 'acct_1' };
const FORGED = { telemetry_id: 'forged', device_id: 'active', action: 'payout' };
const DOUBTFUL = { telemetry_id: 'challenge', device_id: 'active', action: 'login' };
/** Between the answer to a decision and its row. */
const LIVE_MS_MAX = 1_000;

const { open, complaints } = await openBrowser(t);

const rowsOf = (page: Page) => page.locator('.table-body .row');

/** Resolves when so many rows are there; all rows of these tests fit on the screen. */
async function untilRows(page: Page, count: number): Promise<void> {
  await until(`${count} rows`, async () => (await rowsOf(page).count()) === count);
}

/** Resolves when the address has this query: a browser tells of its history by and by. */
async function untilSearch(page: Page, search: string): Promise<void> {
  await until(`the address ends in ${search}`, () => new URL(page.url()).search === search);
}

t.test('asks for a key, and says what is wrong with one', async (t) => {
  const { origin } = await startDashboardService(t);
  const page = await open(t);
  await page.goto(`${origin}/dashboard?decision=BLOCK`);
  const enter = async (key: string) => {
    await page.getByLabel('API key').fill(key);
    await page.keyboard.press('Enter');
  };
  await enter('page-key-of-nobody');
  await page.getByRole('alert').getByText('This key is not accepted').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/sign-in-wrong-key.png` });
  await enter(PAGE_KEYS.caller);
  await page.getByRole('alert').getByText('This key may not read decisions').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/sign-in-no-permission.png` });
  await enter(PAGE_KEYS.reader);
  await page.getByText('Live', { exact: true }).waitFor();
  await untilSearch(page, '?decision=BLOCK');
  const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
  t.equal(kept, '[{},{},""]', 'no script can read what the browser holds');
  await page.reload();
  await page.getByText('Live', { exact: true }).waitFor();
  await untilSearch(page, '?decision=BLOCK');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key').waitFor();
  await page.reload();
  await page.getByLabel('API key').waitFor();
});

t.test('shows a decision within a second of its answer', async (t) => {
  const service = await startDashboardService(t);
  const page = await open(t);
  await signIn(page, service.origin);
  await page.getByText('No decisions yet').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/empty.png`, fullPage: true });
  await service.decide(GOOD);
  await untilRows(page, 1);
  const delays: number[] = [];
  for (let shown = 2; shown <= 4; shown += 1) {
    await service.decide(FORGED);
    const answeredAtMs = performance.now();
    await rowsOf(page)
      .nth(shown - 1)
      .waitFor();
    delays.push(performance.now() - answeredAtMs);
  }
  t.ok(Math.min(...delays) < LIVE_MS_MAX, `${delays.map(Math.round).join(', ')} ms`);
  await page.locator('.tile', { hasText: 'Block rate' }).getByText('75%').waitFor();
});

t.test('narrows the list down by filters that are in the address', async (t) => {
  const service = await startDashboardService(t);
  for (const body of [GOOD, FORGED, GOOD, DOUBTFUL]) await service.decide(body);
  const page = await open(t);
  await signIn(page, service.origin);
  await untilRows(page, 4);
  const filters = page.locator('.filters');
  await filters.getByRole('radio', { name: 'Block' }).check();
  await untilRows(page, 1);
  await untilSearch(page, '?decision=BLOCK');
  await service.decide(DOUBTFUL);
  await service.decide(FORGED);
  await untilRows(page, 2);
  t.equal(await page.locator('.table-body .verdict-block').count(), 2, 'what arrives is filtered too');
  await page.goBack();
  await untilRows(page, 6);
  await filters.getByLabel('Reason').selectOption('STYTCH_CHALLENGE');
  await untilRows(page, 2);
  t.equal(await page.locator('.table-body .verdict-challenge').count(), 2);
  await page.goto(`${service.origin}/dashboard?decision=ALLOW&reason=STYTCH_CHALLENGE`);
  await page.getByText('No decision matches').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/nothing-found.png`, fullPage: true });
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await untilRows(page, 6);
  await untilSearch(page, '');
});

t.test('explains one decision in full, by keyboard alone', async (t) => {
  const service = await startDashboardService(t);
  await service.decide({ ...GOOD, telemetry_id: 'fault-500' });
  await service.decide(FORGED);
  const page = await open(t);
  await signIn(page, service.origin);
  await untilRows(page, 2);
  await rowsOf(page).first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog
    .locator('.condition', { hasText: '!stytch.found && !providers.stytch.suspect' })
    .first()
    .waitFor();
  await dialog.getByText('makes it BLOCK').waitFor();
  await dialog.getByText('asked for this decision').waitFor();
  await dialog.getByText('from the cache of the process').first().waitFor();
  await dialog.locator('.without li', { hasText: 'without stytch' }).getByText('CHALLENGE').first().waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/detail.png` });
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await untilSearch(page, '');
  // The focus returns to the row once the dialog is gone.
  await page.locator('[data-place="0"]:focus').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.locator('[data-place="1"]:focus').waitFor();
  await page.keyboard.press('Enter');
  await dialog.getByText('unknown counts as CHALLENGE').first().waitFor();
  await dialog.getByText('degraded: evidence was missing').waitFor();
  await page.screenshot({ path: `${SCREENSHOTS}/detail-degraded.png` });
  await dialog.getByRole('button', { name: 'Close' }).click();
  await dialog.waitFor({ state: 'detached' });
});

t.test('loses no key between a row, a link in it and a decision in full', async (t) => {
  const service = await startDashboardService(t);
  for (const body of [GOOD, FORGED, GOOD]) await service.decide(body);
  const page = await open(t);
  await signIn(page, service.origin);
  await untilRows(page, 3);
  await rowsOf(page).first().focus();
  // The second one repeats, as a key that is held down does.
  for (let press = 0; press < 2; press += 1) await page.keyboard.down('ArrowDown');
  await page.keyboard.up('ArrowDown');
  await page.locator('[data-place="2"]:focus').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  // The next key, before the page is painted again.
  await page.evaluate(`addEventListener('keydown', () => setTimeout(() => {
    const up = new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(up);
  }), { once: true, capture: true })`);
  await page.keyboard.press('Escape');
  await untilSearch(page, '');
  // What is done after painting is done then.
  await page.evaluate(`new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))`);
  t.equal(await page.evaluate('document.activeElement.dataset.place'), '1');

  await page.keyboard.press('ArrowUp');
  await page.locator('[data-place="0"]:focus').waitFor();
  await page.keyboard.press('Tab');
  await page.locator('[data-place="0"] a:focus').first().waitFor();
  await service.decide(FORGED);
  await page.getByRole('button', { name: '1 new' }).waitFor();
  t.equal(await page.locator('[data-place="0"] a:focus').count(), 1, 'the link keeps the focus');
  await page.keyboard.press('ArrowDown');
  await page.locator('[data-place="1"]:focus').waitFor();
});

t.test('shows what was remembered of a subject, and who satisfied a rule', async (t) => {
  const service = await startDashboardService(t);
  const send = (method: string, path: string, key: string, body: object) =>
    fetch(service.origin + path, {
      method,
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const watched = { account_id: 'acct_9', note: 'was taken over once' };
  t.ok((await send('PUT', '/v1/lists/watched/entries', PAGE_KEYS.reviewer, watched)).ok);
  const ids = { telemetry_id: 'challenge', device_id: 'active', account_id: 'acct_9' };
  t.ok((await send('POST', '/v1/step-ups', PAGE_KEYS.caller, { ...ids, method: 'otp' })).ok);
  await service.decide({ ...ids, action: 'login' });
  const page = await open(t);
  await signIn(page, service.origin);
  await untilRows(page, 1);
  await rowsOf(page).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Satisfied by a challenge that was passed').waitFor();
  for (const [name, signal] of [
    ['activity', 'account.devices_1h'],
    ['step-up', 'method'],
    ['lists', 'watched.account'],
  ] as const) {
    const piece = dialog.locator('.piece', { has: page.getByText(name, { exact: true }) });
    await piece.locator('summary').click();
    await piece.getByText(signal, { exact: true }).waitFor();
  }
  await page.screenshot({ path: `${SCREENSHOTS}/detail-remembered.png`, fullPage: true });
});

t.test('saves what is listed as CSV and as NDJSON', async (t) => {
  const service = await startDashboardService(t);
  for (const body of [GOOD, FORGED, GOOD]) await service.decide(body);
  const page = await open(t);
  await signIn(page, service.origin, '?decision=BLOCK');
  await untilRows(page, 1);
  for (const [name, count] of [
    ['CSV', 2],
    ['NDJSON', 1],
  ] as const) {
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name, exact: true }).click();
    const download = await downloading;
    t.match(download.suggestedFilename(), new RegExp(`^decisions-.*\\.${name.toLowerCase()}$`));
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n');
    t.equal(lines.length, count);
    t.match(lines.at(-1), /TELEMETRY_NOT_FOUND/);
  }
});

t.test('stands still while paused, and shows what it missed', async (t) => {
  const service = await startDashboardService(t);
  await service.decide(GOOD);
  const page = await open(t);
  await signIn(page, service.origin);
  await untilRows(page, 1);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused').waitFor();
  await service.decide(FORGED);
  await page.waitForTimeout(500);
  t.equal(await rowsOf(page).count(), 1);
  await page.getByRole('button', { name: 'Resume' }).click();
  await untilRows(page, 2);
});

t.test('signs out when the key is taken away', async (t) => {
  const service = await startDashboardService(t);
  const page = await open(t);
  await signIn(page, service.origin);
  service.writeKeys(['caller']);
  await page.getByText('You have been signed out').waitFor();
  t.ok(await page.getByLabel('API key').isVisible());
});

t.test('goes on where it was when the service comes back', async (t) => {
  const redis = await startRedisServer(t);
  const port = String(await findFreePort());
  const settings = { PORT: port, REDIS_URL: redis.url, DECISION_LOG: 'redis' };
  const service = await startDashboardService(t, settings);
  // The very first decisions may come before Redis is reached.
  await until('the log is up', async () => (await readLog(service.origin)) === 200);
  await service.decide(GOOD);
  const page = await open(t);
  await signIn(page, service.origin);
  await untilRows(page, 1);
  service.service.child.kill('SIGTERM');
  await page.getByText('Reconnecting').waitFor();
  await service.service.ended;
  await page.screenshot({ path: `${SCREENSHOTS}/reconnecting.png` });
  const again = await startService(t, service.env);
  t.equal(again.origin, service.origin);
  await until('the log is up again', async () => (await readLog(service.origin)) === 200);
  await service.decide(FORGED);
  await untilRows(page, 2);
  await page.getByText('Live', { exact: true }).waitFor();
  await service.decide(DOUBTFUL);
  await untilRows(page, 3);
  t.equal(await page.locator('.gap').count(), 0, 'nothing is missing');
  t.ok(await page.getByRole('button', { name: 'Sign out' }).isVisible(), 'nobody had to sign in again');
});

async function readLog(origin: string): Promise<number> {
  const headers = { 'x-api-key': PAGE_KEYS.reader };
  return (await fetch(`${origin}/v1/decisions`, { headers })).status;
}

t.test('no page has complained', async (t) => {
  t.strictSame(complaints, []);
});
