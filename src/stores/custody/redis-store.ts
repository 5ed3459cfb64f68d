import type { Clock } from '../../application/clock.ts';
import type { CustodyName, CustodyStore } from '../../application/custody/custody-store.ts';
import type { CustodyFit, CustodyLoss, CustodyRecord } from '../../domain/custody.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { briefLifeMs, custodyLifeMs } from './custody-life.ts';
import { createPendingKeeps } from './pending-keeps.ts';
import { createCustodyGenerations, type UnknownKey } from './redis-generations.ts';
import { KEEP, USE } from './redis-scripts.ts';

interface RedisCustodyStoreOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly clock: Clock;
  /** A binding that is to be kept is so for at least this long after its latest use. */
  readonly retentionMs: number;
  /**
   * The ids of the hash keys that the names of this process are made with, the one in force first: each use
   * has one name for each.
   */
  readonly keyIds: readonly string[];
  /** Called when Redis turns out to have lost bindings; not more often than once in ten seconds. */
  readonly onLost?: () => void;
  /**
   * Called when others write under a hash key that is not known here; not more often than once in ten
   * seconds.
   */
  readonly onUnknownKey?: (key: UnknownKey) => void;
}

interface RedisCustodyStore extends CustodyStore {
  /**
   * The hash key that others wrote under within the retention and that this process does not know; null where
   * there is none.
   */
  unknownKey(): UnknownKey | null;
}

type CustodyScripts = {
  useTelemetry(...keysAndArguments: readonly (string | number)[]): Promise<unknown>;
  keepTelemetry(...keysAndArguments: readonly (string | number)[]): Promise<unknown>;
};

/**
 * The store that replicas share, on a connection that they share with evidence. While Redis is lost custody
 * is unknown: no replica's memory could speak for the others.
 */
export function createRedisCustodyStore(options: RedisCustodyStoreOptions): RedisCustodyStore {
  const { redis, clock, retentionMs, keyIds } = options;
  const { client, keys, guard } = redis;
  // The number of keys is fixed, because ioredis tells the slot of a command from its first argument.
  const scripted = withScripts<CustodyScripts>(client, {
    useTelemetry: { numberOfKeys: 2 + keyIds.length, lua: USE },
    keepTelemetry: { numberOfKeys: keyIds.length, lua: KEEP },
  });
  const generations = createCustodyGenerations(options);
  const writer = keyIds.join('+');

  const use = async (names: readonly CustodyName[]): Promise<CustodyRecord | null> => {
    const [{ key } = { key: '' }] = names;
    const generation = keys.custodyGeneration(key);
    const redisKeys = [
      generation,
      keys.formerGeneration(key),
      ...names.map((name) => keys.custody(name.key)),
    ];
    const times = [clock.nowMs(), briefLifeMs(retentionMs), retentionMs];
    const claims = names.flatMap(({ claim }) => {
      const fields = Object.entries(claim).flat();
      return [fields.length, ...fields];
    });
    const told = generations.toldFor(key);
    const reply = await guard.run(() =>
      scripted.useTelemetry(...redisKeys, ...times, ...told, writer, ...claims),
    );
    if (!Array.isArray(reply)) return null;
    const [, , , , , found]: unknown[] = reply;
    const lostAtMs = generations.note(key, found);
    const record = lostAtMs === null ? null : toRecord(reply, toLoss(lostAtMs, retentionMs));
    if (record === null) {
      const refused = lostAtMs === null ? generation : keys.custody(key);
      redis.reportRefusal({ kind: 'value_refused', key: refused });
    }
    return record;
  };

  const keeps = createPendingKeeps({
    monotonicMs: () => clock.monotonicMs(),
    isUp: () => guard.state() === 'up',
    send: async ({ hashes, validUntilMs }) => {
      const lifeMs = custodyLifeMs(retentionMs, validUntilMs, clock.nowMs());
      const redisKeys = hashes.map((hash) => keys.custody(hash));
      const reply = await guard.run(() => scripted.keepTelemetry(...redisKeys, lifeMs, validUntilMs ?? ''));
      return reply !== null;
    },
  });
  redis.onUp(() => keeps.retry());

  return {
    // A Redis that is merely suspected is asked all the same: a late reply to another request
    // makes no custody unknown.
    use: (names) => (guard.state() === 'up' ? use(names) : null),
    keep: (hashes, validUntilMs) => keeps.add({ hashes, validUntilMs }),
    unknownKey: () => generations.unknownKey(),
  };
}

/** Reads a reply that is trusted no further than its shape: somebody else may have written the key. */
function toRecord(
  [uses, first, reported, kept, expires]: readonly unknown[],
  loss: CustodyLoss | null,
): CustodyRecord | null {
  const firstUsedAtMs = toTimeMs(first);
  const validUntilMs = expires === null || expires === undefined ? null : toTimeMs(expires);
  const isMangled = firstUsedAtMs === null || (validUntilMs === null && typeof expires === 'string');
  const fit = toFit(reported);
  if (isMangled || typeof uses !== 'number' || fit === null) return null;
  return { uses, firstUsedAtMs, ...fit, isKept: kept !== 0, validUntilMs, loss };
}

function toFit(reported: unknown): CustodyFit | null {
  if (!Array.isArray(reported)) return null;
  const [isBoundElsewhere, omitsDevice, omitsAccount] = reported.map((bit) => bit !== 0);
  if (isBoundElsewhere === undefined || omitsDevice === undefined || omitsAccount === undefined) return null;
  return { isBoundElsewhere, omitsDevice, omitsAccount };
}

function toLoss(lostAtMs: number, retentionMs: number): CustodyLoss | null {
  return lostAtMs === 0 ? null : { noticedAtMs: lostAtMs, overAtMs: lostAtMs + retentionMs };
}

function toTimeMs(text: unknown): number | null {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
