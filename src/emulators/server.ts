import Fastify, { type FastifyInstance } from 'fastify';
import type { EmulatorOptions, ProviderDefinition } from '../providers/definition.ts';
import { createIdCounter, type IdCounter } from '../providers/emulated-id-counter.ts';
import { NOTE_ID_DECORATOR } from '../providers/emulator-faults.ts';

/** The part of a provider that its emulator needs. */
type EmulatedProvider = Pick<ProviderDefinition, 'id' | 'emulator'>;

interface EmulatorServerSettings {
  readonly providers: readonly EmulatedProvider[];
  /** Switches by provider id; the documented behaviour where absent. */
  readonly options?: Readonly<Record<string, EmulatorOptions>>;
}

/** All emulators on one port, with counts of their requests. */
export interface EmulatorServer {
  /** Not listening yet. `close()` is prompt even while answers hang. */
  readonly app: FastifyInstance;
  /**
   * Requests received per provider id, whatever the answer. Wrong paths below a provider's own prefix count
   * too.
   */
  readonly callCounts: () => Record<string, number>;
  /** Accepted lookups of one id at one provider: authorized, and at the right path. */
  readonly callCount: (providerId: string, id: string) => number;
  /** Starts all counts over. */
  readonly resetCallCounts: () => void;
}

/** Distinct ids counted per provider; beyond it the oldest counts are forgotten. */
const COUNTED_IDS_MAX = 100_000;

/**
 * Builds one server that carries the emulator of every given provider: their path spaces do not collide.
 * Requests for no provider get a plain 404.
 */
export function createEmulatorServer({ providers, options = {} }: EmulatorServerSettings): EmulatorServer {
  const app = Fastify({ forceCloseConnections: true, exposeHeadRoutes: false });
  const calls = createIdCounter(providers.length);
  const callsById = new Map<string, IdCounter>();
  const resetCallCounts = () => {
    for (const { id } of providers) {
      calls.clear(id);
      callsById.set(id, createIdCounter(COUNTED_IDS_MAX));
    }
  };
  resetCallCounts();

  for (const { id: providerId, emulator } of providers) {
    app.register(async (scope) => {
      scope.addHook('onRequest', async () => {
        calls.increment(providerId);
      });
      scope.decorate(NOTE_ID_DECORATOR, (id: string) => {
        callsById.get(providerId)?.increment(id);
      });
      await scope.register(await emulator(), options[providerId] ?? {});
    });
  }
  app.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).type('text/plain').send('404 page not found\n'),
  );

  return {
    app,
    callCounts: () => Object.fromEntries(providers.map(({ id }) => [id, calls.count(id)])),
    callCount: (providerId, id) => callsById.get(providerId)?.count(id) ?? 0,
    resetCallCounts,
  };
}

/**
 * The environment variables that point a riskgate service at emulators on `origin` (no trailing slash): base
 * URLs with the path prefix of their defaults, and placeholder credentials, which the emulators accept unless
 * told otherwise.
 */
export function emulatorEnvironment(
  providers: readonly Pick<ProviderDefinition, 'settings'>[],
  origin: string,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const setting of providers.flatMap(({ settings }) => Object.values(settings))) {
    if (setting.env.endsWith('_URL')) {
      const prefix = setting.default === undefined ? '' : new URL(setting.default).pathname;
      environment[setting.env] = origin + prefix.replace(/\/$/, '');
    } else if (setting.isCredential === true) {
      environment[setting.env] = 'emulated';
    }
  }
  return environment;
}
