/**
 * Preloaded (`--import`) into every server that is measured, the real service among them: reports the CPU
 * time of its process, and ends it when the benchmark is gone.
 */
import { z } from 'zod';
import { answer } from './child.ts';

/** Microseconds of user and system time of all threads since the start of the process (getrusage). */
answer('cpu', z.null(), () => {
  const { user, system } = process.cpuUsage();
  return user + system;
});
process.once('disconnect', () => process.exit());
