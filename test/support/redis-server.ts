import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface RedisServerOptions {
  readonly password?: string;
  /** More arguments of the program, each time that it starts. */
  readonly args?: (directory: string) => readonly string[] | Promise<readonly string[]>;
}

/** A real server on a loopback port, with nothing on disk. */
export interface RedisServer {
  /** `redis://` with the password in it, if there is one. */
  readonly url: string;
  readonly port: number;
  /** The process; it is another one after each start, and 0 while there is none. */
  readonly pid: number;
  /** Stops the process without ending it: connections stay open, and nobody answers. */
  pause(): void;
  resume(): void;
  /** Kills the process, paused or not, and resolves when it is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  restart(): Promise<void>;
  /**
   * Sends one command on a connection of its own, as one line or as words, and resolves with the raw reply.
   */
  command(command: string | readonly string[]): Promise<string>;
  /** Everything that the server was asked while `work` ran, as MONITOR prints it. */
  monitor(work: () => Promise<void>): Promise<string>;
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

const PROGRAMS = ['redis-server', 'valkey-server'];
const START_WAIT_MS = 10_000;
/** Another process may take a port between the moment it was free and that of the start. */
const ATTEMPTS = 3;

/**
 * Starts a server that ends with the test. Rejects when no program is on the PATH or it does not answer a
 * PING.
 */
export async function startRedisServer(t: Teardown, options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-redis-'));
  let server: ServerProcess | null = null;
  t.teardown(async () => {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  for (let attempt = 1; ; attempt += 1) {
    const args = (await options.args?.(directory)) ?? [];
    server = new ServerProcess(directory, await findFreePort(), args, options.password);
    try {
      await server.start();
      return server;
    } catch (error) {
      if (server.isRunning() || attempt === ATTEMPTS) throw error;
      await server.stop();
    }
  }
}

class ServerProcess implements RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #directory: string;
  readonly #password: string | undefined;
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;
  readonly #killAtExit = () => this.#child?.kill('SIGKILL');

  constructor(directory: string, port: number, args: readonly string[], password: string | undefined) {
    this.#directory = directory;
    this.#password = password;
    this.#args = args;
    this.port = port;
    const userInfo = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
    this.url = `redis://${userInfo}127.0.0.1:${port}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** False where it has ended by itself. */
  isRunning(): boolean {
    return this.#child?.exitCode === null;
  }

  async start(): Promise<void> {
    for (const program of PROGRAMS) {
      const child = spawn(program, this.#arguments(), { stdio: 'ignore' });
      if (!(await hasSpawned(child))) continue;
      this.#child = child;
      process.once('exit', this.#killAtExit);
      return waitForPing(this.port, () => this.isRunning());
    }
    throw new Error(`none of ${PROGRAMS.join(', ')} is on the PATH`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    process.off('exit', this.#killAtExit);
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async command(command: string | readonly string[]): Promise<string> {
    const socket = await this.#connect();
    let replies = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      replies += text;
    });
    // A reply may come in several pieces. It is whole when the server has said goodbye behind it.
    socket.write(toWire(command) + toWire('QUIT'));
    await once(socket, 'close');
    return replies.replace(/\+OK\r\n$/, '').trim();
  }

  async monitor(work: () => Promise<void>): Promise<string> {
    const socket = await this.#connect();
    let seen = '';
    socket.write(toWire('MONITOR'));
    await once(socket, 'data');
    const closed = once(socket, 'close');
    socket.on('data', (chunk) => {
      seen += String(chunk);
      if (seen.includes('end of the monitor')) socket.destroy();
    });
    await work();
    await this.command(['ECHO', 'end of the monitor']);
    await closed;
    return seen;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    if (this.#password === undefined) return socket;
    socket.write(toWire(['AUTH', this.#password]));
    await once(socket, 'data');
    return socket;
  }

  #arguments(): string[] {
    const place = ['--bind', '127.0.0.1', '--port', String(this.port)];
    const volatile = ['--dir', this.#directory, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
    const access = this.#password === undefined ? [] : ['--requirepass', this.#password];
    return [...place, ...volatile, ...access, ...this.#args];
  }
}

/** The name of the server's program on this machine. */
export function findProgram(): string {
  const found = PROGRAMS.find(
    (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
  );
  if (found === undefined) throw new Error(`none of ${PROGRAMS.join(', ')} is on the PATH`);
  return found;
}

/** A line for the inline protocol, or words as RESP. */
function toWire(command: string | readonly string[]): string {
  if (typeof command === 'string') return `${command}\r\n`;
  const words = command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${words.join('')}`;
}

function hasSpawned(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/** Any answer will do: a server with a password answers NOAUTH. */
async function waitForPing(port: number, isRunning: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + START_WAIT_MS;
  while (performance.now() < deadlineMs && isRunning()) {
    if ((await answersPing(port)) && isRunning()) return;
    await delay(5);
  }
  throw new Error('the server did not answer a PING');
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (hasAnswered: boolean) => {
      socket.destroy();
      resolve(hasAnswered);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}
