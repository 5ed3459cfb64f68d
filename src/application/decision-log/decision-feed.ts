import { RiskgateError } from '../../domain/errors.ts';
import type { Clock } from '../clock.ts';
import type { DecisionLogReader, LogEntry, LogPosition, LogSlice } from './decision-log.ts';

/** One reader of the feed. None of its methods throws. */
export interface FeedListener {
  /** Entries in the order of the log, each once. */
  onEntries(entries: readonly LogEntry[]): void;
  /** Entries before the next ones are no longer kept. */
  onGap(): void;
  /**
   * Resolves when the listener can take more; false when it has left. Used while the listener catches up,
   * since the log can be faster than the listener.
   */
  hasRoom(): Promise<boolean>;
  /** The log cannot be read. This is the last call. */
  onLost(): void;
}

/** A listener's place in the feed. */
export interface Follower {
  /** The last entry that was delivered or skipped; null at the start of an empty log. */
  position(): LogPosition | null;
  leave(): void;
}

/** New entries of the log, read once in this process for all listeners. */
export interface DecisionFeed {
  /** Follows the log after `after`, or from now on where that is null. Rejects with `store_unavailable`. */
  follow(after: LogPosition | null, listener: FeedListener): Promise<Follower>;
}

interface DecisionFeedOptions {
  readonly reader: Pick<DecisionLogReader, 'newest' | 'readAfter' | 'onChange'>;
  /** Reads for listeners that catch up. These reads run one after another. */
  readonly catchUp: Pick<DecisionLogReader, 'readAfter'>;
  readonly clock: Clock;
}

/** Entries of one read: about 100 KB on the wire. */
const SLICE_MAX = 100;
/** Appends within this time of each other are read together. */
const READ_GAP_MS = 20;
/**
 * Listeners that receive entries in one turn of the event loop: each filters them and writes to its socket,
 * about 20 µs.
 */
const LISTENERS_TOGETHER = 100;
/**
 * What every listener adds to the pause after a slice. With a thousand listeners, delivery takes at most a
 * third of the event loop and still reaches more than a thousand decisions a second.
 */
const PAUSE_MS_EACH = 0.04;
/**
 * The pause between attempts while the log cannot be read, and the time to give up: longer than a failover of
 * Redis takes.
 */
const RETRY_MS = 1_000;
const LOST_AFTER_MS = 10_000;
/** The log is also read at this interval, in case a notice is lost. */
const LOOK_MS = 5_000;

/** Builds a feed. It reads only while it has listeners. */
export function createDecisionFeed(options: DecisionFeedOptions): DecisionFeed {
  return new Feed(options);
}

interface Member extends Follower {
  readonly listener: FeedListener;
  at: LogPosition | null;
  isIn: boolean;
  hasLeft: boolean;
}

class Feed implements DecisionFeed {
  readonly #options: DecisionFeedOptions;
  /** Listeners that have caught up: they have seen every entry up to `#position`. */
  readonly #members = new Set<Member>();
  #guests = 0;
  #position: LogPosition | null = null;
  #started: Promise<void> | null = null;
  #stopHearing: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #dueAtMs = 0;
  #isReading = false;
  #isStale = false;
  #failingSinceMs: number | null = null;

  constructor(options: DecisionFeedOptions) {
    this.#options = options;
  }

  async follow(after: LogPosition | null, listener: FeedListener): Promise<Follower> {
    const member: Member = {
      listener,
      at: after,
      isIn: false,
      hasLeft: false,
      position: () => member.at,
      leave: () => this.#leave(member),
    };
    this.#guests += 1;
    try {
      await this.#start();
      if (this.#failingSinceMs !== null) throw lost();
      if (after === null) this.#join(member);
      else await this.#readFirst(member);
    } catch (error) {
      member.leave();
      throw error;
    }
    return member;
  }

  #start(): Promise<void> {
    this.#started ??= this.#open();
    return this.#started;
  }

