import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { type App, createApp } from '../../src/app/app.ts';
import type { Clock } from '../../src/application/clock.ts';
import { loadConfig } from '../../src/config/config.ts';
import {
  createEmulatorServer,
  type EmulatorServer,
  emulatorEnvironment,
} from '../../src/emulators/server.ts';
import { createLogger } from '../../src/platform/logger.ts';
import type { EmulatorOptions, ProviderDefinition } from '../../src/providers/definition.ts';
import type { SinkDefinition } from '../../src/stores/decision-log/definition.ts';
import { SINKS } from '../../src/stores/decision-log/registry.ts';
import type { Answer, DecisionBody, ProblemBody, ProviderId } from './answer.ts';
import { VENDORS } from './vendors.ts';

/** The API keys of every test app: one for each scope, and one for all of them. */
export const KEYS = {
  all: 'test-key-of-all-scopes',
  decide: 'test-key-decide',
  read: 'test-key-read',
  review: 'test-key-review',
  admin: 'test-key-admin',
} as const;

const SCOPES = {
  all: ['decide', 'read', 'admin'],
  decide: ['decide'],
  read: ['read'],
  review: ['review'],
  admin: ['admin'],
} as const;

export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  readonly url?: string;
  /** Null sends no key. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** The address that the request seems to come from; 127.0.0.1 otherwise. */
  readonly address?: string;
}

export interface TestAppOptions {
  /** The registry; that of the service otherwise. */
  readonly providers?: readonly ProviderDefinition[];
  /** Over the environment that points at the emulators; an empty value unsets. */
  readonly env?: Readonly<Record<string, string>>;
  /** The text of a policy instead of policies/default.yaml. */
  readonly policy?: string;
  /** Providers without credentials. */
  readonly disabled?: readonly ProviderId[];
  /** Emulators to share with another app; own ones otherwise. */
  readonly emulators?: EmulatorServer;
  readonly emulatorOptions?: Readonly<Record<string, EmulatorOptions>>;
  readonly clock?: Clock;
  readonly newId?: () => string;
  /** Takes what the sink `stdout` of the decision log writes. */
  readonly write?: (text: string) => void;
  readonly random?: () => number;
  readonly alertsEveryMs?: number;
  /** Those of the registry otherwise. */
  readonly sinks?: readonly SinkDefinition[];
}

