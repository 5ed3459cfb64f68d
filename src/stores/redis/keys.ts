/** Spells every key and channel that riskgate uses in Redis. Keys hold keyed hashes and names of the operator's own choice only, and every operation touches one key, so that a cluster can serve them. */
export interface RedisKeys {
  /** The channel on which replicas tell each other what was purged. */
  readonly purgeChannel: string;
  /** The key of one provider's evidence. A store key is `<provider>:<keyed hash>`. */
  evidence(storeKey: string): string;
  /** The key of one telemetry id's binding, by the keyed hash of the id. */
  custody(hash: string): string;
  /** The counter of a caller's requests in windows of one length. The id is the operator's own name for the caller. */
  requests(callerId: string, windowMs: number): string;
  /** The key of an idempotent request, from a keyed hash. */
  idempotency(hash: string): string;
  /** Two keys of the inspection, which ask for the right to what the others do. */
  readonly inspectedText: string;
  readonly inspectedHash: string;
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
    requests: (callerId, windowMs) => `${prefix}:${VERSION}:requests:${callerId}:${windowMs}`,
    idempotency: (hash) => `${prefix}:${VERSION}:idempotency:${hash}`,
    inspectedText: `${prefix}:${VERSION}:inspection:text`,
    inspectedHash: `${prefix}:${VERSION}:inspection:hash`,
  };
}

/** True when the store key is one of this provider's. */
export function isKeyOf(provider: string, storeKey: string): boolean {
  return storeKey.startsWith(`${provider}:`);
}
