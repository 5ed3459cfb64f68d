import type { Clock } from '../../application/clock.ts';
import type { CustodyName } from '../../application/custody/custody-store.ts';
import type { CustodyFit, CustodyLoss, CustodyRecord } from '../../domain/custody.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import type { RedisKeys } from '../redis/keys.ts';
import { withScripts } from '../redis/scripts.ts';
import { createTurnBatch } from '../redis/turn-batch.ts';
import { briefLifeMs } from './custody-life.ts';
import { FIT, USE } from './redis-scripts.ts';

interface RedisUsesOptions {
  readonly redis: RedisHandle;
  readonly clock: Clock;
  readonly retentionMs: number;
  readonly keyIds: readonly string[];
}

/** One telemetry id under each of its names, the first of which stands for it. */
type Names = readonly CustodyName[];
type Arguments = readonly (string | number)[];

type UseScripts = {
  useTelemetry(
    count: number,
    keys: readonly string[],
    settings: Arguments,
    uses: Arguments,
  ): Promise<unknown>;
};

/**
 * Builds what records one use, in one command with all others of the same turn. Null where it failed or its
 * result is not known; never rejects.
 */
export function createRedisUses(
  { redis, clock, retentionMs, keyIds }: RedisUsesOptions,
  generations: RedisGenerations,
): (names: Names) => Promise<CustodyRecord | null> {
  const { client, keys, guard } = redis;
  const scripted = withScripts<UseScripts>(client, { useTelemetry: { lua: USE } });
  const lives = [briefLifeMs(retentionMs), retentionMs];
  const writer = keyIds.join('+');

  /** Takes the reply to one use: a list, or the text of what it failed with. */
  const note = (names: Names, reply: unknown): CustodyRecord | null => {
    if (!Array.isArray(reply)) {
      guard.noteRefusal(String(reply));
      return null;
    }
    const key = idOf(names);
    const [, , , , , found]: unknown[] = reply;
    const lostAtMs = generations.note(key, found);
    const record = lostAtMs === null ? null : toRecord(reply, toLoss(lostAtMs, retentionMs));
    if (record === null) {
      const refused = lostAtMs === null ? keys.custodyGeneration(key) : keys.custody(key);
      redis.reportRefusal({ kind: 'value_refused', key: refused });
    }
    return record;
  };

  const send = async (uses: readonly Names[]): Promise<(CustodyRecord | null)[]> => {
    const redisKeys: string[] = [];
    const told: (string | number)[] = [];
    for (const names of uses) {
      pushKeys(redisKeys, keys, names);
      told.push(generations.knownFor(idOf(names)), names.length);
      pushUsers(told, names);
    }
    const settings = [clock.nowMs(), ...lives, writer, generations.freshName()];
    const replies = await guard.run(() => scripted.useTelemetry(redisKeys.length, redisKeys, settings, told));
    return uses.map((names, place) => (Array.isArray(replies) ? note(names, replies[place]) : null));
  };

  // All names of an id, and all ids of its group, are in one slot of a cluster.
  const groupOf = (names: Names): string => keys.custodyGeneration(idOf(names));
  return createTurnBatch(redis, { send, groupOf, unknown: null });
}

function idOf(names: Names): string {
  return names[0]?.key ?? '';
}

function pushKeys(redisKeys: string[], keys: RedisKeys, names: Names): void {
  const id = idOf(names);
  redisKeys.push(keys.custodyGeneration(id), keys.formerGeneration(id));
  for (const { key } of names) redisKeys.push(keys.custody(key));
}

/** For each name the number of values that follow, and the fields and values of its user. */
function pushUsers(told: (string | number)[], names: Names): void {
  for (const { user } of names) {
    const place = told.push(0) - 1;
    for (const field in user) told.push(field, user[field] ?? '');
    told[place] = told.length - place - 1;
  }
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

function toFit(bits: unknown): CustodyFit | null {
  if (typeof bits !== 'number') return null;
  return {
    isBoundElsewhere: (bits & FIT.isBoundElsewhere) !== 0,
    omitsDevice: (bits & FIT.omitsDevice) !== 0,
    omitsAccount: (bits & FIT.omitsAccount) !== 0,
  };
}

function toLoss(lostAtMs: number, retentionMs: number): CustodyLoss | null {
  return lostAtMs === 0 ? null : { noticedAtMs: lostAtMs, overAtMs: lostAtMs + retentionMs };
}

function toTimeMs(text: unknown): number | null {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
