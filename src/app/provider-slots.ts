import type { EvidenceStore } from '../application/evidence/evidence-store.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { ProviderObserver } from '../application/observers.ts';
import type { HttpPool } from '../platform/http-client.ts';
import { createKeyedHash, keyIdOf } from '../platform/keyed-hash.ts';
import { createFindProxy } from '../platform/proxy-rules.ts';
import { createEvidenceSource } from '../providers/calls/evidence-source.ts';
import type { AppContext } from './context.ts';
import type { IdHashes } from './id-hashes.ts';

interface ProviderSlotsParts {
  readonly hashes: IdHashes;
  readonly stores: { readonly evidence: EvidenceStore };
  readonly observer: ProviderObserver;
}

/** One slot for each provider of the registry, and the connections of those that are enabled. */
interface ProviderSlots {
  readonly slots: readonly ProviderSlot[];
  /** Opens a connection to each enabled provider, as far as that succeeds within a second. Never rejects. */
  connect(): Promise<void>;
  /** Closes the connections. */
  close(): Promise<void>;
}

/** A provider that cannot be reached must not keep the service from its start for longer. */
const CONNECT_MS_MAX = 1_000;
/**
 * What one answer tells of a person hardly ever comes again, and keeping it costs half of what its hash does.
 */
const NO_MEMO = 0;

/**
 * Builds one slot for each provider of the registry, with its client, breaker and canary where it is
 * enabled.
 */
export function createProviderSlots(
  { config, providers, clock, random, createClient }: AppContext,
  { hashes, stores, observer }: ProviderSlotsParts,
): ProviderSlots {
  const [inForce = '', ...others] = config.idHashKeys;
  const hash = createKeyedHash(inForce, 'identifier', NO_MEMO);
  const hashOfRequest = createKeyedHash(inForce, 'identifier');
  const otherHashes = others.map((key) => ({
    keyId: keyIdOf(key),
    hash: createKeyedHash(key, 'identifier', NO_MEMO),
  }));
  const clients: HttpPool[] = [];
  const findProxy = createFindProxy(config.proxy);
  const slots = providers.map((definition): ProviderSlot => {
    const settings = config.providers.find(({ id }) => id === definition.id);
    const { id, subject } = definition;
    if (!settings?.isEnabled) return { id, subject, source: null };
    const baseUrl = definition.baseUrl(settings.settings);
    const client = createClient({
      baseUrl,
      proxy: findProxy(new URL(baseUrl)),
      connectionsMax: settings.concurrencyMax,
    });
    clients.push(client);
    const source = createEvidenceSource({
      definition,
      settings: settings.settings,
      budgetMs: Math.min(settings.timeoutMs, config.decisionDeadlineMs),
      concurrencyMax: settings.concurrencyMax,
      queueMax: settings.queueMax,
      ttlMs: settings.ttlMs,
      client,
      store: stores.evidence,
      ...hashes.evidenceKeysOf(id),
      hash,
      hashOfRequest,
      otherHashes,
      clock,
      observer,
      random,
    });
    return { id, subject, source };
  });
  return {
    slots,
    connect: async () => {
      await Promise.all(clients.map((client) => client.connectAhead(CONNECT_MS_MAX)));
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
