/** The emulators of every provider on one port, and what they measure of themselves. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { announce, answer } from '../child.ts';
import { portOf } from './port-of.ts';

const { app, callCounts } = createEmulatorServer({ providers: PROVIDERS });
const startedAtMs = new WeakMap<FastifyRequest, number>();
const slowestMs = new Map<number, number>();
let isRecording = false;

// From the parsed head of the request to the moment before the answer is written. The time in the kernel and
// in this process's queue is not included, so it counts against the service.
app.addHook('onRequest', (request, _reply, done) => {
  if (isRecording) startedAtMs.set(request, performance.now());
  done();
});
app.addHook('onSend', (request, _reply, _payload, done) => {
  const started = startedAtMs.get(request);
  if (started !== undefined) {
    const serial = /fault-slow-\d+-(\d+)/.exec(`${request.url} ${String(request.body)}`)?.[1];
    if (serial !== undefined) {
      const elapsedMs = performance.now() - started;
      slowestMs.set(Number(serial), Math.max(elapsedMs, slowestMs.get(Number(serial)) ?? 0));
    }
  }
  done();
});

/** Begins to record; forgets what was recorded before. */
answer('record', z.null(), () => {
  slowestMs.clear();
  isRecording = true;
});
/**
 * Stops, and answers `[serial number of the id, milliseconds of its slowest provider]` for every id asked
 * about.
 */
answer('recorded', z.null(), () => {
  isRecording = false;
  return [...slowestMs];
});
/** How many calls all providers have had. */
answer('calls', z.null(), () => Object.values(callCounts()).reduce((sum, count) => sum + count, 0));

await app.listen({ host: '127.0.0.1', port: 0 });
announce(portOf(app.server));
