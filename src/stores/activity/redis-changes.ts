import type { ActivityChange, KnownActivity } from '../../application/activity/activity-store.ts';
import type { Clock } from '../../application/clock.ts';
import type { ActivityPart } from '../../domain/activity/activity-parts.ts';
import { ACTIVITY_LIFE_SECONDS } from '../../domain/activity/activity-signals.ts';
import type { Acceptance } from '../../domain/activity/activity-state.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { createTurnBatch } from '../redis/turn-batch.ts';
import { decodeActivity, encodeName, pairsMaskOf } from './activity-codec.ts';
import { CHANGE } from './redis-script.ts';

interface RedisChangesOptions {
  readonly redis: RedisHandle;
  readonly clock: Clock;
  readonly keyIds: readonly string[];
  readonly generations: RedisGenerations;
}

/** A change, and when it happened. */
export interface DatedChange {
  readonly change: ActivityChange;
  /** Unix seconds. */
  readonly atSeconds: number;
}

/** One that is sent with others. */
interface Entry extends DatedChange {
  readonly isAsked: boolean;
}

type Argument = string | number | Buffer;

type ChangeScript = (
  count: number,
  keys: readonly string[],
  settings: readonly Argument[],
  changes: readonly Argument[],
) => Promise<unknown>;

/**
 * Builds what makes one change, in one command with all others of the same turn. Null where it failed or its
 * result is not known; never rejects. The state is empty unless it is asked for.
 */
export function createRedisChanges(
  { redis, clock, keyIds, generations }: RedisChangesOptions,
  lostAtSeconds: () => number,
): (dated: DatedChange, isAsked: boolean) => Promise<KnownActivity | null> {
  const { client, keys, guard, isCluster } = redis;
  // ioredis adds to each script a method whose replies are bytes.
  const { changeActivityBuffer } = withScripts<{ changeActivity: ChangeScript }>(client, {
    changeActivity: { lua: CHANGE },
  }) as unknown as { readonly changeActivityBuffer: ChangeScript };
  const run = changeActivityBuffer.bind(client);
  const writer = keyIds.join('+');

  const note = ({ change: { entity }, isAsked }: Entry, reply: unknown): KnownActivity | null => {
    if (!Array.isArray(reply)) {
      guard.noteRefusal(String(reply));
      return null;
    }
    const [bytes, found]: unknown[] = reply;
    const { hash, part } = entity;
    const text = String(found);
    const known = generations.recall(hash);
    const missedAtMs = known?.beginning === text ? known.missedAtMs : generations.note(hash, text);
    const state = isAsked && Buffer.isBuffer(bytes) ? decodeActivity(bytes) : null;
    if (missedAtMs === null || (isAsked && state === null)) {
      const key = missedAtMs === null ? keys.custodyGeneration(hash) : keys.activity(letterOf(part), hash);
      redis.reportRefusal({ kind: 'value_refused', key });
      return null;
    }
    if (state === null) return NOTHING_ASKED;
    const otherKeyUntilMs = entity.lacksOtherNames === true ? generations.otherKeyUntilMs() : 0;
    const unknownMs = Math.max(missedAtMs, generations.recall(hash)?.gapUntilMs ?? 0, otherKeyUntilMs);
    const sinceSeconds = Math.max(state.sinceSeconds, Math.ceil(unknownMs / 1000), lostAtSeconds());
    return { state, sinceSeconds };
  };

  const send = async (entries: readonly Entry[]): Promise<(KnownActivity | null)[]> => {
    const redisKeys: string[] = [];
    const told: Argument[] = [];
    for (const entry of entries) {
      const { part, hash } = entry.change.entity;
      redisKeys.push(
        keys.activity(letterOf(part), hash),
        keys.custodyGeneration(hash),
        keys.formerGeneration(hash),
      );
      push(told, entry, generations);
    }
    const settings = [clock.nowMs(), writer, generations.freshName()];
    const replies = await guard.run(() => run(redisKeys.length, redisKeys, settings, told));
    return entries.map((entry, place) => (Array.isArray(replies) ? note(entry, replies[place]) : null));
  };

  const groupOf = ({ change }: Entry): string => keys.custodyGeneration(change.entity.hash);
  const batch = createTurnBatch({ send, unknown: null, ...(isCluster ? { groupOf } : {}) });
  return (dated, isAsked) => batch({ ...dated, isAsked });
}

const NOTHING_ASKED: KnownActivity = {
  state: { firstSeconds: 0, sinceSeconds: 0, seen: [], counts: [], compactAt: 0 },
  sinceSeconds: 0,
};

/** As the script numbers them. */
const ACCEPTANCES: readonly Acceptance[] = [null, 'accepted', 'revoked'];

function push(told: Argument[], { change, atSeconds, isAsked }: Entry, generations: RedisGenerations): void {
  const { entity, values, acceptance, measures } = change;
  told.push(
    atSeconds,
    ACTIVITY_LIFE_SECONDS[entity.part] * 1000,
    pairsMaskOf(entity.part),
    ACCEPTANCES.indexOf(acceptance),
    isAsked ? 1 : 0,
    generations.knownFor(entity.hash),
    generations.recall(entity.hash)?.beginning ?? '',
    values.length,
  );
  // Kinds count from 1 in the script.
  for (const { kind, name } of values) told.push(kind + 1, encodeName(name));
  told.push(measures.length, ...measures);
}

/** The letter of a part in keys. */
export function letterOf(part: ActivityPart): string {
  return part.charAt(0);
}
