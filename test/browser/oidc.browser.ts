import { readFileSync } from 'node:fs';
import t from 'tap';
import { openBrowser, SCREENSHOTS } from '../support/browser.ts';
import { startDashboardService } from '../support/dashboard-service.ts';
import { OPENID_CLIENT, startOpenIdIssuer } from '../support/openid-issuer.ts';
import { findFreePort } from '../support/start-program.ts';

const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

t.test('people sign in at another site, and come back to what they were looking at', async (t) => {
  const { open, complaints } = await openBrowser(t);
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  const issuer = await startOpenIdIssuer(t, {
    redirectUri: `${origin}/v1/session/oidc/callback`,
    accounts: { ana: { name: 'Ana Example', groups: ['analysts'] }, eve: { name: 'Eve', groups: [] } },
    hostname: 'localhost',
  });
  await startDashboardService(t, {
    PORT: String(port),
    PUBLIC_URL: origin,
    OIDC_ISSUER: issuer.issuer,
    OIDC_CLIENT_ID: OPENID_CLIENT.id,
    OIDC_CLIENT_SECRET: OPENID_CLIENT.secret,
    OIDC_GROUPS: 'analysts=read review',
  });
  const page = await open(t, { bypassCSP: false });
  const enter = page.getByRole('link', { name: 'Sign in with your organisation' });
  await page.goto(`${origin}/dashboard?decision=BLOCK`);
  issuer.signInAs('eve');
  await enter.click();
  await page.getByRole('alert').getByText('You are not allowed in here').waitFor();
  // Without what the issuer said: a reload does not say it again.
  await page.waitForURL(`${origin}/dashboard?decision=BLOCK`);
  await page.screenshot({ path: `${SCREENSHOTS}/sign-in-openid.png` });
  issuer.signInAs(null);
  await page.context().clearCookies();
  await enter.click();
  await page.getByRole('alert').getByText('You were not signed in').waitFor();
  issuer.signInAs('ana');
  await page.context().clearCookies();
  await enter.focus();
  await page.keyboard.press('Enter');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.waitForURL(`${origin}/dashboard?decision=BLOCK`);
  const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
  t.equal(kept, '[{},{},""]', 'no script can read what the browser holds');
  await page.reload();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await enter.waitFor();
  t.same(complaints, [], 'the policy of the page forbids nothing of it');
});

t.test('the sign-in is accessible in light and dark', async (t) => {
  const { open } = await openBrowser(t);
  const { origin } = await startDashboardService(t, {
    PUBLIC_URL: 'http://localhost:9',
    OIDC_ISSUER: 'http://localhost:9',
    OIDC_CLIENT_ID: 'x',
    OIDC_GROUPS: 'a=read',
  });
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await open(t, { bypassCSP: true, colorScheme, width: 400 });
    await page.goto(`${origin}/dashboard#sign-in=unavailable`);
    await page.getByRole('alert').waitFor();
    await page.evaluate(AXE);
    const serious = (await page.evaluate(
      'axe.run().then(({violations}) => violations.filter(({impact}) => ["serious", "critical"].includes(impact)).map(({id}) => id))',
    )) as readonly string[];
    t.same(serious, [], colorScheme);
    await page.screenshot({ path: `${SCREENSHOTS}/sign-in-openid-${colorScheme}.png` });
  }
});
