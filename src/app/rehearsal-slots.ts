import { randomBytes } from 'node:crypto';
import type { Clock } from '../application/clock.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { ProviderObserver } from '../application/observers.ts';
import type { Config } from '../config/config.ts';
import type { ProviderConfig } from '../config/provider-settings.ts';
import type { HttpClient, HttpResult } from '../platform/http-client.ts';
import { createKeyedHash } from '../platform/keyed-hash.ts';
import { createEvidenceSource } from '../providers/calls/evidence-source.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import { createMemoryEvidenceStore } from '../stores/evidence/memory-store.ts';

interface RehearsalOptions {
  readonly config: Pick<Config, 'providers' | 'decisionDeadlineMs'>;
  readonly providers: readonly ProviderDefinition[];
  readonly clock: Clock;
}

const UNOBSERVED: ProviderObserver = {
  onProviderCall: () => {},
  onCircuitChange: () => {},
  onSuspectChange: () => {},
};

/**
 * The slots of a service whose providers all answer at once with their examples. They share nothing with
 * those that decide: not the connections, the cache, the canary, the counters or the hash key.
 */
export function createRehearsalSlots({ config, providers, clock }: RehearsalOptions): ProviderSlot[] {
  const store = createMemoryEvidenceStore({ clock, entriesMax: providers.length + 1 });
  const hash = createKeyedHash(randomBytes(32), 'rehearsal', 0);
  return providers.map((definition): ProviderSlot => {
    const { id, subject } = definition;
    const settings = config.providers.find((provider) => provider.id === id);
    if (!settings?.isEnabled || definition.example === undefined) return { id, subject, source: null };
    const source = createEvidenceSource({
      definition,
      ...toCallOptions(settings),
      budgetMs: config.decisionDeadlineMs,
      client: answering(definition.example),
      store,
      keyOf: (subjectId) => `${id}:${hash(subjectId)}`,
      olderKeysOf: () => [],
      hash,
      clock,
      observer: UNOBSERVED,
      random: () => 0,
    });
    return { id, subject, source };
  });
}

function toCallOptions({ settings, concurrencyMax, queueMax, ttlMs }: ProviderConfig) {
  return { settings, concurrencyMax, queueMax, ttlMs };
}

function answering(example: object): HttpClient {
  const headers = { 'content-type': 'application/json' };
  const response = { status: 200, headers, body: JSON.stringify(example) };
  const result: HttpResult = { kind: 'response', response };
  return { exchange: async () => result, close: async () => {} };
}
