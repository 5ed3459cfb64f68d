import type { ActivityChange } from '../../application/activity/activity-store.ts';
import { ACTIVITY_PARTS, type ActivityPart, SEEN_KINDS } from '../../domain/activity/activity-parts.ts';
import type { Acceptance, SeenNames } from '../../domain/activity/activity-state.ts';
import type { RedisGenerations } from '../redis/generations.ts';
import type { RedisKeys } from '../redis/keys.ts';
import { ACCEPTS, ACCEPTS_LATE, IS_ASKED, IS_MADE, IS_MADE_ALONE, REVOKES } from './redis-script.ts';

/** A change, and when it happened. */
export interface DatedChange {
  readonly change: ActivityChange;
  /** Unix seconds. */
  readonly atSeconds: number;
  /** Others may have changed the same after it happened. */
  readonly isLate?: boolean;
}

/** The same, and whether somebody asks what is known then. */
export interface AskedChange extends DatedChange {
  readonly isAsked: boolean;
}

/** Changes in the form in which the script takes them. */
interface ToldChanges {
  readonly keys: readonly string[];
  add(change: AskedChange): void;
  /** Those that were added, as the script's argument. */
  text(): string;
}

const PART_NUMBERS = Object.fromEntries(ACTIVITY_PARTS.map((part, place) => [part, place + 1])) as Readonly<
  Record<ActivityPart, number>
>;

/** Spells the changes of one call; see redis-script.ts. */
export function createToldChanges(redisKeys: RedisKeys, generations: RedisGenerations): ToldChanges {
  const keys: string[] = [];
  const names: number[] = [];
  const told: (number | string)[] = [];
  let latest: SeenNames | null = null;
  let requests = 0;

  /** All changes of one request have the same list of values, and stand together. */
  const requestOf = (values: SeenNames): number => {
    if (values === latest) return requests - 1;
    for (let kind = 0; kind < SEEN_KINDS.length; kind += 1) names.push(values[kind] ?? 0);
    latest = values;
    requests += 1;
    return requests - 1;
  };

  return {
    keys,
    add: ({ change, atSeconds, isLate = false, isAsked }) => {
      const { entity, values, acceptance, measures } = change;
      const { part, hash } = entity;
      const known = generations.knownFor(hash) === '' ? null : generations.recall(hash);
      const how = isAsked ? IS_ASKED : known?.isAlone === true ? IS_MADE_ALONE : IS_MADE;
      keys.push(redisKeys.activity(letterOf(part), hash), redisKeys.custodyGeneration(hash));
      if (known === null) keys.push(redisKeys.formerGeneration(hash));
      told.push(atSeconds, PART_NUMBERS[part], numberOf(acceptance, isLate), how, requestOf(values));
      told.push(known?.beginning ?? '', how === IS_MADE ? (known?.text ?? '') : '');
      told.push(measures.length, ...measures);
    },
    text: () => JSON.stringify([names, told]),
  };
}

/** As the script numbers it. */
function numberOf(acceptance: Acceptance, isLate: boolean): number {
  if (acceptance === null) return 0;
  if (acceptance === 'revoked') return REVOKES;
  return isLate ? ACCEPTS_LATE : ACCEPTS;
}

/** The letter of a part in keys. */
export function letterOf(part: ActivityPart): string {
  return part.charAt(0);
}
