import { integer, type Setting, type Settings } from '../platform/setting.ts';
import { isComplete, readSettings } from './read-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The part of a provider definition that configuration depends on. */
export interface ProviderDeclaration {
  readonly id: string;
  readonly title: string;
  readonly settings: Settings;
  readonly ttlSeconds: Readonly<Record<string, number>>;
}

/** What the environment says of one provider. */
export interface ProviderConfig {
  readonly id: string;
  readonly isEnabled: boolean;
  /** Parsed by their own declarations; one that is not set is absent. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Bound of one call including its retry. */
  readonly timeoutMs: number;
  /** Calls under way at once, and calls that may wait for one of them to end. */
  readonly concurrencyMax: number;
  readonly queueMax: number;
  /** By settled outcome; 0 means not cached. */
  readonly ttlMs: Readonly<Record<string, number>>;
}

/** Reads the variables of one provider; null where they have mistakes. */
export function readProvider(
  env: Environment,
  provider: ProviderDeclaration,
  mistakes: string[],
): ProviderConfig | null {
  const isEnabled = isProviderEnabled(env, provider);
  // A disabled provider's other variables are still parsed: a wrong one is found before it is needed.
  const own = readSettings(env, isEnabled ? provider.settings : toOptional(provider.settings), mistakes);
  const calls = readSettings(env, callSettings(provider), mistakes);
  const ttls = readSettings(env, ttlSettings(provider), mistakes);
  if (!isComplete(own) || !isComplete(calls) || !isComplete(ttls)) return null;
  const settings = withoutAbsent(own);
  const ttlMs = Object.entries(ttls).map(([outcome, seconds]) => [outcome, seconds * 1000] as const);
  return { id: provider.id, isEnabled, settings, ...calls, ttlMs: Object.fromEntries(ttlMs) };
}

/** Whether any credential of a provider is set. */
export function isProviderEnabled(env: Environment, { settings }: ProviderDeclaration): boolean {
  return Object.values(settings).some(({ isCredential, env: name }) => isCredential && env[name]);
}

/**
 * The variables that every provider has beside its own: a timeout, the bounds of its bulkhead, and a time to
 * live for each outcome that is cached.
 */
export function commonSettings(provider: ProviderDeclaration): readonly Setting[] {
  return [...Object.values(callSettings(provider)), ...Object.values(ttlSettings(provider))];
}

function callSettings({ id, title }: ProviderDeclaration) {
  const prefix = id.toUpperCase();
  return {
    timeoutMs: {
      env: `${prefix}_TIMEOUT_MS`,
      schema: integer(10, 10_000),
      default: '1000',
      description: `The longest one call to ${title} may take, its retry included.`,
    },
    concurrencyMax: {
      env: `${prefix}_CONCURRENCY_MAX`,
      schema: integer(1, 4_096),
      default: '128',
      description: `The most calls to ${title} at once, each on a connection of its own.`,
    },
    queueMax: {
      env: `${prefix}_QUEUE_MAX`,
      schema: integer(0, 65_536),
      default: '1024',
      description: `The most calls to ${title} that wait for one of these to end; beyond it the outcome is \`unavailable\` at once.`,
    },
  };
}

function ttlSettings({ id, title, ttlSeconds }: ProviderDeclaration) {
  const declare = ([outcome, seconds]: readonly [string, number]) => ({
    env: `${id.toUpperCase()}_${outcome.toUpperCase()}_TTL_SECONDS`,
    schema: integer(0, 86_400),
    default: String(seconds),
    description: `How long an answer \`${outcome}\` of ${title} is cached; 0 is not at all.`,
  });
  return Object.fromEntries(Object.entries(ttlSeconds).map((ttl) => [ttl[0], declare(ttl)] as const));
}

/** The same variables, none of them required. */
export function toOptional(settings: Settings): Settings {
  const entries = Object.entries(settings).map(
    ([name, setting]) => [name, { ...setting, isOptional: true }] as const,
  );
  return Object.fromEntries(entries);
}

/** Plug-ins find an optional variable that is not set absent, and not null. */
export function withoutAbsent(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}
