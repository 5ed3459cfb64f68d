import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openBrowser, SCREENSHOTS } from '../support/browser.ts';
import { signIn, startDashboardService } from '../support/dashboard-service.ts';
import { createDirectory } from '../support/test-app.ts';

const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

const RULES = `alerts:
  few-decisions: {when: block_rate, above: 0.5, window: 10m, minimum: 1000}
  blocked: {when: block_rate, above: 0.5, window: 10m, minimum: 3, severity: critical, description: Most are blocked}
  spikes: {when: rule_spike}
  policy: {when: policy_refused}
`;

t.test(
  'an alert that fires is seen from every view, and what cannot be read is not shown as fine',
  async (t) => {
    const { open, complaints } = await openBrowser(t);
    const ALERTS_FILE = join(createDirectory(t), 'alerts.yaml');
    writeFileSync(ALERTS_FILE, RULES);
    const { origin, decide } = await startDashboardService(t, { ALERTS_FILE });
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await open(t, {
        bypassCSP: true,
        colorScheme,
        width: colorScheme === 'light' ? 1440 : 1024,
      });
      await signIn(page, origin);
      const tab = page.getByRole('link', { name: /^Alerts/ });
      if (colorScheme === 'light') {
        await tab.getByText('some cannot be read').waitFor({ state: 'attached' });
        for (let serial = 0; serial < 3; serial += 1)
          await decide({ telemetry_id: `forged-${serial}`, device_id: 'active' });
      }
      await tab.locator('.badge-firing').waitFor();
      await tab.focus();
      await page.keyboard.press('Enter');
      const rows = page.locator('.alerts-table tbody tr');
      await rows.first().getByText('Firing').waitFor();
      t.same(
        await rows.locator('th').evaluateAll((cells) => cells.map((cell) => cell.firstChild?.textContent)),
        ['blocked', 'spikes', 'few-decisions', 'policy'],
      );
      t.match(await rows.first().innerText(), /Most are blocked[\s\S]*100% \(3\), limit 50%[\s\S]*critical/);
      t.match(await rows.nth(1).innerText(), /Unknown[\s\S]*Fewer than 3 days/);
      t.match(await rows.nth(2).innerText(), /Too few[\s\S]*Only 3 decisions/);
      await page.waitForURL(`${origin}/dashboard?view=alerts`);
      await page.evaluate(AXE);
      const serious = await page.evaluate(
        'axe.run().then(({violations}) => violations.filter(({impact}) => ["serious", "critical"].includes(impact)).map(({id}) => id))',
      );
      t.same(serious, [], colorScheme);
      await page.screenshot({ path: `${SCREENSHOTS}/alerts-${colorScheme}.png` });
    }
    t.same(complaints, []);
  },
);
