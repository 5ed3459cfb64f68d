import type { Clock } from '../../../application/clock.ts';
import type { LogEntry, LogPosition } from '../../../application/decision-log/decision-log.ts';
import { type LogRecord, RECORD_VERSION } from '../../../domain/decision-log/decision-record.ts';
import { RiskgateError } from '../../../domain/errors.ts';
import type { RedisHandle } from '../../redis/handle.ts';
import { parseObject } from '../../redis/json-object.ts';
import type { DecisionKeys } from '../../redis/keys.ts';
import {
  HOUR_MS,
  hourOf,
  idAfter,
  idBefore,
  minuteOf,
  type StreamPlace,
  toPlaceIn,
  toPosition,
  toStreamId,
} from './decision-position.ts';
import { type DecisionRedis, type StreamEntry, withDecisionScripts } from './decision-scripts.ts';

/** A part of the log, and where the stream goes on. */
interface StreamPart {
  readonly entries: readonly LogEntry[];
  /** The place of the last entry that was looked at; null where the stream has no more. */
  readonly last: StreamPlace | null;
}

/** Commands that are sent together: their replies are some hundred kilobytes at most. */
const TOGETHER = 120;
const MINUTE_MS = 60_000;

/**
 * The streams of the decision log, hour by hour. Everything rejects with `store_unavailable` while Redis is
 * left alone, and when a command fails or is late.
 */
export class DecisionStreams {
  readonly redis: DecisionRedis;
  readonly #handle: RedisHandle;
  readonly #clock: Clock;
  readonly #keptMs: number;

  constructor(handle: RedisHandle, clock: Clock, recordsKeptMs: number) {
    this.redis = withDecisionScripts(handle.client);
    this.#handle = handle;
    this.#clock = clock;
    this.#keptMs = recordsKeptMs;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  keysOf(hour: number): DecisionKeys {
    return this.#handle.keys.decisions(hour);
  }

