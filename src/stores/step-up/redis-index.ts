import type { Clock } from '../../application/clock.ts';
import type { StepUpSubject } from '../../domain/step-up/step-up.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { DROP, MAKE_VOID, NOTE, VOID_UNTIL } from './redis-scripts.ts';

interface StepUpIndexOptions {
  readonly redis: RedisHandle;
  readonly clock: Clock;
  /** Ends all step-ups of these telemetry ids; null where that is not known to be done. */
  readonly end: (telemetry: readonly string[]) => Promise<number | null>;
}

/** Which telemetry ids have a step-up of a device or an account. It may name some that have none. */
export interface StepUpIndex {
  /** False where it is not known to be noted. */
  note(subject: Pick<StepUpSubject, 'telemetry' | 'devices' | 'account'>, lifeMs: number): Promise<boolean>;
  /** The telemetry ids of these parts; null where they are not known. */
  find(hashes: readonly string[]): Promise<readonly string[] | null>;
  /** The telemetry ids of one part that were noted last, `max` at most; null where they are not known. */
  latest(hash: string, max: number): Promise<readonly string[] | null>;
  /** Notes up to when step-ups of these parts are void. False where it is not known to be noted. */
  makeVoid(hashes: readonly string[], untilMs: number): Promise<boolean>;
  /** Up to when step-ups of a subject with these parts are void, 0 for none; null where that is not known. */
  voidUntilOfParts(parts: Pick<StepUpSubject, 'devices' | 'account'>): Promise<number | null>;
  /** The same, with what is void of the telemetry id. */
  voidUntil(subject: StepUpSubject): Promise<number | null>;
  /** Forgets these parts. */
  remove(hashes: readonly string[]): Promise<boolean>;
}

/** Nobody completes so many challenges; whoever does loses the oldest. */
const TELEMETRY_IDS_MAX = 1_000;

type IndexScripts = {
  noteStepUp(key: string, nowMs: number, telemetry: string, lifeMs: number, max: number): Promise<unknown>;
  dropStepUps(key: string, ...telemetry: readonly string[]): Promise<unknown>;
  voidStepUps(key: string, untilMs: number): Promise<unknown>;
  stepUpsVoidUntil(key: string): Promise<unknown>;
};

/** Builds the index. Its commands never reject. */
export function createStepUpIndex({ redis, clock, end }: StepUpIndexOptions): StepUpIndex {
  const { client, guard, keys } = redis;
  const scripted = withScripts<IndexScripts>(client, {
    noteStepUp: { numberOfKeys: 1, lua: NOTE },
    dropStepUps: { numberOfKeys: 1, lua: DROP },
    voidStepUps: { numberOfKeys: 1, lua: MAKE_VOID },
    stepUpsVoidUntil: { numberOfKeys: 1, lua: VOID_UNTIL },
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

  const voidKeysOf = (subject: Pick<StepUpSubject, 'devices' | 'account'>) =>
    partsOf(subject).map((part) => keys.stepUpsVoidOf(part));
  const latestVoid = async (voidKeys: readonly string[]): Promise<number | null> =>
    toLatest(await Promise.all(voidKeys.map((key) => guard.run(() => scripted.stepUpsVoidUntil(key)))));

  return {
    note: async ({ telemetry, ...subject }, lifeMs) => {
      const noted = await Promise.all(partsOf(subject).map((part) => noteOne(part, telemetry, lifeMs)));
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
    makeVoid: async (hashes, untilMs) => {
      const noted = await Promise.all(
        hashes.map((hash) => guard.run(() => scripted.voidStepUps(keys.stepUpsVoidOf(hash), untilMs))),
      );
      return noted.every((reply) => reply !== null);
    },
    voidUntilOfParts: (subject) => latestVoid(voidKeysOf(subject)),
    voidUntil: (subject) => latestVoid([keys.stepUpsVoid(subject.telemetry), ...voidKeysOf(subject)]),
    remove: async (hashes) => {
      const removed = await Promise.all(
        hashes.map((hash) => guard.run(() => client.del(keys.stepUpsOf(hash)))),
      );
      return removed.every((reply) => reply !== null);
    },
  };
}

function partsOf({ devices, account }: Pick<StepUpSubject, 'devices' | 'account'>): readonly string[] {
  return account === null ? devices : [...devices, account];
}

/** Null where one of them is none. */
function toLatest(replies: readonly unknown[]): number | null {
  const times = replies.map((reply) => (typeof reply === 'string' ? Number(reply) : Number.NaN));
  return times.some(Number.isNaN) ? null : Math.max(0, ...times);
}

function toTexts(reply: unknown): readonly string[] | null {
  return Array.isArray(reply) ? reply.filter((text) => typeof text === 'string') : null;
}
