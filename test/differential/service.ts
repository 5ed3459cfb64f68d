import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as AppModule from '../../src/app/app.ts';
import type * as ConfigModule from '../../src/config/config.ts';
import type * as LoggerModule from '../../src/platform/logger.ts';
import type * as ProvidersModule from '../../src/providers/registry.ts';
import type * as SinksModule from '../../src/stores/decision-log/registry.ts';
import type * as ScoresModule from '../support/scores/index.ts';

/** One checkout's service, as far as it is asked here. Nothing else of `src` is imported. */
export interface ServiceModules {
  readonly root: string;
  readonly createApp: typeof AppModule.createApp;
  readonly loadConfig: typeof ConfigModule.loadConfig;
  readonly createLogger: typeof LoggerModule.createLogger;
  readonly providers: typeof ProvidersModule.PROVIDERS;
  readonly sinks: typeof SinksModule.SINKS;
  readonly addressScore: typeof ScoresModule.addressScore;
}

/** Imports the service of the checkout at `root`, with the packages of that checkout. */
export async function loadService(root: string): Promise<ServiceModules> {
  const load = (path: string): Promise<unknown> => import(pathToFileURL(join(root, path)).href);
  const [app, config, logger, providers, sinks, scores] = (await Promise.all(
    [
      'src/app/app.ts',
      'src/config/config.ts',
      'src/platform/logger.ts',
      'src/providers/registry.ts',
      'src/stores/decision-log/registry.ts',
      'test/support/scores/index.ts',
    ].map(load),
  )) as [
    typeof AppModule,
    typeof ConfigModule,
    typeof LoggerModule,
    typeof ProvidersModule,
    typeof SinksModule,
    typeof ScoresModule,
  ];
  return {
    root,
    createApp: app.createApp,
    loadConfig: config.loadConfig,
    createLogger: logger.createLogger,
    providers: providers.PROVIDERS,
    sinks: sinks.SINKS,
    addressScore: scores.addressScore,
  };
}

/** The API keys of every service here, by their ids. */
export const API_KEYS = { all: 'key-all', decide: 'key-decide', limited: 'key-limited' } as const;

/** How the service of a scenario differs from the others. */
export interface ServiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The text of a policy, or the name of a file in `policies`. */
  readonly policy: { readonly text: string } | { readonly file: string };
  /** Gateway profiles by name. */
  readonly profiles?: Readonly<Record<string, object>>;
  /** With a provider that is asked about the IP address. */
  readonly hasScores?: boolean;
}

/** A clock that moves when it is told to. */
export interface SteppedClock {
  nowMs(): number;
  monotonicMs(): number;
  advance(ms: number): void;
}

const START_MS = Date.UTC(2026, 2, 1, 12, 0, 0, 123);

/** A clock at a fixed time. */
export function createSteppedClock(): SteppedClock {
  let elapsedMs = 0;
  return {
    nowMs: () => START_MS + Math.round(elapsedMs),
    monotonicMs: () => 1_000 + elapsedMs,
    advance: (ms) => {
      elapsedMs += ms;
    },
  };
}

/** A service that listens on loopback, with fixed time, ids, keys and chance. */
export interface RunningService {
  readonly port: number;
  /** Null unless GRPC_PORT is set. */
  readonly grpcPort: number | null;
  /** What was logged and recorded so far; a record may come a little later than its answer. */
  readonly logLines: readonly string[];
  readonly recordLines: readonly string[];
  close(): Promise<void>;
}

/** Starts the service of a checkout on the upstreams at `origin`. */
export async function startService(
  modules: ServiceModules,
  options: ServiceOptions,
  origin: string,
  clock: SteppedClock,
): Promise<RunningService> {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-differential-'));
  const providers = options.hasScores ? [...modules.providers, modules.addressScore] : modules.providers;
  const plugIns = { providers, sinks: modules.sinks };
  const env = { ...environmentOf(origin, modules.root, directory, options), ...options.env };
  const loaded = modules.loadConfig(env, plugIns);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const logLines: string[] = [];
  const records: string[] = [];
  const { logger } = modules.createLogger('info', { write: (line) => void logLines.push(line) });
  let ids = 0;
  const app = await modules.createApp({
    config: loaded.value,
    ...plugIns,
    logger,
    version: '0.0.0-differential',
    clock,
    newId: () => {
      ids += 1;
      return `01980000-0000-7000-8000-${String(ids).padStart(12, '0')}`;
    },
    random: () => 0.25,
    write: (text) => void records.push(text),
  });
  await app.server.listen({ port: 0, host: '127.0.0.1' });
  const address = app.server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    port: address.port,
    grpcPort: (await app.grpc?.listen('127.0.0.1', 0)) ?? null,
    logLines,
    get recordLines() {
      return records.join('').split('\n').slice(0, -1);
    },
    close: async () => {
      await app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function environmentOf(
  origin: string,
  root: string,
  directory: string,
  { policy, profiles, hasScores = false }: ServiceOptions,
): Record<string, string> {
  const write = (name: string, text: string) => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const entry = (id: keyof typeof API_KEYS, scopes: readonly string[], more = {}) => ({
    id,
    sha256: hash('sha256', API_KEYS[id]),
    scopes,
    ...more,
  });
  const keys = [
    entry('all', ['decide', 'read', 'admin']),
    entry('decide', ['decide']),
    entry('limited', ['decide'], { limits: { requests: 5, window_seconds: 30, concurrent: 2 } }),
  ];
  return {
    API_KEYS_FILE: write('api-keys.yaml', JSON.stringify({ keys })),
    ID_HASH_KEY: 'an id hash key of 32 bytes or more',
    POLICY_FILE:
      'text' in policy ? write('policy.yaml', policy.text) : join(root, 'policies', `${policy.file}.yaml`),
    ...(profiles && { GATEWAY_PROFILES_FILE: write('profiles.yaml', JSON.stringify({ profiles })) }),
    STYTCH_PROJECT_ID: 'project',
    STYTCH_SECRET: 'secret',
    STYTCH_BASE_URL: `${origin}/stytch`,
    MOBILERUN_API_KEY: 'key',
    MOBILERUN_BASE_URL: `${origin}/mobilerun`,
    PREFACTOR_API_TOKEN: 'token',
    PREFACTOR_BASE_URL: `${origin}/prefactor`,
    ...(hasScores && { ADDRESS_SCORE_API_KEY: 'key', ADDRESS_SCORE_BASE_URL: `${origin}/address_score` }),
    // A busy machine must not end what is meant to be answered.
    DECISION_DEADLINE_MS: '10000',
    STYTCH_TIMEOUT_MS: '10000',
    MOBILERUN_TIMEOUT_MS: '10000',
    PREFACTOR_TIMEOUT_MS: '10000',
    EVENT_LOOP_DELAY_MAX_MS: '0',
    DECISION_LOG: 'memory,stdout',
    LOG_DECISIONS: 'on',
  };
}
