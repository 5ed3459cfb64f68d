import { z } from 'zod';
import type { Fleet } from './fleet.ts';
import { type LoadJob, type LoadResult, loadResultSchema } from './load/job.ts';
import type { BenchOptions, VariantId } from './options.ts';
import type { BenchProcess } from './processes.ts';
import { median } from './statistics.ts';
import { type RunningVariant, toDirectJob, toLoadJob } from './variants.ts';

/** One variant in one round. */
export interface CpuSample {
  readonly variant: VariantId;
  readonly round: number;
  readonly microsPerRequest: number;
  /** That of its event loop alone; null where it has none that can be asked. */
  readonly loopMicrosPerRequest: number | null;
  readonly requestsPerSecond: number;
  /** CPU time of the load generator as a share of one core; near 1 it is what limits the requests. */
  readonly generatorShare: number;
  /** True for the service of the other checkout. */
  readonly isOther: boolean;
}

/** Milliseconds beyond the slowest emulator's own time, one for each request. */
export interface OverheadSamples {
  readonly connections: number;
  readonly decideMs: readonly number[];
  /** The same for a direct call to an emulator: the cost of the sockets and of this machine. */
  readonly directMs: readonly number[];
}

/** The median latency of one variant in one round. */
export interface LatencySample {
  readonly variant: VariantId;
  readonly round: number;
  readonly medianMs: number;
}

/** `[serial, milliseconds]` */
const recordedSchema = z.array(z.tuple([z.int(), z.number()]));

/** Few, so that no request waits for another, and one count at which they queue. */
export const OVERHEAD_CONNECTIONS = [1, 4, 32] as const;
/** The connections at which the median latency of strict logging is measured. */
export const LATENCY_CONNECTIONS = 32;
/**
 * The share of provider calls that a warm sample may have: on a busy machine a read of Redis can be late, and
 * the provider is then asked. A sample with more is discarded and repeated.
 */
const UPSTREAM_CALLS_SHARE_MAX = 0.01;
const ATTEMPTS = 3;
/** About 5,000 cold decisions, and 100,000 of the others: by then V8 has optimised the warm path. */
const WARM_UP_CONNECTIONS = 32;
const WARM_UP_SECONDS = 8;
const LEAD_IN_SECONDS_MIN = 0.2;

/** Measures with one load generator against one fleet. Every method rejects on the first wrong answer. */
export class Meter {
  readonly #fleet: Fleet;
  readonly #generator: BenchProcess;
  readonly #options: BenchOptions;
  /** Cold ids are never used twice. */
  #nextCold = 0;

  constructor(fleet: Fleet, generator: BenchProcess, options: BenchOptions) {
    this.#fleet = fleet;
    this.#generator = generator;
    this.#options = options;
  }

  /** Lets V8 optimise the code of a variant: before that, a cold decision costs three times as much. */
  async warmUp(variant: RunningVariant): Promise<void> {
    const job = toLoadJob(variant, WARM_UP_CONNECTIONS, this.#nextCold);
    await this.#withLoad(job, () => this.#load(WARM_UP_SECONDS));
  }

  /** CPU time of the server's process per request while every connection is busy. */
  async measureCpu(variant: RunningVariant, round: number): Promise<CpuSample> {
    const { connections } = this.#options;
    const job = toLoadJob(variant, connections, this.#nextCold);
    return this.#withLoad(job, async () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { sample, upstreamCallsShare } = await this.#sampleCpu(variant, round);
        if (variant.origin === 'miss' || upstreamCallsShare <= UPSTREAM_CALLS_SHARE_MAX) return sample;
      }
      throw new Error(`${variant.id}: evidence that should be cached is asked of the providers again`);
    });
  }

  /**
   * Latency of a decision, and of a call without riskgate, beyond the slowest emulator's own time for the
   * same id.
   */
  async measureOverhead(cold: RunningVariant, connections: number): Promise<OverheadSamples> {
    const decide = toLoadJob(cold, connections, this.#nextCold);
    const decideMs = await this.#overheadOf(decide);
    const direct = toDirectJob(this.#fleet.emulators.port, connections, this.#nextCold);
    return { connections, decideMs, directMs: await this.#overheadOf(direct) };
  }

  /** The median latency in milliseconds at the number of connections that strict logging is judged by. */
  async measureMedian(variant: RunningVariant, round: number): Promise<LatencySample> {
    const job = toLoadJob(variant, LATENCY_CONNECTIONS, this.#nextCold);
    return this.#withLoad(job, async () => {
      await this.#load(LEAD_IN_SECONDS_MIN);
      const { latencies } = await this.#load(this.#options.seconds, true);
      return { variant: variant.id, round, medianMs: median(latencies.map(([, ms]) => ms)) };
    });
  }

  async #overheadOf(job: LoadJob): Promise<number[]> {
    return this.#withLoad(job, async () => {
      await this.#load(LEAD_IN_SECONDS_MIN);
      await this.#fleet.emulators.ask('record', z.unknown());
      const { latencies } = await this.#load(this.#options.seconds, true);
      const slowestMs = new Map(await this.#fleet.emulators.ask('recorded', recordedSchema));
      return latencies.map(([serial, ms]) => {
        const upstreamMs = slowestMs.get(serial);
        if (upstreamMs === undefined) throw new Error(`the emulators were not asked about ${serial}`);
        return ms - upstreamMs;
      });
    });
  }

  async #sampleCpu(variant: RunningVariant, round: number) {
    const { seconds } = this.#options;
    await this.#load(Math.max(LEAD_IN_SECONDS_MIN, seconds / 10));
    const callsBefore = await this.#upstreamCalls();
    const generatorBefore = await this.#generator.cpuMicros();
    const { server } = variant;
    const [before, loopBefore] = [await server.cpuMicros(), await server.loopMicros()];
    const { requests, seconds: tookSeconds } = await this.#load(seconds);
    const [after, loopAfter] = [await server.cpuMicros(), await server.loopMicros()];
    const generatorMicros = (await this.#generator.cpuMicros()) - generatorBefore;
    const calls = (await this.#upstreamCalls()) - callsBefore;
    const sample: CpuSample = {
      variant: variant.id,
      round,
      microsPerRequest: (after - before) / requests,
      loopMicrosPerRequest:
        loopBefore === null || loopAfter === null ? null : (loopAfter - loopBefore) / requests,
      requestsPerSecond: requests / tookSeconds,
      generatorShare: generatorMicros / 1e6 / tookSeconds,
      isOther: variant.isOther,
    };
    return { sample, upstreamCallsShare: calls / requests };
  }

  async #withLoad<Value>(job: LoadJob, work: () => Promise<Value>): Promise<Value> {
    await this.#generator.ask('open', z.unknown(), job);
    const value = await work();
    const next = await this.#generator.ask('close', z.int());
    if (job.serials.count === null) this.#nextCold = next;
    return value;
  }

  async #load(seconds: number, isTimed = false): Promise<LoadResult> {
    const result = await this.#generator.ask('run', loadResultSchema, { seconds, isTimed });
    if (result.failures === 0) return result;
    throw new Error(`${result.failures} of ${result.requests} requests failed: ${result.firstFailure}`);
  }

  #upstreamCalls(): Promise<number> {
    return this.#fleet.emulators.ask('calls', z.int());
  }
}
