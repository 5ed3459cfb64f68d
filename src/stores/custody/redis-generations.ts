import { randomUUID } from 'node:crypto';
import type { Clock } from '../../application/ports.ts';
import { createSpacing } from '../../platform/spaced-out.ts';
import type { RedisClient } from '../redis/connection.ts';
import type { RedisLane } from '../redis/lane.ts';

export interface CustodyBeginningsOptions {
  /** Its owner closes it. */
  readonly lane: RedisLane;
  readonly clock: Clock;
  /** Called when bindings that this process knew of turn out to be gone, once in ten seconds. */
  readonly onLost: () => void;
}

/**
 * Remembers, for each group of bindings, which keeping of them this process knows. Redis holds the same beside them, as `<name> <Unix milliseconds>`: a random name, and when somebody who knew another keeping
 * missed it (0: nobody has). A Redis that comes back empty has lost both, and is found out by the first script that says what it knows.
 */
export interface CustodyBeginnings {
  /** What a script is told for the binding of this hash: the name that is known, empty where none is, and the name of a keeping that would have to begin now. */
  toldFor(hash: string): readonly [known: string, fresh: string];
  /** Takes what a script found. Returns when older bindings were missed, 0 for never; null for what is no beginning. */
  note(hash: string, name: unknown, lost: unknown): number | null;
}

/**
 * `beginning(key, now, known, fresh)` returns the name, and when older bindings were missed. It writes only where they are, or where nothing was kept yet.
 * One that has noted a loss keeps its time: whoever notices later must not put newer ids in doubt.
 */
export const BEGINNING = `
local function beginning(key, now, known, fresh)
  local held = redis.call('GET', key)
  if not held then
    local lost = known == '' and '0' or now
    redis.call('SET', key, fresh .. ' ' .. lost)
    return fresh, lost
  end
  local name, lost = string.match(held, '^(%S+) (%d+)$')
  if known ~= '' and name ~= known and lost == '0' then
    lost = now
    redis.call('SET', key, name .. ' ' .. lost)
  end
  return name or '', lost or ''
end`;

const LOOK = `${BEGINNING}
return { beginning(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) }`;

type ScriptedRedis = RedisClient & {
  lookAtCustody(key: string, nowMs: number, known: string, fresh: string): Promise<unknown>;
};

/** The groups that keys.custodyBeginning tells apart: one for each of the two hexadecimal digits that a hash begins with. */
const GROUPS = Array.from({ length: 256 }, (_, group) => group.toString(16).padStart(2, '0'));
/** One line for a loss, which shows group by group. */
const LOST_INTERVAL_MS = 10_000;
/** How soon groups are looked at again that could not be. */
const LOOK_INTERVAL_MS = 1_000;

/** Looks at all groups whenever Redis is up again, and once a loss is found: ids that are created from then on are above doubt. */
export function createCustodyBeginnings(options: CustodyBeginningsOptions): CustodyBeginnings {
  return new KnownBeginnings(options);
}

class KnownBeginnings implements CustodyBeginnings {
  readonly #options: CustodyBeginningsOptions;
  readonly #known = new Map<string, string>();
  readonly #processId = randomUUID();
  readonly #redis: ScriptedRedis;
  readonly #mayReport: (subject: string) => boolean;
  readonly #mayLook: (subject: string) => boolean;
  #freshCount = 0;
  #isLooking = false;

  constructor(options: CustodyBeginningsOptions) {
    const { lane, clock } = options;
    this.#options = options;
    this.#mayReport = createSpacing(LOST_INTERVAL_MS, () => clock.monotonicMs());
    this.#mayLook = createSpacing(LOOK_INTERVAL_MS, () => clock.monotonicMs());
    lane.redis.defineCommand('lookAtCustody', { numberOfKeys: 1, lua: LOOK });
    // defineCommand adds the method that the cast declares.
    this.#redis = lane.redis as ScriptedRedis;
    lane.onUp(() => void this.#lookAtAll());
    if (lane.guard.state() === 'up') void this.#lookAtAll();
  }

  toldFor(hash: string): readonly [known: string, fresh: string] {
    if (this.#known.size < GROUPS.length && this.#mayLook('groups')) void this.#lookAtAll();
    this.#freshCount += 1;
    // A name that came twice would hide a loss from those who know it.
    return [this.#known.get(toGroup(hash)) ?? '', `${this.#processId}-${this.#freshCount}`];
  }

  note(hash: string, name: unknown, lost: unknown): number | null {
    const isOne = typeof name === 'string' && name !== '' && typeof lost === 'string';
    if (!isOne || !/^\d{1,15}$/.test(lost)) return null;
    const group = toGroup(hash);
    const known = this.#known.get(group);
    this.#known.set(group, name);
    if (known !== undefined && known !== name) {
      if (this.#mayReport('lost')) this.#options.onLost();
      void this.#lookAtAll();
    }
    return Number(lost);
  }

  async #lookAtAll(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await Promise.all(GROUPS.map((group) => this.#lookAt(group)));
    this.#isLooking = false;
  }

  async #lookAt(group: string): Promise<void> {
    const { lane, clock } = this.#options;
    const key = lane.keys.custodyBeginning(group);
    const [known, fresh] = this.toldFor(group);
    const reply = await lane.guard.run(() => this.#redis.lookAtCustody(key, clock.nowMs(), known, fresh));
    if (!Array.isArray(reply)) return;
    const [name, lost] = reply as unknown[];
    if (this.note(group, name, lost) === null) lane.refuseValue(key);
  }
}

function toGroup(hash: string): string {
  return hash.slice(0, 2);
}
