import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { startService } from '../support/start-service.ts';
import { startLoad } from './load.ts';

export interface KillLoopOptions {
  readonly kills: number;
  /** The environment of the service, its log and emulators included. */
  readonly env: Readonly<Record<string, string>>;
  /** The decision ids in the log, asked for while no service runs. */
  readonly readIds: () => Promise<ReadonlySet<string>>;
  readonly random: () => number;
}

export interface KillLoopReport {
  readonly kills: number;
  /** Kills that came while answers were under way. */
  readonly killsUnderLoad: number;
  /** Decision ids that a client received. */
  readonly received: number;
  /** Those of them that the log lacks: none may be. */
  readonly missing: readonly string[];
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** The kill comes within so long of the first answers, in which the first hundred records are written. */
const LOAD_MS_MAX = 120;

/**
 * Starts the service, loads it, kills it at a random instant, and starts it again on the same log, so many
 * times.
 */
export async function runKillLoop(options: KillLoopOptions): Promise<KillLoopReport> {
  const received = new Set<string>();
  let killsUnderLoad = 0;
  await fillCompileCache(options.env);
  for (let kill = 0; kill < options.kills; kill += 1) {
    const teardowns: (() => unknown)[] = [];
    const t: Teardown = { teardown: (handler) => teardowns.push(handler) };
    const { child, origin, ended } = await startService(t, { ...options.env });
    const load = await startLoad(Number(new URL(origin).port), received);
    await delay(options.random() * LOAD_MS_MAX);
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await ended;
    if ((await load.ended) > 0) killsUnderLoad += 1;
    for (const teardown of teardowns) await teardown();
  }
  const logged = await options.readIds();
  const missing = [...received].filter((id) => !logged.has(id));
  return { kills: options.kills, killsUnderLoad, received: received.size, missing };
}

/** Only a process that ends by itself leaves its compiled code behind, and 200 starts are faster with it. */
async function fillCompileCache(env: KillLoopOptions['env']): Promise<void> {
  const teardowns: (() => unknown)[] = [];
  const { child, ended } = await startService({ teardown: (handler) => teardowns.push(handler) }, { ...env });
  child.kill('SIGTERM');
  await ended;
  for (const teardown of teardowns) await teardown();
}