  /** Hours that may hold records, the oldest first: the clocks of the servers may be ahead of ours. */
  hours(): number[] {
    const newest = hourOf(this.#clock.nowMs()) + 1;
    const oldest = hourOf(this.#clock.nowMs() - this.#keptMs) - 1;
    return Array.from({ length: newest - oldest + 1 }, (_, place) => oldest + place);
  }

  /** Sends one command or script. */
  async send<Reply>(command: () => Promise<Reply>): Promise<Reply> {
    if (!this.#handle.guard.admits()) throw unavailable();
    // The guard's own null says that there was no answer, and null is an answer too.
    const reply = await this.#handle.guard.run(async () => ({ value: await command() }));
    if (reply === null) throw unavailable();
    return reply.value;
  }

  /** Sends one command for each item, so many at a time. */
  async sendAll<Item, Reply>(
    items: readonly Item[],
    command: (item: Item) => Promise<Reply>,
  ): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (let place = 0; place < items.length; place += TOGETHER) {
      const together = items.slice(place, place + TOGETHER);
      replies.push(...(await this.send(() => Promise.all(together.map(command)))));
    }
    return replies;
  }

  /** Entries of an hour before a place (null: from its end), the newest first. */
  async readBack(hour: number, before: StreamPlace | null, limit: number): Promise<StreamPart> {
    const from = before === null ? '+' : idBefore(before);
    const found = await this.send(() =>
      this.redis.xrevrange(this.keysOf(hour).records, from, '-', 'COUNT', limit),
    );
    return this.#toPart(hour, found, limit);
  }

  /**
   * Entries of an hour after a place (null: from its beginning), the last place that was looked at (null:
   * nothing follows), and whether the hour is over and nothing follows those.
   */
  async readOn(
    hour: number,
    after: StreamPlace | null,
    limit: number,
  ): Promise<StreamPart & { readonly isOver: boolean }> {
    const { records } = this.keysOf(hour);
    const from = after === null ? '-' : idAfter(after);
    const endMs = String((hour + 1) * HOUR_MS);
    const [isOver, found] = await this.send(() =>
      this.redis.readDecisions(records, endMs, from, String(limit)),
    );
    const lastId = found.at(-1)?.[0];
    const last = lastId === undefined ? null : toPlaceIn(hour, lastId);
    return { entries: this.#toEntries(hour, found), last, isOver: isOver === 1 && found.length < limit };
  }

  /** True when the entry of a place is still kept. */
  async holds(place: StreamPlace): Promise<boolean> {
    const id = toStreamId(place);
    const found = await this.send(() => this.redis.xrange(this.keysOf(place.hour).records, id, id));
    return found.length > 0;
  }

  /** The latest entry of all; null for an empty log. */
  async newest(): Promise<LogPosition | null> {
    const hours = this.hours().reverse();
    const replies = await this.sendAll(hours, (hour) =>
      this.redis.xrevrange(this.keysOf(hour).records, '+', '-', 'COUNT', 1),
    );
    const place = replies.findIndex((found) => found.length > 0);
    const [entry] = replies[place] ?? [];
    return entry === undefined ? null : toPosition(toPlaceIn(hours[place] ?? 0, entry[0]));
  }

  /** The places of what index names stand for, appended in one of these minutes, the newest first. */
  async findByName(names: readonly string[], minutes: readonly number[]): Promise<readonly StreamPlace[]> {
    const asked = names.flatMap((name) => minutes.map((minute) => ({ name, minute })));
    const replies = await this.sendAll(asked, ({ name, minute }) =>
      // A semicolon follows the colon in ASCII, so this is everything that begins with the name and a colon.
      this.redis.zrangebylex(`${this.keysOf(hourOf(minute)).indexOf}${minute}`, `[${name}:`, `(${name};`),
    );
    const places = new Map<string, StreamPlace>();
    replies.forEach((members, nth) => {
      const hour = hourOf(asked[nth]?.minute ?? 0);
      for (const member of members) {
        const id = member.slice(member.lastIndexOf(':') + 1);
        places.set(`${hour} ${id}`, toPlaceIn(hour, id));
      }
    });
    return [...places.values()].sort(
      (left, right) => right.hour - left.hour || right.ms - left.ms || right.sequence - left.sequence,
    );
  }

  /** The entries of places, in their order; those that are no longer kept are left out. */
  async entriesOf(places: readonly StreamPlace[]): Promise<readonly LogEntry[]> {
    const replies = await this.sendAll(places, (place) =>
      this.redis.xrange(this.keysOf(place.hour).records, toStreamId(place), toStreamId(place)),
    );
    return replies.flatMap((found, place) => this.#toEntries(places[place]?.hour ?? 0, found));
  }

  /** The minutes of an hour in which something may have been appended, the newest first. */
  minutesOf(hour: number): number[] {
    const lastMs = Math.min((hour + 1) * HOUR_MS - 1, this.#clock.nowMs() + MINUTE_MS);
    // What is appended before its hour began, because clocks differ, is indexed by the time of the server.
    const count = Math.max(0, Math.ceil((lastMs - hour * HOUR_MS) / MINUTE_MS));
    return Array.from({ length: count }, (_, place) => minuteOf(lastMs) - place * MINUTE_MS);
  }

  #toPart(hour: number, found: readonly StreamEntry[], limit: number): StreamPart {
    const lastId = found.length < limit ? undefined : found.at(-1)?.[0];
    return {
      entries: this.#toEntries(hour, found),
      last: lastId === undefined ? null : toPlaceIn(hour, lastId),
    };
  }

  #toEntries(hour: number, found: readonly StreamEntry[]): LogEntry[] {
    return found.flatMap(([id, [, text = '']]) => {
      const record = parseRecord(text);
      return record === null ? [] : [{ position: toPosition(toPlaceIn(hour, id)), record }];
    });
  }
}

function unavailable(): RiskgateError {
  return new RiskgateError('store_unavailable', 'The decision log in Redis cannot be reached.');
}

const KINDS: ReadonlySet<unknown> = new Set<LogRecord['kind']>(['decision', 'gap', 'event']);

/** A stored text is trusted no further than its kind and version: null for what is no record of ours. */
function parseRecord(text: string): LogRecord | null {
  const value = parseObject(text);
  const { version, kind } = value ?? {};
  const isOurs = version === RECORD_VERSION && KINDS.has(kind);
  // A record of this version was written from a LogRecord; checking each again would cost more than reading
  // it.
  return isOurs ? (value as unknown as LogRecord) : null;
}
