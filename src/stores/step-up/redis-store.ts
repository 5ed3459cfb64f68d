import type { Clock } from '../../application/clock.ts';
import type { StepUpStore, SubjectHashes } from '../../application/step-up/step-up-store.ts';
import {
  type AddedStepUp,
  KEPT_TOLD_MAX,
  latestOf,
  type StepUp,
  type StepUpSubject,
  toldAt,
} from '../../domain/step-up/step-up.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { createRedisFinds, readHash, toField, toText } from './redis-finds.ts';
import { createStepUpIndex, type StepUpIndex } from './redis-index.ts';
import { ADD, END } from './redis-scripts.ts';

interface RedisStepUpStoreOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly clock: Clock;
  /** The ids of the hash keys of this process, the one in force first. */
  readonly keyIds: readonly string[];
  /** Those of the handle: step-ups lie in the groups of custody. */
  readonly generations: RedisGenerations;
}

type AddScripts = {
  addStepUp(
    group: string,
    former: string,
    key: string,
    voidKey: string,
    ...told: readonly (string | number)[]
  ): Promise<unknown>;
};

type EndStepUps = (telemetry: readonly string[], voidUntilMs: number | null) => Promise<number | null>;

type EndScripts = {
  endStepUps(key: string, voidKey: string, voidUntil: number | ''): Promise<unknown>;
};

/**
 * The store that replicas share, on a connection that they share with evidence: what is found travels with
 * the reads of evidence and custody. While Redis is lost nobody's step-up is known.
 */
export function createRedisStepUpStore(options: RedisStepUpStoreOptions): StepUpStore {
  const { redis, clock, keyIds, generations } = options;
  const { client, guard, keys } = redis;
  const writer = keyIds.join('+');
  const end = createEnd(redis);
  const index = createStepUpIndex({ redis, clock, end: (telemetry) => end(telemetry, 0) });
  const find = createRedisFinds({
    redis,
    clock,
    generations,
    writer,
    onAccount: (subject, lifeMs) => void index.note({ ...subject, devices: [] }, lifeMs),
  });

  return {
    mayHave: () => true,
    // A Redis that is merely suspected is asked all the same, as for custody.
    find: (subject, lossMs) => (guard.state() === 'up' ? find({ subject, lossMs }) : 'unknown'),
    add: createAdd(options, index, end),
    voidUntil: (subject) => index.voidUntil(subject),
    kept: async (part, hash) => {
      const telemetry = part === 'telemetry' ? [hash] : await index.latest(hash, KEPT_TOLD_MAX);
      if (telemetry === null) return null;
      const held = await Promise.all(
        telemetry.map((id) => guard.run(() => client.hgetall(keys.stepUps(id)))),
      );
      if (held.includes(null)) return null;
      return latestOf(
        telemetry.flatMap((id, place) => readHash(id, held[place] ?? {})),
        part,
        hash,
      );
    },
    forget: async ({ telemetry, devices, accounts }: SubjectHashes, voidUntilMs) => {
      const parts = [...devices, ...accounts];
      const isVoid = voidUntilMs === null || (await index.makeVoid(parts, voidUntilMs));
      const found = await index.find(parts);
      const ended = await end([...new Set([...telemetry, ...(found ?? [])])], voidUntilMs);
      if (!isVoid || found === null || ended === null) return null;
      return (await index.remove(parts)) ? ended : null;
    },
  };
}

/** Keeps step-ups, and names them by their parts. */
function createAdd(
  { redis, clock, keyIds, generations }: RedisStepUpStoreOptions,
  index: StepUpIndex,
  end: EndStepUps,
): StepUpStore['add'] {
  const { client, guard, keys } = redis;
  const scripted = withScripts<AddScripts>(client, { addStepUp: { numberOfKeys: 4, lua: ADD } });
  const writer = keyIds.join('+');
  const keep = async (subject: StepUpSubject, stepUp: StepUp, lifeMs: number): Promise<AddedStepUp> => {
    const { telemetry, account } = subject;
    const known = [clock.nowMs(), writer, generations.knownFor(telemetry), generations.freshName()];
    const told = [...known, toField(subject), account ?? '', toText(stepUp), lifeMs];
    const group = keys.custodyGeneration(telemetry);
    const former = keys.formerGeneration(telemetry);
    const [key, voidKey] = [keys.stepUps(telemetry), keys.stepUpsVoid(telemetry)];
    const reply = await guard.run(() => scripted.addStepUp(group, former, key, voidKey, ...told));
    const [generation, isVoid]: unknown[] = Array.isArray(reply) ? reply : [];
    if (generations.note(telemetry, generation) === null) return 'unknown';
    return isVoid === 1 ? 'void' : 'kept';
  };
  /** Names the step-up by its parts, and then looks whether what is told of them is void. */
  const note = async (subject: StepUpSubject, stepUp: StepUp, lifeMs: number): Promise<AddedStepUp> => {
    const untilMs = (await index.note(subject, lifeMs)) ? await index.voidUntilOfParts(subject) : null;
    if (untilMs === null) return 'unknown';
    return toldAt(stepUp) <= untilMs ? 'void' : 'kept';
  };
  return async (subject, stepUp, lifeMs) => {
    // Noted before, so that no step-up is ever kept that the index does not name, and again after, as it may
    // have been forgotten in between. Whoever ends those of a part makes them void first and asks for its
    // names then: one of both sees the other.
    const before = await note(subject, stepUp, lifeMs);
    const kept = before === 'kept' ? await keep(subject, stepUp, lifeMs) : before;
    const after = kept === 'kept' ? await note(subject, stepUp, lifeMs) : kept;
    if (kept !== 'kept' || after !== 'void') return after;
    return (await end([subject.telemetry], 0)) === null ? 'unknown' : 'void';
  };
}

/** Ends step-ups. How many of these telemetry ids had some; null where it is not known that none has any more. */
function createEnd({ client, guard, keys }: RedisHandle): EndStepUps {
  const scripted = withScripts<EndScripts>(client, { endStepUps: { numberOfKeys: 2, lua: END } });
  return async (telemetry, voidUntilMs) => {
    const sent = telemetry.map((hash) =>
      guard.run(() => scripted.endStepUps(keys.stepUps(hash), keys.stepUpsVoid(hash), voidUntilMs ?? '')),
    );
    const replies = await Promise.all(sent);
    return replies.includes(null) ? null : replies.filter((reply) => reply === 1).length;
  };
}
