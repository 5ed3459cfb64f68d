import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { findPostgres } from './postgres-programs.ts';

export interface PostgresServerOptions {
  /** Settings of the server, `name = value`, beside those that make it small. */
  readonly settings?: readonly string[];
  /** Puts files into the folder of the data before the server starts. */
  readonly prepare?: (data: string) => void;
  /** Follows this server as its replica, with all that it has. */
  readonly primary?: PostgresServer;
  /** Fills the folder of the data, which is not there yet, in place of a new cluster. */
  readonly restore?: (data: string) => Promise<void>;
  /** Where the data goes; a new temporary folder otherwise. Has to belong to the user of the server. */
  readonly directory?: string;
}

/** A real server on a loopback port. Its user is `postgres`, without a password. */
export interface PostgresServer {
  readonly port: number;
  readonly directory: string;
  /** The process; it is another one after each start. */
  readonly pid: number;
  /** The URL of a database. */
  url(database?: string): string;
  /** Creates an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Runs one statement on a connection of its own. */
  query<Row extends pg.QueryResultRow>(text: string, database?: string): Promise<Row[]>;
  /** Runs one statement in a transaction that ends with `release`, or with its connection. */
  hold(url: string, text: string): Promise<{ release(): Promise<void> }>;
  /** Stops the processes without ending them: connections stay open, and nobody answers. */
  pause(): void;
  resume(): void;
  /** Kills it as a machine that loses its power would, and resolves when it is gone. */
  stop(): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  /** Makes a replica take writes. */
  promote(): Promise<void>;
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

const START_WAIT_MS = 60_000;
const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  'shared_buffers = 32MB',
  'max_connections = 60',
  'max_wal_senders = 4',
  'wal_level = replica',
  'autovacuum_naptime = 1h',
];

/** Starts a server that ends with the test. Rejects when its programs are not there. */
export async function startPostgresServer(
  t: Teardown,
  options: PostgresServerOptions = {},
): Promise<PostgresServer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'riskgate-postgres-'));
  const server = new ServerProcess(directory, await findFreePort());
  t.teardown(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  await server.create(options);
  await server.start();
  return server;
}

class ServerProcess implements PostgresServer {
  readonly port: number;
  readonly directory: string;
  readonly #programs: string;
  readonly #user: { readonly uid: number; readonly gid: number } | null;
  #child: ChildProcess | null = null;
  #databases = 0;
  readonly #killAtExit = () => this.#child?.kill('SIGKILL');

  constructor(directory: string, port: number) {
    const programs = findPostgres();
    if (programs === null) throw new Error('PostgreSQL is not installed');
    this.#programs = programs;
    this.directory = directory;
    this.port = port;
    // It refuses to run as root. Any other user will do, if it owns the folder.
    this.#user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get #data(): string {
    return join(this.directory, 'data');
  }

  async create({ settings = [], primary, restore, prepare }: PostgresServerOptions): Promise<void> {
    this.#own(this.directory);
    chmodSync(this.directory, 0o700);
    if (restore !== undefined) {
      await restore(this.#data);
      for (const path of ['', ...readdirSync(this.#data, { recursive: true, encoding: 'utf8' })])
        if (this.#user !== null) chownSync(join(this.#data, path), this.#user.uid, this.#user.gid);
      chmodSync(this.#data, 0o700);
    } else if (primary === undefined)
      await this.#run('initdb', ['-A', 'trust', '-U', 'postgres', '--locale=C', '-E', 'UTF8', '--no-sync']);
    else
      await this.#run('pg_basebackup', [
        '--host=127.0.0.1',
        `--port=${primary.port}`,
        '--username=postgres',
        '--write-recovery-conf',
        '--checkpoint=fast',
        '--no-sync',
      ]);
    const lines = [...SETTINGS, ...settings, `port = ${this.port}`];
    appendFileSync(join(this.#data, 'postgresql.conf'), `\n${lines.join('\n')}\n`);
    prepare?.(this.#data);
    for (const name of readdirSync(this.#data)) this.#own(join(this.#data, name));
  }

  #own(path: string): void {
    if (this.#user !== null) chownSync(path, this.#user.uid, this.#user.gid);
  }

  async start(): Promise<void> {
    const log = openSync(join(this.directory, 'log'), 'a');
    const child = spawn(join(this.#programs, 'postgres'), ['-D', this.#data], {
      stdio: ['ignore', log, log],
      ...this.#user,
    });
    closeSync(log);
    this.#child = child;
    process.once('exit', this.#killAtExit);
    await once(child, 'spawn');
    const deadlineMs = performance.now() + START_WAIT_MS;
    while (performance.now() < deadlineMs) {
      if (child.exitCode !== null) throw new Error(readFileSync(join(this.directory, 'log'), 'utf8'));
      if (await this.#answers()) return;
      await delay(20);
    }
    throw new Error('the server did not answer');
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    process.off('exit', this.#killAtExit);
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    // The first process ends the others at once, and leaves everything as it is on the disk.
    this.#signalAll(child, 'SIGCONT');
    child.kill('SIGQUIT');
    await exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  pause(): void {
    if (this.#child !== null) this.#signalAll(this.#child, 'SIGSTOP');
  }

  resume(): void {
    if (this.#child !== null) this.#signalAll(this.#child, 'SIGCONT');
  }

  async promote(): Promise<void> {
    await this.query('SELECT pg_promote()');
  }

  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.query(`CREATE DATABASE ${name}`);
    return this.url(name);
  }

  async query<Row extends pg.QueryResultRow>(text: string, database = 'postgres'): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url(database) });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async hold(url: string, text: string): Promise<{ release(): Promise<void> }> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    await client.query('BEGIN');
    await client.query(text);
    return { release: () => client.end() };
  }

  async #answers(): Promise<boolean> {
    try {
      await this.query('SELECT 1');
      return true;
    } catch {
      // ECONNREFUSED, or 57P03 while it starts.
      return false;
    }
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    await promisify(execFile)(join(this.#programs, program), [...args, '-D', this.#data], this.#user ?? {});
  }

  /** To the first process and all that it has started, which are in groups of their own. */
  #signalAll({ pid }: ChildProcess, name: NodeJS.Signals): void {
    if (pid === undefined) return;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    for (const one of [
      pid,
      ...children
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    ]) {
      try {
        process.kill(one, name);
      } catch {
        // ESRCH: it has ended meanwhile.
      }
    }
  }
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
