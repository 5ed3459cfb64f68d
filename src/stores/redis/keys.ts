/** Spells every key and channel that riskgate uses in Redis. Keys hold keyed hashes only, and every operation touches one key, so that a cluster can serve them. */
export interface RedisKeys {
  /** The channel on which replicas tell each other what was purged. */
  readonly purgeChannel: string;
  /** The key of one provider's evidence. A store key is `<provider>:<keyed hash>`. */
  evidence(storeKey: string): string;
  /** The key of one telemetry id's binding, by the keyed hash of the id. */
  custody(hash: string): string;
}

const PREFIX = 'riskgate';
/** The shape of what is stored. Another shape needs another version: replicas of both then run side by side and miss each other's entries. */
const VERSION = 'v1';

/** `prefix` keeps several deployments apart in one Redis. */
export function createRedisKeys(prefix: string = PREFIX): RedisKeys {
  const evidencePrefix = `${prefix}:${VERSION}:evidence:`;
  const custodyPrefix = `${prefix}:${VERSION}:custody:`;
  return {
    purgeChannel: `${prefix}:${VERSION}:purge`,
    evidence: (storeKey) => evidencePrefix + storeKey,
    custody: (hash) => custodyPrefix + hash,
  };
}

/** True when the store key is one of this provider's. */
export function isKeyOf(provider: string, storeKey: string): boolean {
  return storeKey.startsWith(`${provider}:`);
}
