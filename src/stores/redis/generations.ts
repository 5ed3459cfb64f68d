import { randomUUID } from 'node:crypto';
import type { Clock } from '../../application/clock.ts';
import { createThrottle, type Throttle } from '../../platform/throttle.ts';
import type { RedisClient } from './connection.ts';
import { LOOK } from './generation-script.ts';
import type { RedisHandle } from './handle.ts';
import { withScripts } from './scripts.ts';

interface RedisGenerationsOptions {
  /** Its owner closes it. */
  readonly redis: RedisHandle;
  readonly clock: Clock;
  readonly retentionMs: number;
  /** The ids of the hash keys of this process, the one in force first. */
  readonly keyIds: readonly string[];
  /** Called when entries that this process knew of turn out to be gone, once in ten seconds. */
  readonly onLost?: () => void;
  /** Called when others write under a hash key that is not known here, once in ten seconds. */
  readonly onUnknownKey?: (key: UnknownKey) => void;
}

/** A hash key that others write under. Neither says anything of the key. */
export interface UnknownKey {
  readonly keyId: string;
  /** Unix milliseconds, up to a second late. */
  readonly lastUsedAtMs: number;
}

/**
 * Remembers, for each group of entries, which generation of them this process knows. Redis holds the same
 * beside them: a random name, when somebody who knew another generation found it gone (0: nobody has), and
 * under which hash keys entries were written until when. A Redis that comes back empty has lost both; the
 * first script that sends what this process knows finds that out.
 */
export interface RedisGenerations {
  /** The name of the generation that is known for the entry of this hash, empty where none is. */
  knownFor(hash: string): string;
  /** What is known of the group of this hash, from the last that a script found; null where nothing is. */
  recall(hash: string): RecalledGeneration | null;
  /** A name for a generation that a script would have to begin, or the beginning of such names. */
  freshName(): string;
  /**
   * Takes what a script found. Returns until when entries may stand elsewhere or be gone, 0 for never; null
   * for what is no generation.
   */
  note(hash: string, found: unknown): number | null;
  unknownKey(): UnknownKey | null;
  /**
   * Until when others may have had another hash key in force, in any group: Unix milliseconds, 0 for never, and
   * now before the groups were looked at.
   */
  otherKeyUntilMs(): number;
  /**
   * Tells every process, as soon as Redis can be reached, that changes of activity were lost which were made up
   * to this time, Unix milliseconds.
   */
  tellGap(untilMs: number): void;
}

interface RecalledGeneration {
  /** What a script finds where nothing has changed. */
  readonly text: string;
  /** What the text of the group in Redis begins with as long as nobody notices a loss. */
  readonly beginning: string;
  /** See `note`. */
  readonly missedAtMs: number;
  /** True where no hash key but those of this process has written, as far as `text` says. */
  readonly isAlone: boolean;
  /** Until when changes of activity were lost on their way to Redis. */
  readonly gapUntilMs: number;
}

/** What a script found of a group last. */
interface KnownGeneration extends RecalledGeneration {
  readonly name: string;
  /** Until when another key was in force. */
  readonly otherKeyUntilMs: number;
  readonly stranger: UnknownKey | null;
}

type GenerationScripts = {
  lookAtCustody(
    key: string,
    formerKey: string,
    nowMs: number,
    known: string,
    fresh: string,
    writer: string,
    gapUntilMs: number,
  ): Promise<unknown>;
};

/**
 * The groups that keys.custodyGeneration tells apart: one for each of the two hexadecimal digits that a hash
 * begins with.
 */
const GROUPS = Array.from({ length: 256 }, (_, group) => group.toString(16).padStart(2, '0'));
/** One line for a loss, which shows group by group. */
const LOST_INTERVAL_MS = 10_000;
/** How soon groups are looked at again that could not be. */
const LOOK_INTERVAL_MS = 1_000;
/** How soon all groups are looked at again for who writes them, once somebody had another key in force. */
const OTHER_KEY_INTERVAL_MS = 10_000;
/** Its name, and five times in Unix milliseconds, the last with the id of a hash key where it is not 0. */
const FOUND = /^(\S+) (\d{1,15}) (\d{1,15}) (\d{1,15}) (\d{1,15}) (\d{1,15}) (\S*)$/;
const KEY_ID = /^[0-9a-f]+$/;

/**
 * Looks at all groups whenever Redis is up again, and once a loss is found: ids that are created from then on
 * are above doubt.
 */
export function createRedisGenerations(options: RedisGenerationsOptions): RedisGenerations {
  return new KnownGenerations(options);
}

class KnownGenerations implements RedisGenerations {
  readonly #options: RedisGenerationsOptions;
  readonly #known = new Map<string, KnownGeneration>();
  readonly #processId = randomUUID();
  readonly #writer: string;
  readonly #scripted: RedisClient & GenerationScripts;
  readonly #reports: Throttle;
  readonly #looks: Throttle;
  readonly #otherKeyLooks: Throttle;
  #otherKeyUntilMs = 0;
  #hasLooked = false;
  #gapUntilMs = 0;
  /** Those that have not been told of the gap. */
  readonly #untold = new Set<string>();
  #unknownKey: UnknownKey | null = null;
  #freshCount = 0;
  #isLooking = false;

