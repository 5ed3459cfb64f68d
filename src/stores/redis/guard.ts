import { servedMs } from '../../platform/served-time.ts';
import type { RedisConnection } from './connection.ts';
import { isMaybeReplaced, isNotServing, isRedisReply, redisErrorCode, toErrorCode } from './error-code.ts';
import { LATE, withinBudget } from './within-budget.ts';

interface RedisGuardOptions {
  readonly connection: RedisConnection;
  /** The longest time one command may keep its caller. */
  readonly budgetMs?: number;
  readonly probeIntervalMs?: number;
  /**
   * Called once per change, and once for the first state that is known. `reason` is an error code, null when
   * up.
   */
  readonly onStateChange: (state: 'up' | 'down', reason: string | null) => void;
  /** Called for every answer that says no (`OOM`, `NOPERM`, …). */
  readonly onErrorReply: (code: string) => void;
}

/** Totals since the start. */
export interface RedisGuardCounters {
  /** Commands that were given up at the end of their budget. */
  readonly timeouts: number;
  /** Commands lost with the connection. */
  readonly failures: number;
  readonly errorReplies: number;
}

/** Whether a connection can be used. */
export interface ConnectionHealth {
  readonly state: 'up' | 'down';
  /** Why the state is down, `connecting` while nothing is known yet; null when it is up. */
  readonly reason: string | null;
}

/**
 * Contains a Redis that is slow or gone: it costs one command's budget, then it is left alone and probed in
 * the background.
 */
export interface RedisGuard {
  /** False while Redis is left alone: then send nothing. */
  admits(): boolean;
  /**
   * The reply to one command, or null when it failed or was late. Settles within the budget, which begins
   * with the last reply where one server answers in order, and never rejects.
   */
  run<T>(send: () => Promise<T>): Promise<T | null>;
  /** Counts and tells what a script was refused for one of several entries, as if it were an error reply. */
  noteRefusal(message: string): void;
  state(): 'up' | 'down';
  /** Why the state is down; null when it is up. */
  reason(): string | null;
  /**
   * Why the state was down the last time, or is: that its server served nothing, where it said so at any time of
   * it, and else the latest reason. Null where it never was.
   */
  downReason(): string | null;
  counters(): RedisGuardCounters;
  close(): void;
}

/** What a decision can spare for a cache that does not answer: a tenth of a 250 ms login budget. */
const BUDGET_MS = 25;
/** Recovery is noticed within this time; one PING per interval costs nothing. */
const PROBE_INTERVAL_MS = 500;

/**
 * While nothing is suspected: so many probe intervals, 5 s. It finds a server that has become a replica, and
 * a peer that is gone, before a decision does.
 */
const PROBE_INTERVALS_AT_PEACE = 10;

/** A process that is blocked so many times in a row is no better off with Redis than without. */
const PING_ATTEMPTS_MAX = 3;

/**
 * The first late or lost command stops all others, since each of them would keep its own decision waiting
 * too. It only raises a suspicion, though: a PING follows at once, and only when that is late as well is
 * Redis down. A single slow moment, theirs or ours, thus costs a round trip of misses and no change of state.
 * An error reply is an answer, and stops nothing, unless it says that nothing is served.
 */
export function createRedisGuard(options: RedisGuardOptions): RedisGuard {
  return new ProbingGuard(options);
}

class ProbingGuard implements RedisGuard {
  readonly #connection: RedisConnection;
  readonly #budgetMs: number;
  readonly #probeIntervalMs: number;
  readonly #options: RedisGuardOptions;
  readonly #counters = { timeouts: 0, failures: 0, errorReplies: 0 };
  /** By servedMs(). Says nothing where several servers answer. */
  #lastReplyMs = Number.NEGATIVE_INFINITY;
  readonly #lastSignMs = () => this.#lastReplyMs;
  #isTrusted = false;
  #isProbing = false;
  #isClosed = false;
  #state: 'unknown' | 'up' | 'down' = 'unknown';
  #reason: string | null = 'connecting';
  #downReason: string | null = null;
  #probeTimer: NodeJS.Timeout | undefined;

