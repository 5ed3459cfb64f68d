import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { createServiceEnvironment, type RunningService, startService } from './start-service.ts';
import { portOf, startEmulators } from './test-app.ts';

/** Keys of a service that a page is opened on, by what they may do. */
export const PAGE_KEYS = {
  reader: 'page-key-reader',
  caller: 'page-key-caller',
  reviewer: 'page-key-reviewer',
  anna: 'page-key-anna',
  ben: 'page-key-ben',
} as const;

const SCOPES = {
  reader: ['read'],
  caller: ['decide'],
  reviewer: ['review'],
  anna: ['read', 'review'],
  ben: ['read', 'review'],
} as const;

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

export interface DashboardService {
  readonly origin: string;
  readonly service: RunningService;
  /** The environment that another start of the same service needs. */
  readonly env: Readonly<Record<string, string>>;
  /** Asks for a decision, and returns its id. */
  decide(body: Readonly<Record<string, unknown>>): Promise<string>;
  /** Takes keys away, or brings them back; the service sees it by itself. */
  writeKeys(keys: readonly (keyof typeof PAGE_KEYS)[]): void;
}

/** The real service as its own process, on emulators. */
export async function startDashboardService(
  t: Teardown,
  settings: Readonly<Record<string, string>> = {},
): Promise<DashboardService> {
  const emulators = await startEmulators(t);
  const upstream = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  const env = { ...createServiceEnvironment(t, upstream), ...settings };
  const writeKeys = (names: readonly (keyof typeof PAGE_KEYS)[]) => {
    const keys = names.map((id) => ({
      id,
      sha256: hash('sha256', PAGE_KEYS[id]),
      scopes: SCOPES[id],
    }));
    writeFileSync(env['API_KEYS_FILE'] ?? '', JSON.stringify({ keys }));
  };
  writeKeys(['reader', 'caller', 'reviewer', 'anna', 'ben']);
  const service = await startService(t, env);
  const { origin } = service;
  return { origin, service, env, writeKeys, decide: (body) => decideAt(origin, body) };
}

/** Asks the service at `origin` for a decision, and returns its id. */
export async function decideAt(origin: string, body: Readonly<Record<string, unknown>>): Promise<string> {
  const response = await fetch(`${origin}/v1/decide`, {
    method: 'POST',
    headers: { 'x-api-key': PAGE_KEYS.caller, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { decision_id: id } = (await response.json()) as { decision_id?: string };
  if (id === undefined) throw new Error(`there is no decision: ${response.status}`);
  return id;
}

/** Opens the page at an address and signs in. */
export async function signIn(
  page: Page,
  origin: string,
  search = '',
  key: string = PAGE_KEYS.reader,
): Promise<void> {
  await page.goto(`${origin}/dashboard${search}`);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  // Rows under the pointer would stand still.
  await page.mouse.move(1, 1);
  // Other views than the first follow no stream.
  if (!search.includes('view=')) await page.getByText('Live', { exact: true }).waitFor();
}
