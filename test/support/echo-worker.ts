import { parentPort, workerData } from 'node:worker_threads';
import { serveCalls } from '../../src/platform/remote-worker.ts';

function createEcho(greeting: string) {
  let calls = 0;
  return {
    greet: (name: string) => {
      calls += 1;
      return `${greeting} ${name} ${calls}`;
    },
    fail: (code: string) => {
      throw Object.assign(new Error('it failed'), { code });
    },
    // Ends the thread, as an error that nothing catches does.
    end: () => process.exit(1),
    hold: (megabytes: number) => {
      const held: unknown[] = [];
      // About 100 bytes each.
      for (let count = 0; count < megabytes * 10_000; count += 1) held.push({ text: `${count}`.repeat(4) });
      return held.length;
    },
    close: () => {},
  };
}

/** A thread that a test asks. */
export type EchoThread = ReturnType<typeof createEcho>;

if (parentPort !== null) serveCalls(parentPort, createEcho(workerData.greeting));
