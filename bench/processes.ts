import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { announcementSchema, answerSchema } from './child.ts';

/** A child process that answers questions. */
export interface BenchProcess {
  /** The port that it announced; 0 when it announced none. */
  readonly port: number;
  /**
   * Rejects when the process ends before it answers. The kinds, and what they take and answer, are declared
   * by the child's script.
   */
  ask<Schema extends z.ZodType>(
    kind: string,
    valueSchema: Schema,
    argument?: unknown,
  ): Promise<z.output<Schema>>;
  /** Microseconds of CPU time, all threads, since its start. */
  cpuMicros(): Promise<number>;
  /** The same of its event loop alone; null where it has none that can be asked. */
  loopMicros(): Promise<number | null>;
  /** Ends it at once. */
  kill(): void;
}

export interface ProcessOptions {
  /** Relative to the root of the repository. */
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** False for the service, which does not announce itself and may not be ready yet. */
  readonly announces: boolean;
  /** The checkout that it is in; this one unless set. */
  readonly root?: string;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CPU_PROBE = new URL('./cpu-probe.ts', import.meta.url).href;

/** The child processes of one benchmark. They end with it, however it ends. */
export class BenchProcesses {
  readonly #children = new Set<ChildProcess>();
  readonly #teardowns: (() => unknown)[] = [];

  constructor() {
    process.once('exit', () => this.#kill());
  }

  /** Registers a clean-up for the end; see `end`. */
  teardown(handler: () => unknown): void {
    this.#teardowns.push(handler);
  }

  /** Starts a script in its own process, with the CPU probe in it. Its standard output is /dev/null. */
  async start({ script, env = {}, announces, root = ROOT }: ProcessOptions): Promise<BenchProcess> {
    const child = spawn(process.execPath, ['--import', CPU_PROBE, script], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    const port = announces ? (await nextMessage(child, script, announcementSchema, () => true)).port : 0;
    let questions = 0;
    const ask = async <Schema extends z.ZodType>(kind: string, valueSchema: Schema, argument?: unknown) => {
      const id = ++questions;
      const answered = nextMessage(child, script, answerSchema, (message) => message.id === id);
      child.send({ id, kind, argument: argument ?? null });
      return valueSchema.parse((await answered).value);
    };
    return {
      port,
      ask,
      cpuMicros: () => ask('cpu', z.number()),
      loopMicros: () => ask('loop-cpu', z.number()),
      kill: () => child.kill('SIGKILL'),
    };
  }

  /** Kills every child, then runs the registered clean-ups. */
  async end(): Promise<void> {
    this.#kill();
    for (const handler of this.#teardowns.splice(0)) await handler();
  }

  /** They hold nothing that outlives them. */
  #kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

function nextMessage<Schema extends z.ZodType>(
  child: ChildProcess,
  script: string,
  schema: Schema,
  isIt: (message: z.output<Schema>) => boolean,
): Promise<z.output<Schema>> {
  return new Promise((resolve, reject) => {
    const listen = (raw: unknown) => {
      const { data } = schema.safeParse(raw);
      if (data === undefined || !isIt(data)) return;
      child.off('message', listen);
      child.off('exit', fail);
      resolve(data);
    };
    const fail = () => reject(new Error(`${script} ended (${child.signalCode ?? child.exitCode})`));
    child.on('message', listen);
    child.once('exit', fail);
  });
}
