import type { BacktestTally } from '../../domain/backtest/tally.ts';
import { type BacktestReport, type CostMatrix, toReport } from '../../domain/backtest/to-report.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { Clock } from '../clock.ts';

/** A candidate, and the decisions that it is tried on. */
export interface BacktestQuestion {
  /** The text of a policy that was checked, and its hash. */
  readonly policy: string;
  readonly hash: string;
  readonly filter: RecordFilter;
  readonly costs: CostMatrix | null;
}

/** Runs one backtest. Rejects where the log cannot be read, and with the reason of the signal where that ends it. */
export type RunBacktest = (
  question: BacktestQuestion,
  options: {
    readonly signal: AbortSignal;
    /** Told how many more entries of the log were looked at. */
    readonly onProgress: (entries: number) => void;
  },
) => Promise<BacktestTally>;

/** A backtest that is running, or has ended. */
export interface BacktestJob {
  readonly id: string;
  /** Who asked for it. */
  readonly caller: string;
  readonly hash: string;
  /** `failed`: the log could not be read, or there was not enough time. */
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  /** Unix milliseconds. */
  readonly beganAtMs: number;
  readonly endedAtMs: number | null;
  /** Entries of the log that were looked at so far. */
  readonly entries: number;
  /** Null unless it is done. */
  readonly report: BacktestReport | null;
}

/** The backtests of one process. */
export interface BacktestJobs {
  /** Begins one. Throws `conflict` while another is running. */
  begin(question: BacktestQuestion, caller: string): BacktestJob;
  /** Null for one that there is not, or not any more. */
  find(id: string): BacktestJob | null;
  /** Ends one that is running; one that has ended stays as it is. Null as `find`. */
  cancel(id: string): BacktestJob | null;
  /** Ends what is running, and begins no more. */
  close(): void;
}

interface BacktestJobsOptions {
  readonly run: RunBacktest;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Told of one that failed, and why. */
  readonly onFailed: (error: unknown) => void;
  readonly timeoutMs?: number;
}

/** A history of ten million decisions takes minutes. */
const TIMEOUT_MS = 10 * 60_000;
/** Backtests that are kept when they have ended: some hundred kilobytes each at most. */
const KEPT_MAX = 20;

type MutableJob = { -readonly [Name in keyof BacktestJob]: BacktestJob[Name] };

/** Runs backtests one at a time: each takes a core and reads the whole history. */
export function createBacktestJobs(options: BacktestJobsOptions): BacktestJobs {
  return new OneAtATime(options);
}

class OneAtATime implements BacktestJobs {
  readonly #options: BacktestJobsOptions;
  readonly #jobs = new Map<string, MutableJob>();
  #running: { readonly job: MutableJob; readonly stop: AbortController } | null = null;
  #isClosed = false;

  constructor(options: BacktestJobsOptions) {
    this.#options = options;
  }

  begin(question: BacktestQuestion, caller: string): BacktestJob {
    if (this.#running !== null || this.#isClosed)
      throw new RiskgateError('conflict', 'Another backtest is running.', {
        publicDetail: 'Another backtest is running: wait for it, or cancel it.',
      });
    const { newId, clock, timeoutMs = TIMEOUT_MS } = this.#options;
    const stop = new AbortController();
    const job: MutableJob = {
      id: newId(),
      caller,
      hash: question.hash,
      state: 'running',
      beganAtMs: clock.nowMs(),
      endedAtMs: null,
      entries: 0,
      report: null,
    };
    this.#jobs.set(job.id, job);
    for (const oldest of [...this.#jobs.keys()].slice(0, -KEPT_MAX)) this.#jobs.delete(oldest);
    this.#running = { job, stop };
    void this.#work(job, question, AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs)]));
    return { ...job };
  }

  find(id: string): BacktestJob | null {
    const job = this.#jobs.get(id);
    return job === undefined ? null : { ...job };
  }

  cancel(id: string): BacktestJob | null {
    if (this.#running?.job.id === id) this.#stop('cancelled');
    return this.find(id);
  }

  close(): void {
    this.#isClosed = true;
    this.#stop('closed');
  }

  #stop(why: string): void {
    const running = this.#running;
    if (running === null) return;
    running.stop.abort(new Error(why));
    this.#end(running.job, 'cancelled');
  }

  #end(job: MutableJob, state: BacktestJob['state']): void {
    job.state = state;
    job.endedAtMs = this.#options.clock.nowMs();
    this.#running = null;
  }

  /** What has been cancelled meanwhile stays so. */
  async #work(job: MutableJob, question: BacktestQuestion, signal: AbortSignal): Promise<void> {
    const onProgress = (entries: number) => {
      job.entries += entries;
    };
    try {
      const tally = await this.#options.run(question, { signal, onProgress });
      if (job.state !== 'running') return;
      job.report = toReport(tally, question.costs);
      this.#end(job, 'done');
    } catch (error) {
      if (job.state !== 'running') return;
      this.#options.onFailed(error);
      this.#end(job, 'failed');
    }
  }
}