export interface TestApp {
  readonly app: App;
  readonly emulators: EmulatorServer;
  /** Every log line so far, parsed. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
  /** The same lines as they were written. */
  readonly logText: () => string;
  /** The policy file, which a test may rewrite. */
  readonly policyFile: string;
  /** POST /v1/decide with the key of all scopes. A string body is sent as it is. */
  decide(body: unknown, options?: AskOptions): Promise<Answer<DecisionBody>>;
  /** The same, for a request that is to be refused. */
  refused(body: unknown, options?: AskOptions): Promise<Answer<ProblemBody>>;
  /** Any other request with the key of all scopes. */
  ask<Body>(
    method: NonNullable<AskOptions['method']>,
    url: string,
    options?: AskOptions,
  ): Promise<Answer<Body>>;
  /** The names of the log events so far. */
  events(): readonly unknown[];
  /** Listens on a free port of loopback and returns it. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

const POLICY_FILE = join(import.meta.dirname, '../../policies/default.yaml');

/** The environment of a service on emulators at `origin`, with the API keys of `KEYS`. */
export function createEnvironment(
  directory: string,
  origin: string,
  providers: readonly ProviderDefinition[] = VENDORS,
): Record<string, string> {
  const apiKeysFile = join(directory, 'api-keys.yaml');
  const keys = Object.entries(KEYS).map(
    ([id, key]) =>
      `  - {id: ${id}, sha256: ${hash('sha256', key)}, scopes: [${SCOPES[id as keyof typeof SCOPES].join(', ')}]}`,
  );
  writeFileSync(apiKeysFile, `keys:\n${keys.join('\n')}\n`);
  return {
    ...emulatorEnvironment(providers, origin),
    API_KEYS_FILE: apiKeysFile,
    ID_HASH_KEY: 'an id hash key of 32 bytes or more',
    POLICY_FILE,
  };
}

/** A directory that is removed with the test. */
export function createDirectory(t: Pick<Test, 'teardown'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Emulators on a free port of loopback that close with the test. */
export async function startEmulators(
  t: Pick<Test, 'teardown'>,
  options: Readonly<Record<string, EmulatorOptions>> = {},
  providers: readonly ProviderDefinition[] = VENDORS,
): Promise<EmulatorServer> {
  const emulators = createEmulatorServer({ providers, options });
  t.teardown(() => emulators.app.close());
  await emulators.app.listen({ port: 0, host: '127.0.0.1' });
  return emulators;
}

/** The real app on emulators, with trace logs written down. It closes with the test. */
export async function createTestApp(
  t: Pick<Test, 'teardown'>,
  options: TestAppOptions = {},
): Promise<TestApp> {
  const directory = createDirectory(t);
  const { providers = VENDORS } = options;
  const emulators = options.emulators ?? (await startEmulators(t, options.emulatorOptions, providers));
  const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  const env: Record<string, string> = {
    ...createEnvironment(directory, origin, providers),
    ...unsetCredentials(options.disabled ?? []),
    // Emulators and test share the event loop, so that its delay says nothing of the service.
    EVENT_LOOP_DELAY_MAX_MS: '0',
    // What must not be in a log is looked for in every line that there can be.
    LOG_DECISIONS: 'on',
    ...options.env,
  };
  if (options.policy !== undefined) {
    env['POLICY_FILE'] = join(directory, 'policy.yaml');
    writeFileSync(env['POLICY_FILE'], options.policy);
  }
  const plugIns = { providers, sinks: options.sinks ?? SINKS };
  const loaded = loadConfig(env, plugIns);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const lines: string[] = [];
  const { logger } = createLogger('trace', { write: (line) => void lines.push(line) });
  const { clock, newId, random, write, alertsEveryMs } = options;
  const app = await createApp({
    config: loaded.value,
    ...plugIns,
    logger,
    version: '0.0.0-test',
    ...(clock && { clock }),
    ...(newId && { newId }),
    ...(random && { random }),
    ...(alertsEveryMs && { alertsEveryMs }),
    ...(write && { write }),
  });
  let closing: Promise<void> | null = null;
  const close = () => (closing ??= app.close());
  t.teardown(close);
  return toTestApp(app, emulators, lines, loaded.value.policyFile, close);
}

function toTestApp(
  app: App,
  emulators: EmulatorServer,
  lines: readonly string[],
  policyFile: string,
  close: () => Promise<void>,
): TestApp {
  const logs = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const post = <Body>(body: unknown, options: AskOptions = {}): Promise<Answer<Body>> =>
    send<Body>(app, { method: 'POST', url: '/v1/decide', ...options }, body);
  return {
    app,
    emulators,
    policyFile,
    get logs() {
      return logs();
    },
    logText: () => lines.join(''),
    decide: (body, options) => post<DecisionBody>(body, options),
    refused: (body, options) => post<ProblemBody>(body, options),
    ask: <Body>(method: NonNullable<AskOptions['method']>, url: string, options: AskOptions = {}) =>
      send<Body>(app, { ...options, method, url }),
    events: () => logs().map((line) => line['event']),
    listen: async () => {
      await app.server.listen({ port: 0, host: '127.0.0.1' });
      return portOf(app.server.server.address());
    },
    close,
  };
}

async function send<Body>(app: App, options: AskOptions, body?: unknown): Promise<Answer<Body>> {
  const { method = 'GET', url = '/', key = KEYS.all, headers = {} } = options;
  const response = await app.server.inject({
    method,
    url,
    ...(options.address === undefined ? {} : { remoteAddress: options.address }),
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const { statusCode: status, headers: received, body: text } = response;
  return { status, headers: received, text, json: parse(text) as Body };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A SyntaxError: pages are not JSON, and a test that expects JSON fails on what it misses.
    return undefined;
  }
}

function unsetCredentials(ids: readonly ProviderId[]): Record<string, string> {
  const settings = VENDORS.filter(({ id }) => ids.some((disabled) => disabled === id)).flatMap((provider) =>
    Object.values(provider.settings),
  );
  return Object.fromEntries(settings.filter(({ isCredential }) => isCredential).map(({ env }) => [env, '']));
}

/** The port of a listening TCP server. */
export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string')
    throw new Error('the server does not listen on a port');
  return address.port;
}

const UNTIL_MS = 60_000;

/**
 * Polls until the condition holds; rejects after a minute, which only a busy machine takes, naming what was
 * waited for.
 */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + UNTIL_MS;
  while (!(await condition())) {
    if (performance.now() > endsAtMs) throw new Error(`waited in vain: ${what}`);
    await delay(5);
  }
}

/** Resolves once the app's Redis is up and purges of other replicas are heard. */
export async function untilRedisIsUp(app: TestApp): Promise<void> {
  await until('redis is up', () => {
    const events = app.events();
    return events.includes('redis.up') && events.includes('redis.subscribed');
  });
}

/** Resolves once the app believes what its Redis knows of lists, which takes a new Redis most of a second. */
export async function untilListsAreKnown(app: TestApp): Promise<void> {
  await until('lists are known', async () => {
    const { json } = await app.ask<{ readonly lists: string }>('GET', '/readyz');
    return json.lists === 'current';
  });
}

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
}

/** A clock that starts at the present time. */
export function createManualClock(startMs: number = Date.now()): ManualClock {
  let elapsedMs = 0;
  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    advance: (ms) => {
      elapsedMs += ms;
    },
  };
}
