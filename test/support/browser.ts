import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { BROWSER, thisMachine } from './install-programs.ts';

/** Where pictures for people go; git ignores it. */
export const SCREENSHOTS = 'test/browser/screenshots';

/** How long a page may take for whatever is waited for; far more than it does. */
const STEP_MS_MAX = 30_000;

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  /** The policy of the page would keep a test's own script out. */
  readonly bypassCSP?: boolean;
}

export interface OpenBrowser {
  readonly browser: Browser;
  /** A page in a context of its own, which has nothing stored. */
  open(t: Teardown, options?: PageOptions): Promise<Page>;
  /**
   * What pages wrote to their consoles as errors, and what they threw: breaches of their content security
   * policy among them.
   */
  readonly complaints: readonly string[];
}

/** The machine's own Chromium, until the test ends. */
export async function openBrowser(t: Teardown): Promise<OpenBrowser> {
  const name = BROWSER.names.find((program) => thisMachine.has(program));
  if (name === undefined) throw new Error('there is no browser; run `npm run test:dashboard`');
  mkdirSync(SCREENSHOTS, { recursive: true });
  const browser = await chromium.launch({
    executablePath: findOnPath(name),
    args: ['--no-sandbox', '--disable-background-networking', '--disable-dev-shm-usage'],
  });
  t.teardown(() => browser.close());
  const complaints: string[] = [];
  return {
    browser,
    complaints,
    open: async (test, { width = 1400, height = 1000, colorScheme = 'light', bypassCSP = false } = {}) => {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP });
      test.teardown(() => context.close());
      context.setDefaultTimeout(STEP_MS_MAX);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        // A refused request is no defect of the page.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          complaints.push(message.text());
      });
      return page;
    },
  };
}

function findOnPath(name: string): string {
  const { stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return stdout.trim();
}
