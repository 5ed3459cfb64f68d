import type { KnownActivity } from '../../application/activity/activity-store.ts';
import type { Clock } from '../../application/clock.ts';
import { createActivityState } from '../../domain/activity/activity-state.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { createTurnQueue } from '../redis/turn-batch.ts';
import { decodeActivity } from './activity-codec.ts';
import { CHANGE } from './redis-script.ts';
import { type AskedChange, createToldChanges, type DatedChange, letterOf } from './told-changes.ts';

interface RedisChangesOptions {
  readonly redis: RedisHandle;
  readonly clock: Clock;
  readonly keyIds: readonly string[];
  readonly generations: RedisGenerations;
}

/** Changes what is kept of one entity, in one command with all others of the same turn. */
interface RedisChanges {
  /** And tells what is known then. Null where it failed or its result is not known; never rejects. */
  take(dated: DatedChange): Promise<KnownActivity | null>;
  /** And calls back whether it is known to be done. */
  make(dated: DatedChange, tell: (isMade: boolean) => void): void;
}

type ChangeScript = (
  count: number,
  keys: readonly string[],
  settings: readonly (string | number)[],
  changes: string,
) => Promise<unknown>;

/** More than of other entries: a decision makes a dozen of them, and each takes Redis half the time. */
const CHANGES_MAX = 48;

/** Builds what sends changes. `lostAtSeconds` says up to when changes of this process were lost. */
export function createRedisChanges(
  { redis, clock, keyIds, generations }: RedisChangesOptions,
  lostAtSeconds: () => number,
): RedisChanges {
  const { client, keys, guard } = redis;
  // ioredis adds to each script a method whose replies are bytes.
  const { changeActivityBuffer } = withScripts<{ changeActivity: ChangeScript }>(client, {
    changeActivity: { lua: CHANGE },
  }) as unknown as { readonly changeActivityBuffer: ChangeScript };
  const run = changeActivityBuffer.bind(client);
  const writer = keyIds.join('+');
  const note = createNote(redis, generations, lostAtSeconds);

  const send = async (entries: readonly AskedChange[]): Promise<(KnownActivity | null)[]> => {
    const told = createToldChanges(redis.keys, generations);
    for (const entry of entries) told.add(entry);
    const settings = [clock.nowMs(), writer, generations.freshName()];
    const replies = await guard.run(() => run(told.keys.length, told.keys, settings, told.text()));
    return entries.map((entry, place) => (Array.isArray(replies) ? note(entry, replies[place]) : null));
  };

  const groupOf = ({ change }: AskedChange): string => keys.custodyGeneration(change.entity.hash);
  const queue = createTurnQueue(redis, { send, groupOf, unknown: null, entriesMax: CHANGES_MAX });
  return {
    take: (dated) => new Promise((tell) => queue({ ...dated, isAsked: true }, tell)),
    make: (dated, tell) => queue({ ...dated, isAsked: false }, (known) => tell(known !== null)),
  };
}

/** Builds what takes the reply to one change; null for what is none, or is not trusted. */
function createNote(
  { guard, keys, reportRefusal }: RedisHandle,
  generations: RedisGenerations,
  lostAtSeconds: () => number,
) {
  return ({ change: { entity }, isAsked }: AskedChange, reply: unknown): KnownActivity | null => {
    const [told, found]: unknown[] = Array.isArray(reply) ? reply : [reply, AS_KNOWN];
    if (found === undefined || (isAsked ? !Buffer.isBuffer(told) : told !== 0)) {
      guard.noteRefusal(toText(told));
      return null;
    }
    const { hash, part } = entity;
    const text = found === AS_KNOWN ? generations.recall(hash)?.text : toText(found);
    const missedAtMs = generations.note(hash, text);
    const state = Buffer.isBuffer(told) ? decodeActivity(told) : NOTHING_ASKED.state;
    if (missedAtMs === null || state === null) {
      const key = missedAtMs === null ? keys.custodyGeneration(hash) : keys.activity(letterOf(part), hash);
      reportRefusal({ kind: 'value_refused', key });
      return null;
    }
    if (!isAsked) return NOTHING_ASKED;
    const otherKeyUntilMs = entity.lacksOtherNames === true ? generations.otherKeyUntilMs() : 0;
    const unknownMs = Math.max(missedAtMs, generations.recall(hash)?.gapUntilMs ?? 0, otherKeyUntilMs);
    const sinceSeconds = Math.max(state.sinceSeconds, Math.ceil(unknownMs / 1000), lostAtSeconds());
    return { state, sinceSeconds };
  };
}

const AS_KNOWN = Symbol('as known');

function toText(told: unknown): string {
  return Buffer.isBuffer(told) ? told.toString() : '';
}

const NOTHING_ASKED: KnownActivity = {
  state: createActivityState(0, 0),
  sinceSeconds: 0,
};
