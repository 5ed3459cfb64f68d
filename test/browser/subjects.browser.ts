import type { Page } from 'playwright-core';
import t from 'tap';
import { openBrowser, SCREENSHOTS } from '../support/browser.ts';
import { PAGE_KEYS, signIn, startDashboardService } from '../support/dashboard-service.ts';

const KNOWN = {
  telemetry_id: 'challenge',
  device_id: 'active',
  action: 'login',
  account_id: 'canary-account',
};
/** Its telemetry provider fails. */
const DOUBTED = { telemetry_id: 'fault-500', device_id: 'active', action: 'login', account_id: 'acct_2' };
const WITHOUT_DEVICE = { telemetry_id: 'forged', action: 'payout', account_id: 'acct_3' };

const { open, complaints } = await openBrowser(t);
const service = await startDashboardService(t);
const send = (method: string, path: string, key: string, body: object) =>
  fetch(service.origin + path, {
    method,
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const { action: _, ...ids } = KNOWN;
await send('POST', '/v1/step-ups', PAGE_KEYS.caller, { ...ids, method: 'otp' });
await send('PUT', '/v1/lists/watched/entries', PAGE_KEYS.reviewer, {
  account_id: KNOWN.account_id,
  note: 'was taken over once',
});
for (const body of [KNOWN, DOUBTED, WITHOUT_DEVICE]) await service.decide(body);

const rowOf = (page: Page, text: string) => page.locator('.table-body .row', { hasText: text }).first();

t.test('tells what could not be ruled out apart from what was true, and what was not given', async (t) => {
  const page = await open(t);
  await signIn(page, service.origin);
  const doubted = page.locator('.table-body .row', { has: page.locator('.code-unknown') }).first();
  await doubted.getByText('could not be ruled out: Stytch was unavailable').first().waitFor();
  t.equal(await rowOf(page, 'payout').locator('.cell-device').textContent(), 'not given');
  t.match(await rowOf(page, 'payout').locator('.cell-providers').textContent(), /mobilerun: not given/);
  // A code that was true in one decision and could not be ruled out in another has two numbers.
  const entry = page.locator('.reason-bar', { hasText: 'TELEMETRY_NOT_FOUND' });
  await entry.getByRole('button', { name: 'TELEMETRY_NOT_FOUND true: 1' }).waitFor();
  await entry.getByRole('button', { name: 'TELEMETRY_NOT_FOUND could not be ruled out: 1' }).click();
  await page.waitForURL(/rule=TELEMETRY_NOT_FOUND%3Aunknown/);
  await rowOf(page, 'payout').waitFor({ state: 'detached' });
  await doubted.click();
  const dialog = page.getByRole('dialog');
  const rule = dialog.locator('.rule-unknown', { hasText: 'telemetry-not-found' });
  await rule.getByText('Could not be ruled out: Stytch was unavailable.').waitFor();
  await rule.getByText('What it looks for:').waitFor();
  const top = async (name: string) => (await dialog.getByRole('heading', { name }).boundingBox())?.y ?? 0;
  t.ok((await top('Why')) < (await top('Facts')), 'why comes before the facts');
});

t.test('finds a subject by its identifier, whose page has an address that lasts', async (t) => {
  const page = await open(t);
  await signIn(page, service.origin);
  const find = async (text: string) => {
    await page.getByPlaceholder('Find by id or #hash').fill(text);
    await page.keyboard.press('Enter');
  };
  await page.locator('.finder select').selectOption('Account');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await find(KNOWN.account_id);
  await page.waitForURL(/view=subject&subject=account%2F[0-9a-f]{32}$/);
  t.notMatch(asked.join(' '), /canary/, 'no address holds the identifier, those of the service included');
  const url = page.url();
  const looked = async (page: Page) => {
    await page.getByRole('heading', { name: /^Account #/ }).waitFor();
    await page.getByText('was taken over once').waitFor();
    await page.getByText('challenge passed').waitFor();
    await page.locator('.seen-part', { hasText: 'Device' }).locator('.hash').waitFor();
    await page.getByRole('row', { name: /^last hour 1/ }).waitFor();
    const rows = page.locator('.table-body .row');
    await rows.first().waitFor();
    t.equal(await rows.count(), 1, 'its decisions alone');
  };
  await looked(page);
  await page.reload();
  await looked(page);
  await page.screenshot({ path: `${SCREENSHOTS}/subject.png`, fullPage: true });
  const colleague = await open(t);
  await signIn(colleague, service.origin, new URL(url).search);
  await looked(colleague);
  // On to the device, by keyboard alone; and back by the keyed hash.
  await page.locator('.seen-part', { hasText: 'Device' }).locator('.hash').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^Device #/ }).waitFor();
  await page.locator('.seen-part', { hasText: '2 accounts' }).waitFor();
  await find(`#${url.slice(-32)}`);
  await page.waitForURL(url);
  await find('#6f1e');
  await page.getByText('A keyed hash has 32 digits').waitFor();
  await find(`#${'0'.repeat(32)}`);
  await page.getByText('No decision about a subject with this hash is kept').waitFor();
});

for (const [width, height] of [
  [1440, 900],
  [1024, 768],
  [400, 800],
] as const) {
  t.test(`the decisions are at hand on a screen of ${width} by ${height}`, async (t) => {
    const page = await open(t, { width, height });
    await signIn(page, service.origin);
    const row = page.locator('.table-body .row').first();
    await page.locator('.reason-bar').first().waitFor();
    const boxOf = async (part: string) => {
      const box = await row.locator(part).boundingBox();
      if (box === null) throw new Error(`nothing to see of ${part}`);
      return box;
    };
    const time = await boxOf('.cell-time');
    t.ok(time.y + time.height < height, `the first decision ends at ${time.y + time.height} px`);
    const account = await boxOf('.cell-account .hash');
    t.ok(account.width >= 60, `the account has ${account.width} px`);
    const why = await boxOf('.cell-reasons');
    if (width === 400) t.ok(why.y < account.y, 'why stands before who');
    else t.equal(Math.round((why.y - account.y) / 20), 0, 'in one line');
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
  });
}

t.test('no page has complained', async (t) => {
  t.strictSame(complaints, []);
});
