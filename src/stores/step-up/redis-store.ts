import type { Clock } from '../../application/clock.ts';
import type { StepUpStore, SubjectHashes } from '../../application/step-up/step-up-store.ts';
import { KEPT_TOLD_MAX, latestOf, type StepUp, type StepUpSubject } from '../../domain/step-up/step-up.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisHandle } from '../redis/handle.ts';
import { withScripts } from '../redis/scripts.ts';
import { createRedisFinds, readHash, toField, toText } from './redis-finds.ts';
import { createStepUpIndex } from './redis-index.ts';
import { ADD } from './redis-scripts.ts';

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
    ...told: readonly (string | number)[]
  ): Promise<unknown>;
};

/**
 * The store that replicas share, on a connection that they share with evidence: what is found travels with
 * the reads of evidence and custody. While Redis is lost nobody's step-up is known.
 */
export function createRedisStepUpStore(options: RedisStepUpStoreOptions): StepUpStore {
  const { redis, clock, keyIds, generations } = options;
  const { client, guard, keys } = redis;
  const scripted = withScripts<AddScripts>(client, { addStepUp: { numberOfKeys: 3, lua: ADD } });
  const writer = keyIds.join('+');
  const end = (telemetry: readonly string[]) => endAll(redis, telemetry);
  const index = createStepUpIndex({ redis, clock, end });
  const find = createRedisFinds({
    redis,
    clock,
    generations,
    writer,
    onAccount: (subject, lifeMs) => void index.note({ ...subject, devices: [] }, lifeMs),
  });

  const keep = async (subject: StepUpSubject, stepUp: StepUp, lifeMs: number): Promise<boolean> => {
    const { telemetry, account } = subject;
    const known = [clock.nowMs(), writer, generations.knownFor(telemetry), generations.freshName()];
    const told = [...known, toField(subject), account ?? '', toText(stepUp), lifeMs];
    const group = keys.custodyGeneration(telemetry);
    const former = keys.formerGeneration(telemetry);
    const reply = await guard.run(() => scripted.addStepUp(group, former, keys.stepUps(telemetry), ...told));
    return typeof reply === 'string' && generations.note(telemetry, reply) !== null;
  };

  return {
    mayHave: () => true,
    // A Redis that is merely suspected is asked all the same, as for custody.
    find: (subject, lossMs) => (guard.state() === 'up' ? find({ subject, lossMs }) : 'unknown'),
    add: async (subject, stepUp, lifeMs) =>
      // Noted before, so that no step-up is ever kept that the index does not name, and again after, as it may
      // have been forgotten in between.
      (await index.note(subject, lifeMs)) &&
      (await keep(subject, stepUp, lifeMs)) &&
      (await index.note(subject, lifeMs)),
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
    forget: async ({ telemetry, devices, accounts }: SubjectHashes) => {
      const parts = [...devices, ...accounts];
      const found = await index.find(parts);
      if (found === null) return null;
      const ended = await end([...new Set([...telemetry, ...found])]);
      return ended !== null && (await index.remove(parts)) ? ended : null;
    },
  };
}

/** How many of these telemetry ids had step-ups; null where it is not known that none has any more. */
async function endAll(
  { client, guard, keys }: RedisHandle,
  telemetry: readonly string[],
): Promise<number | null> {
  const sent = telemetry.map((hash) => guard.run(() => client.del(keys.stepUps(hash))));
  let ended = 0;
  for (const reply of await Promise.all(sent)) {
    if (reply === null) return null;
    ended += reply;
  }
  return ended;
}