  async #open(): Promise<void> {
    const { reader } = this.#options;
    try {
      // Subscribed before the first read, so that no append in between is missed.
      this.#stopHearing = reader.onChange(() => this.#onNotice());
      this.#position = await reader.newest();
      this.#schedule(LOOK_MS);
    } catch (error) {
      this.#stop();
      throw error;
    }
  }

  #stop(): void {
    this.#stopHearing?.();
    this.#stopHearing = null;
    this.#started = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#failingSinceMs = null;
  }

  #join(member: Member): void {
    member.at ??= this.#position;
    member.isIn = true;
    this.#members.add(member);
  }

  #leave(member: Member): void {
    if (member.hasLeft) return;
    member.hasLeft = true;
    this.#members.delete(member);
    this.#guests -= 1;
    if (this.#guests === 0) this.#stop();
  }

  /**
   * Waits for the first read, so that a log that cannot be read gives an error instead of a stream. The
   * listener catches up with the rest after that.
   */
  async #readFirst(member: Member): Promise<void> {
    await this.#readOn(member);
    if (!member.isIn) void this.#catchUp(member);
  }

  async #catchUp(member: Member): Promise<void> {
    try {
      while (!member.isIn && !member.hasLeft) {
        if (!(await member.listener.hasRoom())) return;
        await this.#readOn(member);
      }
    } catch {
      // store_unavailable: the client reconnects and continues from its position.
      if (!member.hasLeft) member.listener.onLost();
    }
  }

  /**
   * Reads one slice for one member. When the member has caught up it joins the others in the same step:
   * between two steps the feed could move on.
   */
  async #readOn(member: Member): Promise<void> {
    const slice = await this.#options.catchUp.readAfter(member.at, SLICE_MAX);
    if (member.hasLeft) return;
    if (slice.isGap) member.listener.onGap();
    const hasMoved = slice.position !== member.at;
    member.at = slice.position;
    if (slice.entries.length > 0) member.listener.onEntries(slice.entries);
    if (!hasMoved || !isBefore(member.at, this.#position)) this.#join(member);
  }

  #onNotice(): void {
    this.#isStale = true;
    if (!this.#isReading) this.#schedule(READ_GAP_MS);
  }

  /** Reads after `waitMs`, or earlier where a read is already due. */
  #schedule(waitMs: number): void {
    const dueAtMs = this.#options.clock.monotonicMs() + waitMs;
    if (this.#stopHearing === null || (this.#timer !== null && this.#dueAtMs <= dueAtMs)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(() => void this.#read(), waitMs);
    // A feed that was not ended must not keep the process alive.
    this.#timer.unref();
  }

  async #read(): Promise<void> {
    this.#timer = null;
    this.#isReading = true;
    this.#isStale = false;
    let waitMs: number;
    try {
      const hasMore = await this.#readSlice();
      this.#failingSinceMs = null;
      waitMs = (hasMore ? 0 : this.#pauseMs()) + this.#members.size * PAUSE_MS_EACH;
    } catch {
      // store_unavailable, which the log reader has reported.
      waitMs = RETRY_MS;
      this.#noteFailure();
    }
    this.#isReading = false;
    this.#schedule(waitMs);
  }

  /** Reads again soon, where something was appended during the read. */
  #pauseMs(): number {
    return this.#isStale ? READ_GAP_MS : LOOK_MS;
  }

  /** True when there may be more. */
  async #readSlice(): Promise<boolean> {
    const slice = await this.#options.reader.readAfter(this.#position, SLICE_MAX);
    const hasMoved = slice.position !== this.#position;
    this.#position = slice.position;
    let served = 0;
    // A listener that joins during the delivery is already at this position or later, and gets nothing twice.
    for (const member of this.#members) {
      handOver(member, slice);
      served += 1;
      if (served % LISTENERS_TOGETHER === 0) await nextTurn();
    }
    const { length } = slice.entries;
    // The position moved without an entry: something that is not an entry was skipped.
    return length === SLICE_MAX || (length === 0 && hasMoved);
  }

  #noteFailure(): void {
    // All listeners left during the read; the next one starts its own.
    if (this.#guests === 0) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#failingSinceMs ??= nowMs;
    if (nowMs - this.#failingSinceMs < LOST_AFTER_MS) return;
    for (const member of this.#members) member.listener.onLost();
  }
}

function handOver(member: Member, { entries, position, isGap }: LogSlice): void {
  if (isGap) member.listener.onGap();
  // A listener whose position was ahead of the feed's already has some of these entries.
  const { at } = member;
  const news = at === null ? entries : entries.filter((entry) => entry.position > at);
  if (isBefore(at, position)) member.at = position;
  if (news.length > 0) member.listener.onEntries(news);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function lost(): RiskgateError {
  return new RiskgateError('store_unavailable', 'The decision log cannot be followed.');
}

function isBefore(left: LogPosition | null, right: LogPosition | null): boolean {
  return right !== null && (left === null || left < right);
}
