import type { Clock } from '../../application/clock.ts';
import type { StepUpSubject } from '../../domain/step-up/step-up.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { DROP, NOTE } from './redis-scripts.ts';

interface StepUpIndexOptions {
  readonly redis: RedisHandle;
  readonly clock: Clock;
  /** Ends all step-ups of these telemetry ids; null where that is not known to be done. */
  readonly end: (telemetry: readonly string[]) => Promise<number | null>;
}

/** Which telemetry ids have a step-up of a device or an account. It may name some that have none. */
interface StepUpIndex {
  /** False where it is not known to be noted. */
  note(subject: Pick<StepUpSubject, 'telemetry' | 'devices' | 'account'>, lifeMs: number): Promise<boolean>;
  /** The telemetry ids of these parts; null where they are not known. */
  find(hashes: readonly string[]): Promise<readonly string[] | null>;
  /** The telemetry ids of one part that were noted last, `max` at most; null where they are not known. */
  latest(hash: string, max: number): Promise<readonly string[] | null>;
  /** Forgets these parts. */
  remove(hashes: readonly string[]): Promise<boolean>;
}

/** Nobody completes so many challenges; whoever does loses the oldest. */
const TELEMETRY_IDS_MAX = 1_000;

type IndexScripts = {
  noteStepUp(key: string, nowMs: number, telemetry: string, lifeMs: number, max: number): Promise<unknown>;
  dropStepUps(key: string, ...telemetry: readonly string[]): Promise<unknown>;
};

/** Builds the index. Its commands never reject. */
export function createStepUpIndex({ redis, clock, end }: StepUpIndexOptions): StepUpIndex {
  const { client, guard, keys } = redis;
  const scripted = withScripts<IndexScripts>(client, {
    noteStepUp: { numberOfKeys: 1, lua: NOTE },
    dropStepUps: { numberOfKeys: 1, lua: DROP },
  });

  const noteOne = async (part: string, telemetry: string, lifeMs: number): Promise<boolean> => {
    const key = keys.stepUpsOf(part);
    const surplus = await guard.run(() =>
      scripted.noteStepUp(key, clock.nowMs(), telemetry, lifeMs, TELEMETRY_IDS_MAX),
    );
    const ended = toTexts(surplus);
    if (ended === null || ended.length === 0) return ended !== null;
    // What the index no longer names could not be forgotten by that part.
    if ((await end(ended)) === null) return false;
    return (await guard.run(() => scripted.dropStepUps(key, ...ended))) !== null;
  };

  return {
    note: async ({ telemetry, devices, account }, lifeMs) => {
      const parts = account === null ? devices : [...devices, account];
      const noted = await Promise.all(parts.map((part) => noteOne(part, telemetry, lifeMs)));
      return noted.every(Boolean);
    },
    find: async (hashes) => {
      const held = await Promise.all(
        hashes.map((hash) => guard.run(() => client.hgetall(keys.stepUpsOf(hash)))),
      );
      return held.every((names) => names !== null) ? held.flatMap((names) => Object.keys(names)) : null;
    },
    latest: async (hash, max) => {
      const held = await guard.run(() => client.hgetall(keys.stepUpsOf(hash)));
      if (held === null) return null;
      const noted = Object.entries(held).sort(([, left], [, right]) => Number(right) - Number(left));
      return noted.slice(0, max).map(([telemetry]) => telemetry);
    },
    remove: async (hashes) => {
      const removed = await Promise.all(
        hashes.map((hash) => guard.run(() => client.del(keys.stepUpsOf(hash)))),
      );
      return removed.every((reply) => reply !== null);
    },
  };
}

function toTexts(reply: unknown): readonly string[] | null {
  return Array.isArray(reply) ? reply.filter((text) => typeof text === 'string') : null;
}
