/**
 * Preloaded (`--import`) into every server that is measured, the real service among them: reports the CPU
 * time of its process, and ends it when the benchmark is gone.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { z } from 'zod';
import { answer } from './child.ts';

/** Microseconds of user and system time of all threads since the start of the process (getrusage). */
answer('cpu', z.null(), () => {
  const { user, system } = process.cpuUsage();
  return user + system;
});

/** The same of the event loop alone. */
answer('loop-cpu', z.null(), loopMicros);

/** How often is looked whether the event loop is free: what it is held longer counts. */
const RESOLUTION_MS = 2;
const NANOSECONDS = 1e6;
let delays: ReturnType<typeof monitorEventLoopDelay> | null = null;

/** The same with that of the event loop alone, how late it was since the last question, and the memory now. */
answer('state', z.null(), () => {
  delays ??= startDelays();
  const { user, system } = process.cpuUsage();
  const lateMs = (nanoseconds: number) =>
    delays === null || delays.count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS);
  const state = {
    micros: user + system,
    loopMicros: loopMicros(),
    residentBytes: process.memoryUsage.rss(),
    loopP99Ms: lateMs(delays.percentile(99)),
    loopMaxMs: lateMs(delays.max),
  };
  delays.reset();
  return state;
});

function loopMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function startDelays(): ReturnType<typeof monitorEventLoopDelay> {
  const started = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  started.enable();
  return started;
}

process.once('disconnect', () => process.exit());
