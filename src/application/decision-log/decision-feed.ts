import { RiskgateError } from '../../domain/errors.ts';
import type { Clock } from '../ports.ts';
import type { DecisionLogReader, LogEntry, LogPosition, LogSlice } from './decision-log.ts';

/** One reader of the feed. None of its methods throws. */
export interface FeedListener {
  /** Entries in the order of the log, each once. */
  onEntries(entries: readonly LogEntry[]): void;
  /** Entries before those that come next are no longer kept. */
  onGap(): void;
  /** Resolves when the listener can take more; false when it has left. Asked while it catches up, where the log can be read faster than it reads. */
  hasRoom(): Promise<boolean>;
  /** The log cannot be read: the last that is heard. */
  onLost(): void;
}

/** A listener's place in the feed. */
export interface Follower {
  /** The last entry that was handed over or passed by; null before the first of an empty log. */
  position(): LogPosition | null;
  leave(): void;
}

/** New entries of the log, read once in this process however many listen. */
export interface DecisionFeed {
  /** Follows the log after `after`, or from now on where that is null. Rejects with `store_unavailable`. */
  follow(after: LogPosition | null, listener: FeedListener): Promise<Follower>;
}

interface DecisionFeedOptions {
  readonly reader: Pick<DecisionLogReader, 'newest' | 'readAfter' | 'onChange'>;
  /** Reads for those who catch up: however many they are, all of them wait for one another. */
  readonly catchUp: Pick<DecisionLogReader, 'readAfter'>;
  readonly clock: Clock;
}

/** Entries of one read: some 100 KB on the wire. */
const SLICE_MAX = 100;
/** Appends that follow each other closely are read together. */
const READ_GAP_MS = 20;
/** Listeners that are handed entries in one turn of the event loop: each filters them and writes to its socket, some 20 µs. */
const LISTENERS_TOGETHER = 100;
/** What every listener adds to the pause after a slice: with a thousand of them handing over takes a third of the event loop at most, and still more than a thousand decisions a second. */
const PAUSE_MS_EACH = 0.04;
/** Between attempts while the log cannot be read, and when to give up: longer than a failover of Redis takes. */
const RETRY_MS = 1_000;
const LOST_AFTER_MS = 10_000;
/** Looks at the log without being told, should a notice have been lost. */
const LOOK_MS = 5_000;

/** Builds a feed. It reads only while somebody listens. */
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
  /** Those that have caught up: they have seen all up to `#position`. */
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
      // Heard before it is read, so that nothing is appended in between unnoticed.
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

  /** The first read is waited for, so that a log that cannot be read is an answer and not a stream; the rest is caught up with behind the answer. */
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
      // store_unavailable: the client comes back and goes on where it was.
      if (!member.hasLeft) member.listener.onLost();
    }
  }

  /** Reads one slice for one member, which joins the others in the same step when it has all that they have: a later one, and the feed could move on in between. */
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

  /** Reads after `waitMs`, or earlier where that was to happen anyway. */
  #schedule(waitMs: number): void {
    const dueAtMs = this.#options.clock.monotonicMs() + waitMs;
    if (this.#stopHearing === null || (this.#timer !== null && this.#dueAtMs <= dueAtMs)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#timer = setTimeout(() => void this.#read(), waitMs);
    // A feed that nobody ended must not keep a process.
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
      // store_unavailable, which whoever reads the log has reported.
      waitMs = RETRY_MS;
      this.#noteFailure();
    }
    this.#isReading = false;
    this.#schedule(waitMs);
  }

  /** Soon, where something was appended while the log was read. */
  #pauseMs(): number {
    return this.#isStale ? READ_GAP_MS : LOOK_MS;
  }

  /** True when there may be more. */
  async #readSlice(): Promise<boolean> {
    const slice = await this.#options.reader.readAfter(this.#position, SLICE_MAX);
    const hasMoved = slice.position !== this.#position;
    this.#position = slice.position;
    let served = 0;
    // One that joins meanwhile stands at this position or further, and finds nothing new in it.
    for (const member of this.#members) {
      handOver(member, slice);
      served += 1;
      if (served % LISTENERS_TOGETHER === 0) await nextTurn();
    }
    const { length } = slice.entries;
    // What moves without an entry has passed by something that is none.
    return length === SLICE_MAX || (length === 0 && hasMoved);
  }

  #noteFailure(): void {
    // All have left while it was read: whoever comes next finds out anew.
    if (this.#guests === 0) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#failingSinceMs ??= nowMs;
    if (nowMs - this.#failingSinceMs < LOST_AFTER_MS) return;
    for (const member of this.#members) member.listener.onLost();
  }
}

function handOver(member: Member, { entries, position, isGap }: LogSlice): void {
  if (isGap) member.listener.onGap();
  // One that came with a later position than the feed's has some of these already.
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
