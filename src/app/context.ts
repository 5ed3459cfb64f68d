import { randomUUIDv7 } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../application/clock.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../platform/clock.ts';
import { createHttpClient, type HttpClientOptions, type HttpPool } from '../platform/http-client.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import { checkProviders } from '../providers/registry.ts';
import type { SinkDefinition } from '../stores/decision-log/definition.ts';
import { checkSinks } from '../stores/decision-log/registry.ts';

/** What every part of the service is built with. */
export interface AppContext {
  readonly config: Config;
  /** The registry; the configuration says which of them are enabled. */
  readonly providers: readonly ProviderDefinition[];
  /** The registry of the decision log's sinks, likewise. */
  readonly sinks: readonly SinkDefinition[];
  readonly logger: Logger;
  readonly version: string;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly random: () => number;
  /** How often alerts are read: what has not changed is remembered, and costs little. */
  readonly alertsEveryMs: number;
  /** Opens the connections to one provider. */
  readonly createClient: (options: HttpClientOptions) => HttpPool;
  /** Takes records for standard output. */
  readonly write: (text: string) => void;
}

const DEFAULTS = {
  clock: systemClock,
  newId: randomUUIDv7,
  random: Math.random,
  alertsEveryMs: 5_000,
  createClient: createHttpClient,
  // Without a place to write to, records go nowhere.
  write: (): void => {},
};

/** What a service cannot choose for itself, and what it otherwise would. */
export type AppOptions = Omit<AppContext, keyof typeof DEFAULTS> & Partial<AppContext>;

/**
 * The options with what they leave out. Throws when an id of a registry will not do, or stands there twice.
 */
export function toContext(options: AppOptions): AppContext {
  for (const registry of [checkProviders(options.providers), checkSinks(options.sinks)])
    if (!registry.ok) throw new Error(registry.mistakes.join('\n'));
  return { ...DEFAULTS, ...options };
}