  constructor(options: RedisGuardOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#budgetMs = options.budgetMs ?? BUDGET_MS;
    this.#probeIntervalMs = options.probeIntervalMs ?? PROBE_INTERVAL_MS;
    this.#connection.onReady(() => void this.#probe());
    this.#connection.onLost(() => this.#distrust(this.#connection.lastErrorCode() ?? 'connection_closed'));
    this.#connection.onDoubt(() => this.#suspect());
    if (this.#connection.isReady()) void this.#probe();
  }

  admits(): boolean {
    return this.#isTrusted && this.#connection.isReady();
  }

  async run<T>(send: () => Promise<T>): Promise<T | null> {
    try {
      const reply = await withinBudget(send(), this.#budgetMs, this.#lastSignMs);
      if (reply !== LATE) {
        this.#noteReply();
        return reply;
      }
      this.#counters.timeouts += 1;
      this.#suspect();
    } catch (error) {
      this.#noteFailure(error);
    }
    return null;
  }

  noteRefusal(message: string): void {
    this.#noteErrorReply(toErrorCode(message));
  }

  state(): 'up' | 'down' {
    return this.#state === 'up' ? 'up' : 'down';
  }

  reason(): string | null {
    return this.#reason;
  }

  downReason(): string | null {
    return this.#downReason;
  }

  counters(): RedisGuardCounters {
    return { ...this.#counters };
  }

  close(): void {
    this.#isClosed = true;
    this.#isTrusted = false;
    clearTimeout(this.#probeTimer);
  }

  #noteFailure(error: unknown): void {
    if (isRedisReply(error)) {
      this.#noteReply();
      this.#noteErrorReply(redisErrorCode(error));
      return;
    }
    this.#counters.failures += 1;
    this.#suspect();
  }

  #noteReply(): void {
    if (!this.#connection.isCluster) this.#lastReplyMs = servedMs();
  }

  #noteErrorReply(code: string): void {
    this.#counters.errorReplies += 1;
    this.#options.onErrorReply(code);
    if (isNotServing(code)) this.#suspect();
    else if (isMaybeReplaced(code)) this.#connection.renew(code);
  }

  #suspect(): void {
    if (!this.#isTrusted) return;
    this.#isTrusted = false;
    void this.#probe();
  }

  /**
   * Sends one PING at a time. It takes the same way as the commands it speaks for, behind the same batches.
   */
  async #probe(): Promise<void> {
    if (this.#isProbing || this.#isClosed || !this.#connection.isReady()) return;
    this.#isProbing = true;
    const failure = await this.#pingFairly();
    this.#isProbing = false;
    if (failure === null && this.#connection.isReady()) this.#trust();
    else this.#distrust(failure ?? 'connection_closed');
  }

  /** One late answer is a suspicion here too, which asks once more. */
  async #probeAtPeace(): Promise<void> {
    if (this.#isProbing || !this.admits()) return;
    this.#isProbing = true;
    const failure = await this.#pingFairly();
    this.#isProbing = false;
    if (!this.#isTrusted) void this.#probe();
    else if (failure === null) this.#trust();
    else if (failure === 'timeout') this.#suspect();
    else this.#distrust(failure);
  }

  /**
   * Asks again when the time was spent by this process: a timer that fires at twice its delay says that the
   * event loop stood still, not that Redis did.
   */
  async #pingFairly(): Promise<string | null> {
    for (let attempt = 1; ; attempt += 1) {
      const startMs = performance.now();
      const failure = await this.#ping();
      const wasBlocked = performance.now() - startMs > 2 * this.#budgetMs;
      if (failure !== 'timeout' || !wasBlocked || attempt === PING_ATTEMPTS_MAX) return failure;
    }
  }

  async #ping(): Promise<string | null> {
    try {
      const reply = await withinBudget(this.#connection.probe(), this.#budgetMs, this.#lastSignMs);
      return reply === LATE ? 'timeout' : null;
    } catch (error) {
      return redisErrorCode(error);
    }
  }

  #trust(): void {
    if (this.#isClosed) return;
    this.#isTrusted = true;
    clearTimeout(this.#probeTimer);
    const waitMs = PROBE_INTERVALS_AT_PEACE * this.#probeIntervalMs;
    this.#probeTimer = setTimeout(() => void this.#probeAtPeace(), waitMs).unref();
    this.#report('up', null);
  }

  #distrust(reason: string): void {
    if (this.#isClosed) return;
    this.#isTrusted = false;
    clearTimeout(this.#probeTimer);
    // Without a connection the probe does nothing: its being ready again starts the next one.
    this.#probeTimer = setTimeout(() => void this.#probe(), this.#probeIntervalMs).unref();
    this.#report('down', reason);
  }

  #noteDown(reason: string | null): void {
    if (this.#state !== 'down' || !isNotServing(this.#downReason ?? '')) this.#downReason = reason;
  }

  #report(state: 'up' | 'down', reason: string | null): void {
    this.#reason = reason;
    if (state === 'down') this.#noteDown(reason);
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onStateChange(state, reason);
  }
}