  constructor(options: RedisGenerationsOptions) {
    const { redis, clock } = options;
    this.#options = options;
    this.#writer = options.keyIds.join('+');
    this.#reports = createThrottle(LOST_INTERVAL_MS, () => clock.monotonicMs());
    this.#looks = createThrottle(LOOK_INTERVAL_MS, () => clock.monotonicMs());
    this.#otherKeyLooks = createThrottle(OTHER_KEY_INTERVAL_MS, () => clock.monotonicMs());
    this.#scripted = withScripts<GenerationScripts>(redis.client, {
      lookAtCustody: { numberOfKeys: 2, lua: LOOK },
    });
    redis.onUp(() => void this.#lookAtAll());
    if (redis.guard.state() === 'up') void this.#lookAtAll();
  }

  knownFor(hash: string): string {
    const isBehind = this.#known.size < GROUPS.length || this.#untold.size > 0;
    if (isBehind && this.#looks.note('groups') > 0) void this.#lookAtAll();
    return this.#known.get(toGroup(hash))?.name ?? '';
  }

  recall(hash: string): RecalledGeneration | null {
    return this.#known.get(toGroup(hash)) ?? null;
  }

  freshName(): string {
    // A name that came twice would hide a loss from those who know it.
    this.#freshCount += 1;
    return `${this.#processId}-${this.#freshCount}`;
  }

  note(hash: string, found: unknown): number | null {
    const group = toGroup(hash);
    const known = this.#known.get(group);
    if (known !== undefined && known.text === found) {
      this.#noteStranger(known.stranger);
      return known.missedAtMs;
    }
    const fresh = toKnown(found);
    if (fresh === null) return null;
    this.#known.set(group, fresh);
    this.#otherKeyUntilMs = Math.max(this.#otherKeyUntilMs, fresh.otherKeyUntilMs);
    if (known !== undefined && known.name !== fresh.name) {
      if (this.#reports.note('lost') > 0) this.#options.onLost?.();
      void this.#lookAtAll();
    }
    this.#noteStranger(fresh.stranger);
    return fresh.missedAtMs;
  }

  unknownKey(): UnknownKey | null {
    const { clock, retentionMs } = this.#options;
    const isOver = (this.#unknownKey?.lastUsedAtMs ?? 0) + retentionMs <= clock.nowMs();
    return isOver ? null : this.#unknownKey;
  }

  otherKeyUntilMs(): number {
    if (!this.#hasLooked) return this.#options.clock.nowMs();
    if (this.#otherKeyUntilMs === 0) return 0;
    if (this.#otherKeyLooks.note('groups') > 0) void this.#lookAtAll();
    // They may have written since the latest look, to a group that nobody has read since.
    return this.#otherKeyUntilMs + OTHER_KEY_INTERVAL_MS;
  }

  tellGap(untilMs: number): void {
    this.#gapUntilMs = untilMs;
    for (const group of GROUPS) this.#untold.add(group);
    void this.#lookAtAll();
  }

  #noteStranger(stranger: UnknownKey | null): void {
    if (stranger === null) return;
    if (stranger.lastUsedAtMs > (this.#unknownKey?.lastUsedAtMs ?? 0)) this.#unknownKey = stranger;
    const unknown = this.unknownKey();
    if (unknown !== null && this.#reports.note('unknown key') > 0) this.#options.onUnknownKey?.(unknown);
  }

  async #lookAtAll(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await Promise.all(GROUPS.map((group) => this.#lookAt(group)));
    this.#isLooking = false;
    this.#hasLooked ||= GROUPS.every((group) => this.#known.has(group));
  }

  async #lookAt(group: string): Promise<void> {
    const { redis, clock } = this.#options;
    const { keys, guard } = redis;
    const key = keys.custodyGeneration(group);
    const former = keys.formerGeneration(group);
    const [known, fresh, gapUntilMs] = [this.knownFor(group), this.freshName(), this.#gapUntilMs];
    const reply = await guard.run(() =>
      this.#scripted.lookAtCustody(key, former, clock.nowMs(), known, fresh, this.#writer, gapUntilMs),
    );
    if (typeof reply !== 'string') return;
    if (gapUntilMs === this.#gapUntilMs) this.#untold.delete(group);
    if (this.note(group, reply) === null) redis.reportRefusal({ kind: 'value_refused', key });
  }
}

function toGroup(hash: string): string {
  return hash.slice(0, 2);
}

/** Null for what is no generation. */
function toKnown(found: unknown): KnownGeneration | null {
  const [text, name = '', lost, foreign, otherKey, gap, strange, keyId = ''] =
    FOUND.exec(String(found)) ?? [];
  if (text === undefined) return null;
  const stranger = KEY_ID.test(keyId) ? { keyId, lastUsedAtMs: Number(strange) } : null;
  const missedAtMs = Math.max(Number(lost), Number(foreign));
  // The text in Redis goes on with a space, or ends there.
  const beginning = `${name} ${lost} ${gap === '0' ? '' : `~${gap} `}`;
  const [otherKeyUntilMs, gapUntilMs] = [Number(otherKey), Number(gap)];
  const isAlone = text === `${name} ${lost} 0 0 ${gap} 0 `;
  return { text, name, beginning, missedAtMs, isAlone, otherKeyUntilMs, gapUntilMs, stranger };
}
